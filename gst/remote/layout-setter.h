// SPDX-License-Identifier: LGPL-2.1-or-later
// Sets the keyboard layout of an X server by setxkbmap, and puts the one that was there back.
#pragma once

#include <X11/Xlib.h>

#include <optional>
#include <string>

#include "remote/layout-match.h"

namespace vitrine {

/// Not thread-safe. set() and restore() wait for a program of their own, some 50 ms, at most three seconds.
class LayoutSetter {
 public:
  /// Remembers the layout that `display` has now, if it is known.
  explicit LayoutSetter(Display* display);

  /// Model and options stay. A layout without Latin letters gets "us" as its second group, which is where toolkits look for
  /// shortcuts. `error` says why it did not work.
  bool set(const LayoutName& name, std::string& error);
  /// Puts back what was there before the first set().
  void restore();

 private:
  bool run(const std::string& layouts, const std::string& variants, std::string& error) const;

  const std::string display_;
  std::optional<LayoutName> before_;  // lists with commas, as the server has them
  bool changed_ = false;
};

}  // namespace vitrine
