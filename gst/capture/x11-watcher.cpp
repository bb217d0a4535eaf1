// SPDX-License-Identifier: LGPL-2.1-or-later
// XDamage, XFixes, RandR and XInput events.
#include "capture/x11-watcher.h"

#include <X11/Xutil.h>
#include <X11/extensions/XInput2.h>
#include <X11/extensions/Xdamage.h>
#include <X11/extensions/Xfixes.h>
#include <X11/extensions/Xrandr.h>

#include <utility>

namespace vitrine {

X11Watcher::X11Watcher(X11Connection& connection, Window window, const Options& options)
    : connection_(connection), display_(connection.display()), window_(window) {
  int error_base;
  int major = 5;
  int minor = 0;
  int fixes_event;
  const bool has_fixes = XFixesQueryExtension(display_, &fixes_event, &error_base) &&
                         XFixesQueryVersion(display_, &major, &minor) && major >= 2;
  if (has_fixes) {
    fixes_event_ = fixes_event;
    select_cursor(options.pointer);
    if (options.damage)
      select_damage();
  }
  XSelectInput(display_, window_, StructureNotifyMask);
  int randr_event;
  if (XRRQueryExtension(display_, &randr_event, &error_base)) {
    randr_event_ = randr_event;
    XRRSelectInput(display_, connection_.root(), RRScreenChangeNotifyMask);
  }
  XFlush(display_);
}

X11Watcher::~X11Watcher() {
  if (!connection_.alive())
    return;
  if (region_)
    XFixesDestroyRegion(display_, region_);
  if (damage_ && !window_gone_)  // the server destroys it with its window
    XDamageDestroy(display_, damage_);
}

void X11Watcher::select_damage() {
  int error_base;
  int major = 1;
  int minor = 1;
  if (!XDamageQueryExtension(display_, &damage_event_, &error_base) ||
      !XDamageQueryVersion(display_, &major, &minor)) {
    damage_event_ = -1;
    return;
  }
  // One event when the first damage comes; the rest gathers in the server until it is fetched.
  damage_ = XDamageCreate(display_, window_, XDamageReportNonEmpty);
  region_ = XFixesCreateRegion(display_, nullptr, 0);
}

void X11Watcher::select_cursor(bool motion) {
  XFixesSelectCursorInput(display_, connection_.root(), XFixesDisplayCursorNotifyMask);
  if (!motion)
    return;
  int event_base;
  int error_base;
  int major = 2;
  int minor = 1;
  int opcode;
  if (!XQueryExtension(display_, "XInputExtension", &opcode, &event_base, &error_base))
    return;
  {
    X11InputExtensionLock first_use;
    if (XIQueryVersion(display_, &major, &minor) != Success)
      return;
  }
  input_opcode_ = opcode;
  unsigned char bits[XIMaskLen(XI_LASTEVENT)] = {};
  XISetMask(bits, XI_RawMotion);
  XIEventMask mask = {XIAllMasterDevices, sizeof bits, bits};
  XISelectEvents(display_, connection_.root(), &mask, 1);
}

void X11Watcher::handle(XEvent& event) {
  if (damage_event_ >= 0 && event.type == damage_event_ + XDamageNotify) {
    // One that the server sent before it handled our last fetch tells nothing new.
    if (static_cast<long>(event.xany.serial - fetched_serial_) >= 0)
      damaged_ = true;
  } else if (fixes_event_ >= 0 && event.type == fixes_event_ + XFixesCursorNotify) {
    cursor_changed_ = true;
  } else if (randr_event_ >= 0 && event.type == randr_event_ + RRScreenChangeNotify) {
    XRRUpdateConfiguration(&event);
    geometry_changed_ = true;
  } else if (event.type == ConfigureNotify) {
    geometry_changed_ = true;
  } else if (event.type == MapNotify && event.xmap.window == window_) {
    geometry_changed_ = true;
  } else if (event.type == DestroyNotify && event.xdestroywindow.window == window_) {
    window_gone_ = true;
  } else if (event.type == GenericEvent && event.xcookie.extension == input_opcode_) {
    pointer_moved_ = true;
  }
}

void X11Watcher::dispatch() {
  while (connection_.alive() && XPending(display_) > 0) {
    XEvent event;
    XNextEvent(display_, &event);
    handle(event);
  }
}

std::vector<Rect> X11Watcher::fetch_damage() {
  std::vector<Rect> result;
  if (!damage_ || window_gone_ || !connection_.alive())
    return result;
  fetched_serial_ = NextRequest(display_);
  damaged_ = false;
  XDamageSubtract(display_, damage_, None, region_);
  int count = 0;
  XRectangle* rects = XFixesFetchRegion(display_, region_, &count);
  if (rects) {
    result.reserve(count);
    for (int i = 0; i < count; i++)
      result.push_back({rects[i].x, rects[i].y, rects[i].width, rects[i].height});
    XFree(rects);
  }
  dispatch();
  return result;
}

std::shared_ptr<const CursorImage> X11Watcher::cursor_image() {
  if (!cursor_changed_ || fixes_event_ < 0)
    return cursor_;
  cursor_changed_ = false;
  cursor_ = nullptr;
  XFixesCursorImage* fetched = XFixesGetCursorImage(display_);
  if (!fetched)
    return cursor_;
  auto image = std::make_shared<CursorImage>();
  image->serial = fetched->cursor_serial;
  image->size = {fetched->width, fetched->height};
  image->hot_x = fetched->xhot;
  image->hot_y = fetched->yhot;
  // Xlib hands out one unsigned long for each pixel, of which 32 bits count.
  image->argb.assign(fetched->pixels,
                     fetched->pixels + static_cast<size_t>(fetched->width) * fetched->height);
  XFree(fetched);
  cursor_ = std::move(image);
  return cursor_;
}

bool X11Watcher::query_pointer(int* x, int* y) {
  if (window_gone_ || !connection_.alive())
    return false;
  Window root;
  Window child;
  int root_x;
  int root_y;
  unsigned int buttons;
  return XQueryPointer(display_, window_, &root, &child, &root_x, &root_y, x, y, &buttons);
}

}  // namespace vitrine
