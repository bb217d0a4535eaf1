// SPDX-License-Identifier: LGPL-2.1-or-later
// An X11 connection that is closed with its owner and never ends the process: Xlib's default handlers would call exit().
#pragma once

#include <X11/Xlib.h>

#include <atomic>
#include <memory>
#include <string>

namespace vitrine {

/// libXi keeps a list of displays that it makes when the first one uses it and frees when the last one is closed, without a lock. So one
/// of these is held by whoever makes the first call to it on a display, and while a display is closed. The same lock for all plugins.
class X11InputExtensionLock {
 public:
  X11InputExtensionLock();
  ~X11InputExtensionLock();
  X11InputExtensionLock(const X11InputExtensionLock&) = delete;
  X11InputExtensionLock& operator=(const X11InputExtensionLock&) = delete;
};

/// One connection to an X server. Bound to the thread that uses it, but for alive() and fd(), which any thread may call.
class X11Connection {
 public:
  /// `name` empty means $DISPLAY. Returns null when the display cannot be opened; `display_name_for` tells which was meant.
  static std::unique_ptr<X11Connection> open(const std::string& name);
  ~X11Connection();
  X11Connection(const X11Connection&) = delete;
  X11Connection& operator=(const X11Connection&) = delete;

  Display* display() const { return display_; }
  Window root() const { return DefaultRootWindow(display_); }
  int fd() const { return ConnectionNumber(display_); }
  std::string name() const { return DisplayString(display_); }
  /// False once the server has closed the connection; nothing may be sent any more.
  bool alive() const { return alive_.load(std::memory_order_acquire); }
  /// Error code of the last X protocol error on this connection since the last call, 0 if none (XSync first).
  int take_error() { return last_error_.exchange(0); }

  /// The display name that `name` stands for: itself, or $DISPLAY, or "" when neither is set.
  static std::string display_name_for(const std::string& name);

 private:
  explicit X11Connection(Display* display) : display_(display) {}
  friend struct X11Handlers;
  Display* display_;
  std::atomic<bool> alive_{true};
  std::atomic<int> last_error_{0};
};

}  // namespace vitrine
