// SPDX-License-Identifier: LGPL-2.1-or-later
// The made-up display.
#include "remote/injector-fake.h"

#include <algorithm>
#include <utility>

namespace vitrine {

FakeInjector::FakeInjector(const std::string& layout, const std::string& variant, const std::string& options) {
  auto keymap = keymap_by_name(layout, variant, options);
  server_.reset(xkb_state_new(keymap.get()));
  keymap_ = std::make_unique<Keymap>(std::move(keymap));
}

uint32_t FakeInjector::keysym_now(uint8_t keycode) const {
  const auto bound = bound_.find(keycode);
  if (bound == bound_.end())
    return xkb_state_key_get_one_sym(server_.get(), keycode);
  const auto active = [this](const char* name) {
    return xkb_state_mod_name_is_active(server_.get(), name, XKB_STATE_MODS_EFFECTIVE) > 0;
  };
  const size_t level = (active(XKB_MOD_NAME_SHIFT) ? kLevelShift : 0) | (active("LevelThree") || active("Mod5") ? kLevelThree : 0);
  const uint32_t keysym = bound->second[level];
  // What clients make of a key whose type leaves Caps Lock to them.
  return caps_lock() ? xkb_keysym_to_upper(keysym) : keysym;
}

void FakeInjector::key(uint8_t keycode, bool down) {
  log_ += (down ? '+' : '-') + std::to_string(keycode) + ' ';
  keys_[keycode] = down;
  if (down && !keymap_->is_modifier(keycode)) {
    keysyms_.push_back(keysym_now(keycode));
    char utf8[8];
    if (xkb_keysym_to_utf8(keysyms_.back(), utf8, sizeof utf8) > 0)
      text_ += utf8;
  }
  xkb_state_update_key(server_.get(), keycode, down ? XKB_KEY_DOWN : XKB_KEY_UP);
}

void FakeInjector::button(uint8_t button, bool down) {
  log_ += (down ? 'B' : 'b') + std::to_string(button) + ' ';
  buttons_[button] = down;
}

void FakeInjector::move_to(int x, int y) { log_ += '@' + std::to_string(x) + ',' + std::to_string(y) + ' '; }
void FakeInjector::move_by(int dx, int dy) { log_ += '~' + std::to_string(dx) + ',' + std::to_string(dy) + ' '; }

void FakeInjector::bind(std::span<const SpareKeys::Slot> slots) {
  log_ += '=';
  for (const auto& slot : slots) {
    log_ += (log_.back() == '=' ? "" : ",") + std::to_string(slot.keycode) + '/' + std::to_string(slot.levels) + ':' +
            std::to_string(slot.keysym);
    bound_[slot.keycode][slot.levels] = slot.keysym;
  }
  log_ += ' ';
}

void FakeInjector::settle() {
  keymap_->set_state(locked(), xkb_state_serialize_layout(server_.get(), XKB_STATE_LAYOUT_EFFECTIVE));
}

std::string FakeInjector::take_log() { return std::exchange(log_, ""); }
std::string FakeInjector::take_text() { return std::exchange(text_, ""); }

bool FakeInjector::anything_down() const {
  const auto held = [](const auto& entry) { return entry.second; };
  return std::any_of(keys_.begin(), keys_.end(), held) || std::any_of(buttons_.begin(), buttons_.end(), held);
}

}  // namespace vitrine
