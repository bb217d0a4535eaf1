// SPDX-License-Identifier: LGPL-2.1-or-later
// Shape and place of an X display's pointer, by XFixes and XInput 2 events.
#pragma once

#include <X11/Xlib.h>

#include <cstdint>
#include <optional>

#include "common/x11.h"
#include "remote/cursor-shape.h"

namespace vitrine {

/// Bound to the thread of the connection.
class CursorWatcher {
 public:
  /// XFixes must be there, with this first event.
  CursorWatcher(X11Connection& connection, int fixes_event);

  /// True if the event was for us.
  bool handle(XEvent& event);
  /// The shape, if it may have changed since the last call.
  std::optional<PointerShape> take_shape();
  bool shape_changed() const { return shape_changed_; }
  /// Whether moves are of interest.
  void follow_motion(bool follow);
  bool moved() const { return moved_; }
  /// Where the pointer is. False if it is on another screen.
  bool take_place(int* x, int* y);

 private:
  X11Connection& connection_;
  Display* const display_;
  const int fixes_event_;
  int input_opcode_ = -1;
  bool shape_changed_ = true, moved_ = true;
};

}  // namespace vitrine
