// SPDX-License-Identifier: LGPL-2.1-or-later
// How keysyms are typed on a keyboard layout: by its own keys with Shift and Level 3. Which keycodes it leaves unused.
#pragma once

#include <xkbcommon/xkbcommon.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "remote/spare-keys.h"

namespace vitrine {

struct XkbKeymapUnref {
  void operator()(xkb_keymap* keymap) const { xkb_keymap_unref(keymap); }
};
struct XkbStateUnref {
  void operator()(xkb_state* state) const { xkb_state_unref(state); }
};
using XkbKeymapPtr = std::unique_ptr<xkb_keymap, XkbKeymapUnref>;
using XkbStatePtr = std::unique_ptr<xkb_state, XkbStateUnref>;

/// The modifiers that choose what a key prints, as bits.
enum LevelBit : uint8_t { kLevelShift = 1, kLevelThree = 2 };
inline constexpr uint8_t kLevelCombinations = 4;

enum class Lock { caps, num };

/// How a keysym is typed: a key, and the level modifiers that must be down while it is pressed, no others.
struct KeyPlan {
  uint8_t keycode = 0;
  uint8_t levels = 0;
  bool operator==(const KeyPlan&) const = default;
};

/// Keysyms that stand for a character, the numeric pad's included; not function keys, modifiers and dead keys.
bool prints(uint32_t keysym);
/// True for the two names of one character: its own keysym and Unicode's.
bool same_keysym(uint32_t a, uint32_t b);

/// Pure: what the display has is told to it. Not thread-safe.
class Keymap {
 public:
  /// `ours`: what was bound before on the same display; what is still there stays in use. `spare_levels`: how many levels a spare
  /// keycode may have, 2 or 4.
  explicit Keymap(XkbKeymapPtr keymap, std::span<const SpareKeys::Slot> ours = {}, uint8_t spare_levels = kLevelCombinations);

  /// Real modifiers that are locked, and the effective group.
  void set_state(uint32_t locked_modifiers, uint32_t group);
  bool locked(Lock lock) const { return locked_ & lock_masks_[static_cast<size_t>(lock)]; }
  /// A key that switches the lock, 0 if there is none.
  uint8_t lock_keycode(Lock lock) const { return lock_keycodes_[static_cast<size_t>(lock)]; }

  /// Keysym that a key gives to X clients with these level modifiers, the locks and the group as they are; 0 if none.
  uint32_t keysym_of(uint8_t keycode, uint8_t levels) const;
  /// How a keysym is typed on the layout, with as few changes to the level modifiers that are down as possible.
  std::optional<KeyPlan> find(uint32_t keysym, uint8_t levels_now) const;

  /// Level modifiers that a key holds while it is down.
  uint8_t levels_of(uint8_t keycode) const { return level_bits_[keycode]; }
  /// A key that holds this level modifier and nothing else, 0 if there is none.
  uint8_t level_keycode(LevelBit bit) const { return level_keycodes_[bit == kLevelShift ? 0 : 1]; }
  bool is_modifier(uint8_t keycode) const { return modifiers_[keycode]; }
  /// True for keys that leave a lock or another group behind.
  bool is_lock(uint8_t keycode) const { return locks_[keycode]; }
  /// Control and Alt, which turn characters into commands.
  bool is_command(uint8_t keycode) const { return commands_[keycode]; }

  /// For characters that no key prints.
  SpareKeys& spares() { return spares_; }
  const SpareKeys& spares() const { return spares_; }

 private:
  struct Entry {
    uint8_t keycode;
    uint8_t combinations;  // bit n: with level modifiers n the key gives the keysym
  };

  void classify(uint8_t keycode);
  void find_spares(std::span<const SpareKeys::Slot> ours, uint8_t levels);
  std::vector<uint32_t> symbols_of(uint8_t keycode) const;
  const std::unordered_map<uint32_t, std::vector<Entry>>& index() const;
  uint32_t mask_for(uint8_t levels) const;

  XkbKeymapPtr keymap_;
  XkbStatePtr state_;
  uint32_t locked_ = 0, group_ = 0;
  std::array<uint8_t, 256> level_bits_{};
  std::array<uint8_t, 2> level_keycodes_{}, lock_keycodes_{};
  std::array<uint32_t, 2> level_masks_{}, lock_masks_{};
  KeycodeSet modifiers_, locks_, commands_;
  SpareKeys spares_;
  mutable std::unordered_map<uint32_t, std::vector<Entry>> index_;  // by canonical keysym; empty: to be made
};

}  // namespace vitrine
