// SPDX-License-Identifier: LGPL-2.1-or-later
// What a gamepad is to Linux: its buttons and axes as evdev and the older joystick interface know them. Pure.
#pragma once

#include <cstdint>
#include <linux/input.h>
#include <string>
#include <vector>

#include "protocol/input-record.h"

namespace vitrine {

struct PadAxis {
  uint16_t code = 0;  // ABS_*
  int32_t least = 0, most = 0, fuzz = 0, flat = 0;
  bool operator==(const PadAxis&) const = default;
};

/// Codes of buttons and axes ascend, so the joystick interface counts them in the same order.
struct PadShape {
  PadKind kind = PadKind::gone;
  std::string name;
  input_id id{};
  std::vector<uint16_t> buttons;  // BTN_*, at most 32
  std::vector<PadAxis> axes;
};

/// A state of a gamepad in the order of its shape.
struct PadValues {
  uint32_t buttons = 0;  // bit n: the shape's button n is pressed
  std::vector<int32_t> axes;
  bool operator==(const PadValues&) const = default;
};

/// One button or axis: type EV_KEY or EV_ABS.
struct PadEvent {
  uint16_t type = 0, code = 0;
  int32_t value = 0;
  bool operator==(const PadEvent&) const = default;
};

/// The standard mapping becomes the pad that every game knows, an Xbox 360's as Linux presents it; any other a joystick with as many
/// buttons and axes, and at least two axes, without which programs take it for something else.
PadShape shape_of(const PadInput& pad);

/// Nothing is pressed or moved.
PadValues rest_of(const PadShape& shape);

/// The same of a gamepad whose first state is known: pedals and triggers of other mappings than the standard one rest at an end of their way.
PadValues rest_of(const PadShape& shape, const PadValues& first);

/// What the viewer's snapshot is on that shape. What the shape does not have is left out.
PadValues values_of(const PadShape& shape, const PadState& state);

/// From one state to another; empty if they are the same.
std::vector<PadEvent> events_between(const PadShape& shape, const PadValues& before, const PadValues& after);

/// An axis' value as the joystick interface scales it: from -32767 to 32767.
int16_t joystick_value(const PadAxis& axis, int32_t value);

}  // namespace vitrine
