// SPDX-License-Identifier: LGPL-2.1-or-later
// Playing input.
#include "remote/input-player.h"

#include <algorithm>
#include <vector>

namespace vitrine {
namespace {

// Linux evdev codes (linux/input-event-codes.h) that matter here.
constexpr uint16_t kCapsLockCode = 58, kNumLockCode = 69, kLeftShiftCode = 42, kRightShiftCode = 54, kRightAltCode = 100;
constexpr uint8_t kEvdevOffset = 8;  // X keycodes of the evdev rules
constexpr int kNotch = 120;

uint64_t identity(const KeyInput& key) { return key.code ? key.code : uint64_t{1} << 32 | key.keysym; }

/// Keysyms that stand for a character: Latin-1, the legacy scripts below 0x1400, currency, Unicode. Not function keys (0xff..) or
/// modifiers and dead keys (0xfe..).
bool prints(uint32_t keysym) {
  return (keysym >= 0x20 && keysym < 0xfe00) || (keysym >= 0x01000100 && keysym <= 0x0110ffff);
}

/// The same character may have a legacy and a Unicode keysym; compare what X clients see.
bool same_keysym(uint32_t a, uint32_t b) {
  const auto normal = [](uint32_t keysym) {
    return keysym >= 0x01000020 && keysym <= 0x010000ff ? keysym - 0x01000000 : keysym;
  };
  return normal(a) == normal(b);
}

}  // namespace

void InputPlayer::play(std::span<const InputRecord> records) {
  for (const auto& record : records) {
    ++statistics_.records;
    if (!std::holds_alternative<MotionInput>(record.body))
      settle_motion();
    std::visit([this](const auto& body) { play(body); }, record.body);
  }
  settle_motion();
  injector_.flush();
}

void InputPlayer::press(uint8_t keycode, bool down) {
  injector_.key(keycode, down);
  ++statistics_.events;
}

bool InputPlayer::holds_keycode(uint8_t keycode) const {
  return std::any_of(keys_.begin(), keys_.end(), [keycode](const auto& held) { return held.second == keycode; });
}

bool InputPlayer::modifier_down(uint8_t keycode, uint16_t code_left, uint16_t code_right) const {
  return keys_.contains(code_left) || keys_.contains(code_right) || (keycode && holds_keycode(keycode));
}

void InputPlayer::follow_locks(const KeyInput& key) {
  if (key.code == kCapsLockCode || key.code == kNumLockCode)
    return;
  const auto follow = [this](bool wanted, bool now, uint16_t code) {
    if (wanted == now)
      return;
    const auto keycode = static_cast<uint8_t>(code + kEvdevOffset);
    press(keycode, true);
    press(keycode, false);
  };
  follow(key.modifiers & kModifierCapsLock, injector_.caps_lock(), kCapsLockCode);
  follow(key.modifiers & kModifierNumLock, injector_.num_lock(), kNumLockCode);
}

std::optional<KeyPlan> InputPlayer::plan_for(const KeyInput& key) {
  const uint8_t scancode =
      key.code > 0 && key.code + kEvdevOffset <= 255 ? static_cast<uint8_t>(key.code + kEvdevOffset) : uint8_t{0};
  const auto by_scancode = [&]() -> std::optional<KeyPlan> {
    return scancode ? std::optional<KeyPlan>({scancode, {}, {}}) : std::nullopt;
  };
  const auto by_keysym = [&]() -> std::optional<KeyPlan> {
    if (!key.keysym)
      return std::nullopt;
    return injector_.plan(
        key.keysym,
        [](uint8_t keycode, void* self) { return static_cast<InputPlayer*>(self)->holds_keycode(keycode); }, this);
  };
  if (mode_ == KeyMode::scancode)
    return scancode ? by_scancode() : by_keysym();
  if (mode_ == KeyMode::keysym) {
    const auto plan = by_keysym();
    return plan ? plan : by_scancode();
  }
  if (!scancode)
    return by_keysym();
  // Shortcuts and keys that print nothing go by position; a character goes by position if that gives it.
  const bool shortcut = key.modifiers & (kModifierControl | kModifierMeta) ||
                        ((key.modifiers & kModifierAlt) && !(key.modifiers & kModifierAltGr));
  if (!prints(key.keysym) || shortcut)
    return by_scancode();
  const bool shift = modifier_down(injector_.shift_keycode(), kLeftShiftCode, kRightShiftCode);
  const bool level3 = modifier_down(injector_.level3_keycode(), kRightAltCode, kRightAltCode);
  if (same_keysym(injector_.keysym_of(scancode, shift, level3), key.keysym))
    return by_scancode();
  const auto plan = by_keysym();
  return plan ? plan : by_scancode();
}

void InputPlayer::type(const KeyPlan& plan) {
  struct Change {
    uint8_t keycode;
    bool was_down;
  };
  std::vector<Change> changes;
  const auto want = [&](std::optional<bool> wanted, uint8_t keycode, uint16_t left, uint16_t right) {
    if (!wanted || !keycode || *wanted == modifier_down(keycode, left, right))
      return;
    if (*wanted) {
      changes.push_back({keycode, false});
      press(keycode, true);
      return;
    }
    // Lift whichever of the keys is down, and press it again afterwards.
    for (const auto& [id, held] : keys_)
      if (id == left || id == right || held == keycode) {
        changes.push_back({held, true});
        press(held, false);
      }
  };
  want(plan.shift, injector_.shift_keycode(), kLeftShiftCode, kRightShiftCode);
  want(plan.level3, injector_.level3_keycode(), kRightAltCode, kRightAltCode);
  press(plan.keycode, true);
  for (auto change = changes.rbegin(); change != changes.rend(); ++change)
    press(change->keycode, change->was_down);
}

void InputPlayer::play(const KeyInput& key) {
  const uint64_t id = identity(key);
  const auto held = keys_.find(id);
  if (!key.down) {
    if (held == keys_.end())
      return;
    const uint8_t keycode = held->second;
    keys_.erase(held);
    if (!holds_keycode(keycode))
      press(keycode, false);
    return;
  }
  if (held != keys_.end()) {
    // Repeated by the viewer's keyboard: as the X server repeats, a release and a press.
    press(held->second, false);
    press(held->second, true);
    return;
  }
  follow_locks(key);
  const auto plan = plan_for(key);
  if (!plan) {
    ++statistics_.unknown_keys;
    return;
  }
  if (holds_keycode(plan->keycode))
    press(plan->keycode, false);
  type(*plan);
  keys_[id] = plan->keycode;
}

void InputPlayer::settle_motion() {
  if (motion_dx_ == 0 && motion_dy_ == 0)
    return;
  injector_.move_by(motion_dx_, motion_dy_);
  ++statistics_.events;
  motion_dx_ = motion_dy_ = 0;
}

void InputPlayer::play(const MotionInput& motion) {
  motion_dx_ += motion.dx;
  motion_dy_ += motion.dy;
}

void InputPlayer::move(const PicturePosition& position) {
  const auto scale = [this](unsigned value, unsigned seen, int size) {
    // The middle of the pixel that was seen, on a screen of another size.
    int result = static_cast<int>(value);
    if (static_cast<int>(seen) != size)
      result = static_cast<int>((2 * static_cast<int64_t>(value) + 1) * size / (2 * static_cast<int64_t>(seen)));
    if (result < size)
      return result;
    ++statistics_.clamped;
    return size - 1;
  };
  injector_.move_to(scale(position.x, position.width, injector_.width()),
                    scale(position.y, position.height, injector_.height()));
  ++statistics_.events;
}

void InputPlayer::play(const ButtonInput& button) {
  if (button.position)
    move(*button.position);
  if (button.down ? !buttons_.insert(button.button).second : buttons_.erase(button.button) == 0)
    return;
  injector_.button(button.button, button.down);
  ++statistics_.events;
}

void InputPlayer::scroll(int& remainder, int32_t delta, uint8_t back, uint8_t forward) {
  constexpr int32_t limit = kNotchesMax * kNotch;
  if (delta > limit || delta < -limit) {
    ++statistics_.clamped;
    delta = std::clamp(delta, -limit, limit);
  }
  // A turn of direction starts anew: what was left over of the other direction would eat the first notch.
  if ((delta > 0 && remainder < 0) || (delta < 0 && remainder > 0))
    remainder = 0;
  remainder += delta;
  for (; remainder >= kNotch || remainder <= -kNotch; remainder += remainder > 0 ? -kNotch : kNotch) {
    const uint8_t button = remainder > 0 ? forward : back;
    injector_.button(button, true);
    injector_.button(button, false);
    statistics_.events += 2;
  }
}

void InputPlayer::play(const ScrollInput& delta) {
  scroll(scroll_y_, delta.dy, 4, 5);
  scroll(scroll_x_, delta.dx, 6, 7);
}

void InputPlayer::release_all() {
  for (const auto& [id, keycode] : keys_)
    press(keycode, false);
  for (const uint8_t button : buttons_) {
    injector_.button(button, false);
    ++statistics_.events;
  }
  keys_.clear();
  buttons_.clear();
  scroll_x_ = scroll_y_ = motion_dx_ = motion_dy_ = 0;
  injector_.flush();
}

}  // namespace vitrine
