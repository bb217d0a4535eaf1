// SPDX-License-Identifier: LGPL-2.1-or-later
// Codes, ranges and the way from the browser's numbering to them.
#include "remote/gamepad/pad-shape.h"

#include <algorithm>
#include <cstdlib>

namespace vitrine {
namespace {

// The browser's standard mapping, in the order of the shape's buttons; triggers and the cross are axes there.
struct StandardButton {
  uint16_t code;
  uint8_t browser;
};
constexpr StandardButton kStandardButtons[] = {
    {BTN_SOUTH, 0}, {BTN_EAST, 1},   {BTN_NORTH, 2}, {BTN_WEST, 3},    {BTN_TL, 4},      {BTN_TR, 5},
    {BTN_SELECT, 8}, {BTN_START, 9}, {BTN_MODE, 16}, {BTN_THUMBL, 10}, {BTN_THUMBR, 11},
};
constexpr uint8_t kLeftTrigger = 6, kRightTrigger = 7, kUp = 12, kDown = 13, kLeft = 14, kRight = 15;

constexpr PadAxis stick(uint16_t code) { return {code, -32768, 32767, 16, 128}; }
constexpr PadAxis kStandardAxes[] = {
    stick(ABS_X),  stick(ABS_Y),  {ABS_Z, 0, 255, 0, 0},    stick(ABS_RX),
    stick(ABS_RY), {ABS_RZ, 0, 255, 0, 0}, {ABS_HAT0X, -1, 1, 0, 0}, {ABS_HAT0Y, -1, 1, 0, 0},
};

/// An axis that begins this far out rests there.
constexpr int32_t kAtTheEnd = 29490;
constexpr uint16_t kRawAxes[kPadAxesMost] = {ABS_X, ABS_Y, ABS_Z, ABS_RX, ABS_RY, ABS_RZ, ABS_THROTTLE, ABS_RUDDER};
/// Behind these the joystick's own codes have a gap.
constexpr uint8_t kJoystickCodes = BTN_BASE6 - BTN_TRIGGER + 1;

uint16_t raw_button(uint8_t index) {
  return static_cast<uint16_t>(index < kJoystickCodes ? BTN_TRIGGER + index : BTN_TRIGGER_HAPPY1 + index - kJoystickCodes);
}

bool pressed(const PadState& state, uint8_t button) { return state.buttons >> button & 1; }

/// Some pads' triggers are mere buttons.
int32_t trigger(const PadState& state, uint8_t button, size_t axis) {
  const int32_t value = std::max<int32_t>(state.axes[axis], 0) * 255 / 32767;
  return value == 0 && pressed(state, button) ? 255 : value;
}

int32_t cross(const PadState& state, uint8_t less, uint8_t more) { return pressed(state, more) - pressed(state, less); }

}  // namespace

PadShape shape_of(const PadInput& pad) {
  PadShape shape;
  shape.kind = pad.kind;
  if (pad.kind == PadKind::standard) {
    shape.name = "Microsoft X-Box 360 pad";
    shape.id = {BUS_USB, 0x045e, 0x028e, 0x0110};
    for (const auto& button : kStandardButtons)
      shape.buttons.push_back(button.code);
    shape.axes.assign(std::begin(kStandardAxes), std::end(kStandardAxes));
  } else if (pad.kind == PadKind::raw) {
    shape.name = "Vitrine gamepad";
    shape.id = {BUS_VIRTUAL, 0, 0, 1};
    for (uint8_t i = 0; i < std::min(pad.buttons, kPadButtonsMost); ++i)
      shape.buttons.push_back(raw_button(i));
    for (uint8_t i = 0; i < std::clamp<uint8_t>(pad.axes, 2, kPadAxesMost); ++i)
      shape.axes.push_back({kRawAxes[i], -32767, 32767, 16, 128});
  }
  return shape;
}

PadValues rest_of(const PadShape& shape) { return {0, std::vector<int32_t>(shape.axes.size(), 0)}; }

PadValues rest_of(const PadShape& shape, const PadValues& first) {
  PadValues rest = rest_of(shape);
  if (shape.kind == PadKind::raw)
    for (size_t i = 0; i < shape.axes.size(); ++i)
      if (std::abs(first.axes[i]) >= kAtTheEnd)
        rest.axes[i] = first.axes[i] < 0 ? shape.axes[i].least : shape.axes[i].most;
  return rest;
}

PadValues values_of(const PadShape& shape, const PadState& state) {
  PadValues values = rest_of(shape);
  if (shape.kind == PadKind::standard) {
    uint32_t bit = 1;
    for (const auto& button : kStandardButtons) {
      if (pressed(state, button.browser))
        values.buttons |= bit;
      bit <<= 1;
    }
    values.axes = {state.axes[0], state.axes[1], trigger(state, kLeftTrigger, 4), state.axes[2], state.axes[3],
                   trigger(state, kRightTrigger, 5), cross(state, kLeft, kRight), cross(state, kUp, kDown)};
  } else {
    const size_t count = shape.buttons.size();
    values.buttons = count >= 32 ? state.buttons : state.buttons & ((uint32_t{1} << count) - 1);
    for (size_t i = 0; i < shape.axes.size(); ++i)
      values.axes[i] = std::max<int32_t>(state.axes[i], shape.axes[i].least);
  }
  return values;
}

std::vector<PadEvent> events_between(const PadShape& shape, const PadValues& before, const PadValues& after) {
  std::vector<PadEvent> events;
  for (size_t i = 0; i < shape.buttons.size(); ++i)
    if ((before.buttons ^ after.buttons) >> i & 1)
      events.push_back({EV_KEY, shape.buttons[i], static_cast<int32_t>(after.buttons >> i & 1)});
  for (size_t i = 0; i < shape.axes.size(); ++i)
    if (before.axes[i] != after.axes[i])
      events.push_back({EV_ABS, shape.axes[i].code, after.axes[i]});
  return events;
}

int16_t joystick_value(const PadAxis& axis, int32_t value) {
  const int64_t range = int64_t{axis.most} - axis.least;
  const int64_t from_least = std::clamp<int64_t>(value, axis.least, axis.most) - axis.least;
  // Rounded towards the middle, so that a stick at rest is 0.
  const int64_t doubled = 2 * from_least - range;
  return static_cast<int16_t>(range == 0 ? 0 : std::abs(doubled) <= 1 ? 0 : doubled * 32767 / range);
}

}  // namespace vitrine
