// SPDX-License-Identifier: LGPL-2.1-or-later
// The size of an X screen, by RandR 1.2, and what programs should know of its dots per inch.
#pragma once

#include <X11/Xlib.h>
#include <X11/extensions/Xrandr.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/x11.h"

namespace vitrine {

struct ScreenSize {
  int width = 0, height = 0;
  bool operator==(const ScreenSize&) const = default;
};

/// What a viewer wished, within the limits: even, because most encoders take no other, and no smaller than is of use.
ScreenSize fitted_size(ScreenSize wish, ScreenSize least, ScreenSize most);

/// A mode of that size, 60 pictures per second, with the blanking of CVT 1.2 (reduced blanking, version 1).
XRRModeInfo mode_for(ScreenSize size);

/// `resources` with the line "name:\tvalue" in place of every other of that name; without it if `value` is empty.
std::string with_resource(const std::string& resources, const std::string& name, const std::string& value);

/// What follows "name:" there, without blanks in front; empty if there is no such line.
std::string resource_of(const std::string& resources, const std::string& name);

/// Which screens may be resized.
enum class ResizePolicy { off, automatic, on };

/// Bound to the thread of the connection.
class DisplaySize {
 public:
  enum class Outcome { unchanged, changed, nearest, refused };

  DisplaySize(X11Connection& connection, ResizePolicy policy, ScreenSize most);
  ~DisplaySize();
  DisplaySize(const DisplaySize&) = delete;
  DisplaySize& operator=(const DisplaySize&) = delete;

  /// Whether sizes are followed at all; `why_not` says in English why they are not.
  bool usable() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }
  /// As the server has it.
  ScreenSize current() const;
  ScreenSize most() const { return most_; }
  /// `nearest`: the server refused a mode of this size, but has one that is near.
  Outcome set(ScreenSize wish);
  /// Dots per inch for programs that start from now on: 96 × scale. Nothing is touched as long as scale is 1.
  void set_scale(double scale);
  /// As it was at first.
  void restore();
  /// True if the event says that the size changed.
  bool handle(XEvent& event);

 private:
  struct Screen;
  void examine(ResizePolicy policy);
  bool apply(Screen& screen, RRMode mode, ScreenSize size);
  RRMode find_mode(const Screen& screen, ScreenSize size) const;
  RRMode make_mode(Screen& screen, ScreenSize size);
  RRMode nearest_mode(const Screen& screen, ScreenSize size, ScreenSize& found) const;
  void forget_mode(Screen& screen, RRMode mode);
  std::string resources() const;
  void set_resources(const std::string& text);

  X11Connection& connection_;
  Display* const display_;
  ScreenSize least_, most_;
  std::string why_not_;
  int randr_event_ = -1;
  RRMode first_mode_ = None, made_mode_ = None;
  ScreenSize first_;
  bool resized_ = false;
  double scale_ = 1, first_dpi_ = 96;
  std::optional<std::pair<std::string, std::string>> first_resources_;  // of dpi and pointer size
};

}  // namespace vitrine
