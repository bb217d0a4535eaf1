// SPDX-License-Identifier: LGPL-2.1-or-later
// Playing input.
#include "remote/input-player.h"

#include <xkbcommon/xkbcommon-keysyms.h>

#include <algorithm>
#include <limits>

namespace vitrine {
namespace {

constexpr int kEvdevOffset = 8;  // X keycodes are evdev codes plus this
constexpr int kNotch = 120;

uint64_t identity(const KeyInput& key) { return key.code ? key.code : uint64_t{1} << 32 | key.keysym; }

uint8_t scancode_of(const KeyInput& key) {
  return key.code > 0 && key.code + kEvdevOffset <= 255 ? static_cast<uint8_t>(key.code + kEvdevOffset) : uint8_t{0};
}

/// Characters, function keys and what vendors named; not numbers that no table has.
bool is_known(uint32_t keysym) {
  return prints(keysym) || (keysym >= 0xfd00 && keysym <= 0xffff) || (keysym >= 0x10080000 && keysym <= 0x1008ffff);
}

/// A command for the program rather than text. AltGr comes as Control and Alt from some keyboards, and is neither.
bool is_command(const KeyInput& key) {
  return !(key.modifiers & kModifierAltGr) && key.modifiers & (kModifierControl | kModifierAlt | kModifierMeta);
}

}  // namespace

void InputPlayer::play(std::span<const InputRecord> records) {
  ahead_ = records;
  for (const auto& record : records) {
    ahead_ = ahead_.subspan(1);
    ++statistics_.records;
    if (!std::holds_alternative<MotionInput>(record.body))
      settle_motion();
    std::visit([this](const auto& body) { play(body); }, record.body);
  }
  ahead_ = {};
  settle_motion();
  injector_.flush();
}

KeyMode InputPlayer::mode_of(const KeyInput& key) const {
  switch (key.meaning) {
    case KeyMeaning::position:
      return KeyMode::scancode;
    case KeyMeaning::text:
      return KeyMode::keysym;
    case KeyMeaning::automatic:
      break;
  }
  return mode_;
}

void InputPlayer::inject(uint8_t keycode, bool down) {
  injector_.key(keycode, down);
  ++statistics_.events;
}

uint8_t InputPlayer::levels_down() {
  uint8_t levels = 0;
  for (const auto& [id, keycode] : keys_)
    levels |= injector_.keymap().levels_of(keycode);
  return levels;
}

void InputPlayer::follow_lock(Lock lock, bool wanted) {
  const uint8_t keycode = injector_.keymap().lock_keycode(lock);
  if (!keycode || down_[keycode] || injector_.keymap().locked(lock) == wanted)
    return;
  inject(keycode, true);
  inject(keycode, false);
  injector_.settle();
}

/// True for characters that no key of the layout prints, whatever modifiers are down.
bool InputPlayer::wants_spare(const KeyInput& key) const {
  return key.down && prints(key.keysym) && !is_command(key) && (mode_of(key) != KeyMode::scancode || !scancode_of(key)) &&
         !injector_.keymap().find(key.keysym, 0);
}

std::optional<KeyPlan> InputPlayer::plan_on_spare(uint32_t keysym) {
  if (!is_known(keysym))
    return std::nullopt;
  // Clients of a spare keycode see Caps Lock's capital in place of a small letter.
  if (xkb_keysym_to_upper(keysym) != keysym)
    follow_lock(Lock::caps, false);
  SpareKeys& spares = injector_.keymap().spares();
  if (!spares.find(keysym)) {
    // With all that the batch still needs: programs read a changed keymap once, and before the first of these keys.
    std::vector<uint32_t> needed{keysym};
    for (const auto& record : ahead_)
      if (const auto* key = std::get_if<KeyInput>(&record.body); key && wants_spare(*key))
        needed.push_back(key->keysym);
    const auto slots = spares.claim(needed, levels_down(), down_);
    if (!slots.empty())
      injector_.bind(slots);
  }
  const auto slot = spares.find(keysym);
  return slot ? std::optional<KeyPlan>({slot->keycode, slot->levels}) : std::nullopt;
}

std::optional<KeyPlan> InputPlayer::plan_for(const KeyInput& key) {
  const Keymap& keymap = injector_.keymap();
  const KeyMode mode = mode_of(key);
  const uint8_t scancode = scancode_of(key);
  const uint8_t levels = levels_down();
  const auto by_scancode = scancode ? std::optional<KeyPlan>({scancode, levels}) : std::nullopt;
  if (by_scancode && (mode == KeyMode::scancode || !key.keysym))
    return by_scancode;
  if (mode == KeyMode::automatic && by_scancode) {
    // AltGr has to be AltGr even where the key at its place is a second Alt, or its characters would be commands.
    if (!prints(key.keysym) && key.keysym != XKB_KEY_ISO_Level3_Shift)
      return by_scancode;
    if (same_keysym(keymap.keysym_of(scancode, levels), key.keysym))
      return by_scancode;
  }
  if (!key.keysym)
    return std::nullopt;
  if (const auto plan = keymap.find(key.keysym, levels))
    return plan;
  // A command in another script is meant by its position.
  if (by_scancode && (is_command(key) || !prints(key.keysym)))
    return by_scancode;
  const auto plan = plan_on_spare(key.keysym);
  return plan ? plan : by_scancode;
}

void InputPlayer::press(const KeyPlan& plan, const KeyInput& key) {
  const Keymap& keymap = injector_.keymap();
  const uint8_t changes = plan.levels ^ levels_down();
  const bool altgr_text = key.modifiers & kModifierAltGr && prints(key.keysym);
  std::vector<uint8_t> lifted, added;
  for (size_t keycode = 8; keycode < down_.size(); ++keycode) {
    const auto code = static_cast<uint8_t>(keycode);
    const bool fake_command =
        altgr_text && keymap.is_command(code) && !(key.modifiers & (kModifierControl | kModifierAlt));
    if (down_[code] && (keymap.levels_of(code) & changes || fake_command))
      lifted.push_back(code);
  }
  for (const LevelBit bit : {kLevelShift, kLevelThree})
    if (changes & plan.levels & bit)
      added.push_back(keymap.level_keycode(bit));
  for (const uint8_t keycode : lifted)
    inject(keycode, false);
  for (const uint8_t keycode : added)
    inject(keycode, true);
  inject(plan.keycode, true);
  for (const uint8_t keycode : added)
    inject(keycode, false);
  for (const uint8_t keycode : lifted)
    inject(keycode, true);
}

/// As the X server repeats: a release and a press. Modifiers do not repeat, and a lock would switch.
void InputPlayer::repeat(uint8_t keycode, const KeyInput& key) {
  Keymap& keymap = injector_.keymap();
  if ((key.repeat && !follow_repeats_) || keymap.is_modifier(keycode))
    return;
  inject(keycode, false);
  // The character that it was pressed for may need another level than what is down.
  KeyPlan plan{keycode, levels_down()};
  if (mode_of(key) != KeyMode::scancode && prints(key.keysym)) {
    if (const auto found = keymap.find(key.keysym, plan.levels); found && found->keycode == keycode)
      plan = *found;
    else if (const auto slot = keymap.spares().find(key.keysym); slot && slot->keycode == keycode)
      plan.levels = slot->levels;
  }
  press(plan, key);
}

void InputPlayer::play(const KeyInput& key) {
  const uint64_t id = identity(key);
  const auto held = keys_.find(id);
  if (!key.down) {
    if (held == keys_.end())
      return;
    const uint8_t keycode = held->second;
    keys_.erase(held);
    if (std::none_of(keys_.begin(), keys_.end(), [&](const auto& other) { return other.second == keycode; })) {
      down_.reset(keycode);
      inject(keycode, false);
      if (injector_.keymap().is_lock(keycode))
        injector_.settle();
    }
    return;
  }
  if (held != keys_.end()) {
    repeat(held->second, key);
    return;
  }
  const uint8_t scancode = scancode_of(key);
  if (key.keysym != XKB_KEY_Caps_Lock && key.keysym != XKB_KEY_Num_Lock &&
      !(scancode && injector_.keymap().is_lock(scancode))) {
    follow_lock(Lock::caps, key.modifiers & kModifierCapsLock);
    follow_lock(Lock::num, key.modifiers & kModifierNumLock);
  }
  const auto plan = plan_for(key);
  if (!plan) {
    ++statistics_.unknown_keys;
    return;
  }
  if (down_[plan->keycode])
    inject(plan->keycode, false);
  press(*plan, key);
  keys_[id] = plan->keycode;
  down_.set(plan->keycode);
  if (injector_.keymap().is_lock(plan->keycode))
    injector_.settle();
}

void InputPlayer::settle_motion() {
  if (motion_dx_ == 0 && motion_dy_ == 0)
    return;
  // The wire to the X server has 16 bits for each.
  using Step = std::numeric_limits<int16_t>;
  injector_.move_by(std::clamp<int>(motion_dx_, Step::min(), Step::max()),
                    std::clamp<int>(motion_dy_, Step::min(), Step::max()));
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
  if (button.button > injector_.buttons()) {
    ++statistics_.clamped;
    return;
  }
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
  bool locks = false;
  for (size_t keycode = 8; keycode < down_.size(); ++keycode)
    if (down_[keycode]) {
      inject(static_cast<uint8_t>(keycode), false);
      locks = locks || injector_.keymap().is_lock(static_cast<uint8_t>(keycode));
    }
  for (const uint8_t button : buttons_) {
    injector_.button(button, false);
    ++statistics_.events;
  }
  keys_.clear();
  down_.reset();
  buttons_.clear();
  scroll_x_ = scroll_y_ = motion_dx_ = motion_dy_ = 0;
  locks ? injector_.settle() : injector_.flush();
}

}  // namespace vitrine
