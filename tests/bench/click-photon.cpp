// SPDX-License-Identifier: LGPL-2.1-or-later
// Clicks in the middle of a display like a mouse, by XTEST, and waits until the pixel there turns from dark to bright or back: what a person before that
// display would see of a browser on it, but for the monitor. usage: click-photon COUNT: prints one time in µs per line; DISPLAY names the display.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XTest.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

bool bright(Display* display, int x, int y) {
  XImage* image = XGetImage(display, DefaultRootWindow(display), x, y, 1, 1, AllPlanes, ZPixmap);
  const bool result = image && (XGetPixel(image, 0, 0) & 0xff) > 128;
  if (image)
    XDestroyImage(image);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc == 2 ? std::atoi(argv[1]) : 0;
  Display* display = XOpenDisplay(nullptr);
  if (count <= 0 || !display) {
    std::fprintf(stderr, count > 0 ? "click-photon: cannot open the display\n" : "usage: click-photon COUNT\n");
    return 2;
  }
  const int x = DisplayWidth(display, 0) / 2, y = DisplayHeight(display, 0) / 2;
  XTestFakeMotionEvent(display, 0, x, y, CurrentTime);
  XSync(display, False);
  for (int i = 0; i < count; ++i) {
    // At no fixed distance, so that refreshes are met at any moment.
    std::this_thread::sleep_for(200ms + std::chrono::milliseconds(i * 37 % 61));
    const bool before = bright(display, x, y);
    const auto pressed = Clock::now();
    XTestFakeButtonEvent(display, 1, True, CurrentTime);
    XFlush(display);
    while (bright(display, x, y) == before) {
      if (Clock::now() - pressed > 5s) {
        std::fprintf(stderr, "click-photon: nothing changes\n");
        return 1;
      }
      std::this_thread::sleep_for(200us);
    }
    std::printf("%" PRId64 "\n", static_cast<int64_t>((Clock::now() - pressed) / 1us));
    std::fflush(stdout);
    XTestFakeButtonEvent(display, 1, False, CurrentTime);
    XFlush(display);
  }
  return 0;
}
