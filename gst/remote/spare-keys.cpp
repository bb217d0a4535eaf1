// SPDX-License-Identifier: LGPL-2.1-or-later
// Finding room, least recently used first.
#include "remote/spare-keys.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace vitrine {

std::optional<SpareKeys::Slot> SpareKeys::find(uint32_t keysym) {
  const auto found = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.keysym == keysym; });
  if (keysym == 0 || found == slots_.end())
    return std::nullopt;
  slots_.splice(slots_.end(), slots_, found);
  return slots_.back();
}

SpareKeys::List::iterator SpareKeys::pick(uint8_t levels_now, const KeycodeSet& held, const std::vector<const Slot*>& taken) {
  const auto usable = [&](const Slot& slot) {
    return !held[slot.keycode] && std::find(taken.begin(), taken.end(), &slot) == taken.end();
  };
  // Fewer modifiers to press or lift; of two the one that more programs know.
  const auto cost = [&](const Slot& slot) {
    return std::pair{std::popcount(static_cast<unsigned>(slot.levels ^ levels_now)), slot.levels};
  };
  auto best = slots_.end();
  for (auto slot = slots_.begin(); slot != slots_.end(); ++slot)
    if (slot->keysym == 0 && usable(*slot) && (best == slots_.end() || cost(*slot) < cost(*best)))
      best = slot;
  return best != slots_.end() ? best : std::find_if(slots_.begin(), slots_.end(), usable);
}

std::vector<SpareKeys::Slot> SpareKeys::claim(std::span<const uint32_t> keysyms, uint8_t levels_now, const KeycodeSet& held) {
  std::vector<Slot> result;
  std::vector<const Slot*> taken;
  for (const uint32_t keysym : keysyms)
    if (find(keysym))
      taken.push_back(&slots_.back());
  for (const uint32_t keysym : keysyms) {
    if (find(keysym))
      continue;
    const auto slot = pick(levels_now, held, taken);
    if (slot == slots_.end())
      break;
    slot->keysym = keysym;
    slots_.splice(slots_.end(), slots_, slot);
    taken.push_back(&slots_.back());
    result.push_back(slots_.back());
  }
  return result;
}

bool SpareKeys::has(uint8_t keycode) const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.keycode == keycode; });
}

std::vector<SpareKeys::Slot> SpareKeys::bound() const {
  std::vector<Slot> result;
  std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(result), [](const Slot& slot) { return slot.keysym != 0; });
  return result;
}

}  // namespace vitrine
