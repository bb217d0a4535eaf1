// SPDX-License-Identifier: LGPL-2.1-or-later
// What happens on the X server that matters to capture: damage, resizes, the pointer, the end of a window.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "capture/cursor-image.h"
#include "common/x11.h"

namespace vitrine {

/// Events of one connection. Bound to the thread that uses the connection.
class X11Watcher {
 public:
  struct Options {
    bool damage = true;
    bool pointer = false;  // report motion
  };
  /// `window` is the root or the window that is captured.
  X11Watcher(X11Connection& connection, Window window, const Options& options);
  ~X11Watcher();
  X11Watcher(const X11Watcher&) = delete;
  X11Watcher& operator=(const X11Watcher&) = delete;

  bool has_damage() const { return damage_ != 0; }
  bool has_cursor() const { return fixes_event_ >= 0; }

  /// Takes in what has arrived; does not block and asks nothing of the server.
  void dispatch();
  /// Something was painted since the last fetch_damage().
  bool damaged() const { return damaged_; }
  /// What was painted since the last call, in the coordinates of the window. One round trip.
  std::vector<Rect> fetch_damage();
  /// The window or screen may have got another size or memory; true once for each time.
  bool take_geometry_change() { return std::exchange(geometry_changed_, false); }
  bool window_gone() const { return window_gone_; }
  bool take_pointer_motion() { return std::exchange(pointer_moved_, false); }
  bool pointer_moved() const { return pointer_moved_; }
  /// As if the pointer had moved: for a picture that has none drawn yet.
  void renew_pointer() { pointer_moved_ = true; }

  bool cursor_changed() const { return cursor_changed_; }
  /// The pointer's picture as it is now; fetched only when it has changed. Null when there is none to be had.
  std::shared_ptr<const CursorImage> cursor_image();
  /// Where the pointer is, in the coordinates of the window. False when it is on another screen. One round
  /// trip.
  bool query_pointer(int* x, int* y);

 private:
  void select_damage();
  void select_cursor(bool motion);
  void handle(XEvent& event);

  X11Connection& connection_;
  Display* display_;
  Window window_;
  XID damage_ = 0;
  XID region_ = 0;
  int damage_event_ = -1;
  int fixes_event_ = -1;
  int randr_event_ = -1;
  int input_opcode_ = -1;
  unsigned long fetched_serial_ = 0;
  bool damaged_ = true;
  bool geometry_changed_ = false;
  bool window_gone_ = false;
  bool pointer_moved_ = true;
  bool cursor_changed_ = true;
  std::shared_ptr<const CursorImage> cursor_;
};

}  // namespace vitrine
