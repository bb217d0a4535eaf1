// SPDX-License-Identifier: LGPL-2.1-or-later
// Keycodes that the layout leaves unused, and the characters that are bound to their levels while they are needed. Pure.
#pragma once

#include <bitset>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <vector>

namespace vitrine {

/// X keycodes are 8 to 255.
using KeycodeSet = std::bitset<256>;

/// Not thread-safe.
class SpareKeys {
 public:
  /// A keysym's place: a keycode, and the level modifiers (LevelBit) that must be down for it, no others.
  struct Slot {
    uint8_t keycode = 0;
    uint8_t levels = 0;
    uint32_t keysym = 0;  // 0: free
    bool operator==(const Slot&) const = default;
  };

  /// Adds a free or bound place; the one added first is the first to be used.
  void add(const Slot& slot) { slots_.push_back(slot); }

  /// Where a keysym is bound; from then on it counts as used just now.
  std::optional<Slot> find(uint32_t keysym);
  /// Finds places for as many of the keysyms as there is room for, beginning with the first. Free places come first, those with
  /// the level modifiers that are down now before others; then those used longest ago that are on no keycode in `held`. Returns
  /// the places that must be bound anew; keysyms that are bound already keep theirs.
  std::vector<Slot> claim(std::span<const uint32_t> keysyms, uint8_t levels_now, const KeycodeSet& held);

  bool has(uint8_t keycode) const;
  /// All places with a keysym, least recently used first.
  std::vector<Slot> bound() const;
  std::vector<Slot> all() const { return {slots_.begin(), slots_.end()}; }
  size_t size() const { return slots_.size(); }

 private:
  using List = std::list<Slot>;
  List::iterator pick(uint8_t levels_now, const KeycodeSet& held, const std::vector<const Slot*>& taken);

  List slots_;  // least recently used first
};

}  // namespace vitrine
