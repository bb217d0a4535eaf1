// SPDX-License-Identifier: LGPL-2.1-or-later
// Covers the screen, whatever its size becomes, with a pattern that any scaling would blur: lines of one pixel, in patches at the
// corners and in the middle. Pixel (x, y) of a patch is dark if bit 0 is set of x (blocks of 16 pixels in turn) or y.
// With the argument "pointer" its pointer changes with each line read from standard input: arrow, cross, large or none.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/cursorfont.h>
#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace {

constexpr int kPatch = 64;

bool in_patch(int at, int size) { return at < kPatch || at >= size - kPatch || (at >= size / 2 - kPatch / 2 && at < size / 2 + kPatch / 2); }

uint32_t pixel(int x, int y, int width, int height) {
  if (!in_patch(x, width) || !in_patch(y, height))
    return 0x707070;
  const bool vertical = ((x >> 4) + (y >> 4)) & 1;
  return (vertical ? x : y) & 1 ? 0x101010 : 0xf0f0f0;
}

void draw(Display* display, Window window, int width, int height) {
  std::vector<uint32_t> pixels;
  pixels.reserve(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      pixels.push_back(pixel(x, y, width, height));
  XImage* image = XCreateImage(display, DefaultVisual(display, 0), 24, ZPixmap, 0, reinterpret_cast<char*>(pixels.data()),
                               static_cast<unsigned>(width), static_cast<unsigned>(height), 32, 0);
  XPutImage(display, window, DefaultGC(display, 0), image, 0, 0, 0, 0, static_cast<unsigned>(width), static_cast<unsigned>(height));
  image->data = nullptr;
  XDestroyImage(image);
  XFlush(display);
}

Cursor bitmap_cursor(Display* display, Window window, int size, bool visible) {
  const std::vector<char> bits(static_cast<size_t>(size * size / 8), visible ? '\xff' : '\0');
  const Pixmap map = XCreateBitmapFromData(display, window, bits.data(), static_cast<unsigned>(size), static_cast<unsigned>(size));
  XColor red{};
  red.red = 0xffff;
  return XCreatePixmapCursor(display, map, map, &red, &red, static_cast<unsigned>(size / 2), static_cast<unsigned>(size / 4));
}

void set_pointer(Display* display, Window window, const std::string& name) {
  const Cursor cursor = name == "none"    ? bitmap_cursor(display, window, 16, false)
                        : name == "large" ? bitmap_cursor(display, window, 64, true)
                                          : XCreateFontCursor(display, name == "cross" ? XC_crosshair : XC_left_ptr);
  XDefineCursor(display, window, cursor);
  XFlush(display);
}

}  // namespace

int main(int argc, char** argv) {
  Display* display = XOpenDisplay(nullptr);
  if (!display) {
    std::fputs("pattern-window: no display\n", stderr);
    return 1;
  }
  const Window root = DefaultRootWindow(display);
  int width = DisplayWidth(display, 0), height = DisplayHeight(display, 0);
  XSetWindowAttributes attributes{};
  attributes.override_redirect = True;
  attributes.event_mask = ExposureMask;
  const Window window = XCreateWindow(display, root, 0, 0, static_cast<unsigned>(width), static_cast<unsigned>(height), 0, CopyFromParent,
                                      InputOutput, CopyFromParent, CWOverrideRedirect | CWEventMask, &attributes);
  XSelectInput(display, root, StructureNotifyMask);
  XMapRaised(display, window);
  XFlush(display);
  bool reading = argc > 1 && std::string(argv[1]) == "pointer";
  for (;;) {
    while (XPending(display) > 0) {
      XEvent event;
      XNextEvent(display, &event);
      if (event.type == ConfigureNotify && event.xconfigure.window == root) {
        width = event.xconfigure.width;
        height = event.xconfigure.height;
        XResizeWindow(display, window, static_cast<unsigned>(width), static_cast<unsigned>(height));
      }
      if (event.type == Expose || event.type == ConfigureNotify)
        draw(display, window, width, height);
    }
    pollfd waiting[] = {{ConnectionNumber(display), POLLIN, 0}, {reading ? STDIN_FILENO : -1, POLLIN, 0}};
    poll(waiting, 2, -1);
    char line[64];
    if (waiting[1].revents) {
      reading = std::fgets(line, sizeof line, stdin) != nullptr;
      if (reading)
        set_pointer(display, window, std::string(line).substr(0, std::string(line).find('\n')));
    }
  }
}
