// SPDX-License-Identifier: LGPL-2.1-or-later
// What is captured: the whole screen, or one window in memory of its own.
#pragma once

#include <memory>
#include <string>

#include "capture/geometry.h"
#include "common/x11.h"

namespace vitrine {

/// A window is captured from its own pixmap where the server has Composite, so that other windows before it
/// and the screen's edge do not cut it. Bound to the thread that uses the connection.
class CaptureTarget {
 public:
  /// `xid` wins over `name`; neither means the screen. Null, with the reason in `error`, if there is no such
  /// window.
  static std::unique_ptr<CaptureTarget> find(X11Connection& connection, Window xid, const std::string& name,
                                             std::string* error);
  ~CaptureTarget();
  CaptureTarget(const CaptureTarget&) = delete;
  CaptureTarget& operator=(const CaptureTarget&) = delete;

  bool is_root() const { return window_ == connection_.root(); }
  Window window() const { return window_; }
  /// Where the pixels are read from, and where in it the window's own top left pixel is.
  Drawable drawable() const { return pixmap_ ? pixmap_ : window_; }
  int offset() const { return offset_; }
  Size size() const { return size_; }
  /// Asks the server anew. False when the window is gone or, at first, not on the screen.
  bool refresh();

 private:
  CaptureTarget(X11Connection& connection, Window window) : connection_(connection), window_(window) {}

  X11Connection& connection_;
  Window window_;
  bool redirected_ = false;
  Pixmap pixmap_ = 0;
  int offset_ = 0;
  Size size_;
};

}  // namespace vitrine
