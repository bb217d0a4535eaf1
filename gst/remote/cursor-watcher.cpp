// SPDX-License-Identifier: LGPL-2.1-or-later
// Events of the pointer.
#include "remote/cursor-watcher.h"

#include <X11/extensions/XInput2.h>
#include <X11/extensions/Xfixes.h>

#include <utility>

namespace vitrine {

CursorWatcher::CursorWatcher(X11Connection& connection, int fixes_event)
    : connection_(connection), display_(connection.display()), fixes_event_(fixes_event) {
  XFixesSelectCursorInput(display_, connection.root(), XFixesDisplayCursorNotifyMask);
  int event_base, error_base, opcode, major = 2, minor = 1;
  X11InputExtensionLock first_use;
  if (XQueryExtension(display_, "XInputExtension", &opcode, &event_base, &error_base) && XIQueryVersion(display_, &major, &minor) == Success)
    input_opcode_ = opcode;
}

void CursorWatcher::follow_motion(bool follow) {
  if (input_opcode_ < 0)
    return;
  unsigned char bits[XIMaskLen(XI_LASTEVENT)] = {};
  if (follow)
    XISetMask(bits, XI_RawMotion);
  XIEventMask mask = {XIAllMasterDevices, sizeof bits, bits};
  XISelectEvents(display_, connection_.root(), &mask, 1);
  moved_ = follow;
}

bool CursorWatcher::handle(XEvent& event) {
  if (event.type == fixes_event_ + XFixesCursorNotify) {
    shape_changed_ = true;
    return true;
  }
  if (event.type == GenericEvent && event.xcookie.extension == input_opcode_) {
    moved_ = true;
    return true;
  }
  return false;
}

std::optional<PointerShape> CursorWatcher::take_shape() {
  if (!std::exchange(shape_changed_, false))
    return std::nullopt;
  PointerShape shape;
  // None if the server shows no pointer.
  if (XFixesCursorImage* image = XFixesGetCursorImage(display_)) {
    shape.width = image->width;
    shape.height = image->height;
    shape.hot_x = image->xhot;
    shape.hot_y = image->yhot;
    shape.argb.assign(image->pixels, image->pixels + static_cast<size_t>(image->width) * image->height);
    XFree(image);
  }
  return shape;
}

bool CursorWatcher::take_place(int* x, int* y) {
  moved_ = false;
  Window root, child;
  int window_x, window_y;
  unsigned mask;
  return XQueryPointer(display_, connection_.root(), &root, &child, x, y, &window_x, &window_y, &mask) != False;
}

}  // namespace vitrine
