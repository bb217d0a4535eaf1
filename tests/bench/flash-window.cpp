// SPDX-License-Identifier: LGPL-2.1-or-later
// A window that changes colour at once on each key or button press: what the latency benchmarks click on.
// Prints `drawn` and the monotonic clock in µs each time. usage: flash-window WIDTH HEIGHT
#include <X11/Xlib.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: flash-window WIDTH HEIGHT\n");
    return 2;
  }
  Display* display = XOpenDisplay(nullptr);
  if (!display) {
    std::fprintf(stderr, "flash-window: cannot open the display\n");
    return 3;
  }
  const unsigned width = static_cast<unsigned>(std::atoi(argv[1])), height = static_cast<unsigned>(std::atoi(argv[2]));
  constexpr unsigned long colours[2] = {0x101010, 0xf0f0f0};
  XSetWindowAttributes attributes{};
  attributes.background_pixel = colours[0];
  attributes.override_redirect = True;
  attributes.event_mask = ButtonPressMask | KeyPressMask | ExposureMask;
  const Window window = XCreateWindow(display, DefaultRootWindow(display), 0, 0, width, height, 0, CopyFromParent, InputOutput,
                                      CopyFromParent, CWBackPixel | CWOverrideRedirect | CWEventMask, &attributes);
  XMapRaised(display, window);
  XSetInputFocus(display, window, RevertToParent, CurrentTime);
  std::puts("ready");
  std::fflush(stdout);
  for (int colour = 0;;) {
    XEvent event;
    XNextEvent(display, &event);
    if (event.type != ButtonPress && event.type != KeyPress)
      continue;
    colour = 1 - colour;
    XSetWindowBackground(display, window, colours[colour]);
    XClearWindow(display, window);
    XSync(display, False);
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
    std::printf("drawn %" PRId64 "\n", static_cast<int64_t>(now.count()));
    std::fflush(stdout);
  }
}
