// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds out whether the program that has the keyboard has read everything that was sent to it, by _NET_WM_PING (EWMH).
#pragma once

#include <X11/Xlib.h>

#include <chrono>
#include <optional>

namespace vitrine {

/// Bound to the thread that uses the display.
class FocusPing {
 public:
  explicit FocusPing(Display* display);

  enum class Answer { answered, silent, cannot };
  /// Waits at most `patience`. Programs answer in the order in which they read, so after `answered` all earlier keys were read.
  /// `cannot`: the program does not know pings, or nothing has the keyboard.
  Answer ask(std::chrono::milliseconds patience);

 private:
  Window find_target() const;
  bool takes_pings(Window window) const;

  Display* const display_;
  Atom protocols_, ping_;
  unsigned count_ = 0;
};

}  // namespace vitrine
