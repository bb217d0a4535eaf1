// SPDX-License-Identifier: LGPL-2.1-or-later
// Looking up keysyms. What a key gives is asked of libxkbcommon, which knows what clients will make of it, Caps Lock included.
#include "remote/keymap.h"

#include <xkbcommon/xkbcommon-keysyms.h>

#include <algorithm>
#include <bit>

namespace vitrine {
namespace {

constexpr uint32_t kUnicodeKeysym = 0x01000000;
constexpr uint32_t kLastMainBlockKeycode = 96;  // F12; beyond it are the pad, cursor and media keys

/// One name for a character that has two.
uint32_t canonical(uint32_t keysym) {
  if (keysym >= 0xfe00 && keysym < kUnicodeKeysym)
    return keysym;
  const uint32_t character = xkb_keysym_to_utf32(keysym);
  return character >= 0x20 ? kUnicodeKeysym + character : keysym;
}

/// What an earlier run left when it was killed: characters alone, some of them such as no layout has beyond its typing keys.
bool is_leftover(uint8_t keycode, std::span<const uint32_t> symbols) {
  const auto unicode = [](uint32_t symbol) { return symbol >= kUnicodeKeysym + 0x100 && symbol <= kUnicodeKeysym + 0x10ffff; };
  return keycode > kLastMainBlockKeycode && std::any_of(symbols.begin(), symbols.end(), unicode) &&
         std::all_of(symbols.begin(), symbols.end(), [](uint32_t symbol) { return symbol == XKB_KEY_NoSymbol || prints(symbol); });
}

}  // namespace

bool prints(uint32_t keysym) {
  if (keysym >= kUnicodeKeysym + 0xd800 && keysym <= kUnicodeKeysym + 0xdfff)  // surrogates
    return false;
  return (keysym >= 0x20 && keysym < 0xfd00) || (keysym >= XKB_KEY_KP_Multiply && keysym <= XKB_KEY_KP_9) ||
         keysym == XKB_KEY_KP_Equal || (keysym >= kUnicodeKeysym + 0x20 && keysym <= kUnicodeKeysym + 0x10ffff);
}

bool same_keysym(uint32_t a, uint32_t b) { return canonical(a) == canonical(b); }

Keymap::Keymap(XkbKeymapPtr keymap, std::span<const SpareKeys::Slot> ours, uint8_t spare_levels)
    : keymap_(std::move(keymap)), state_(xkb_state_new(keymap_.get())) {
  const auto mask = [this](const char* name) -> uint32_t {
    const xkb_mod_index_t index = xkb_keymap_mod_get_index(keymap_.get(), name);
    return index == XKB_MOD_INVALID ? 0 : uint32_t{1} << index;
  };
  level_masks_[0] = mask(XKB_MOD_NAME_SHIFT);
  lock_masks_[static_cast<size_t>(Lock::caps)] = mask(XKB_MOD_NAME_CAPS);
  for (int keycode = 8; keycode <= 255; ++keycode)
    classify(static_cast<uint8_t>(keycode));
  find_spares(ours, level_keycodes_[1] ? spare_levels : std::min<uint8_t>(spare_levels, 2));
}

/// Presses and releases the key on a keyboard of its own, and looks at what changes.
void Keymap::classify(uint8_t keycode) {
  XkbStatePtr state(xkb_state_new(keymap_.get()));
  const uint32_t keysym = xkb_state_key_get_one_sym(state.get(), keycode);
  const auto changes = xkb_state_update_key(state.get(), keycode, XKB_KEY_DOWN);
  const uint32_t depressed = xkb_state_serialize_mods(state.get(), XKB_STATE_MODS_DEPRESSED);
  xkb_state_update_key(state.get(), keycode, XKB_KEY_UP);
  const uint32_t locked = xkb_state_serialize_mods(state.get(), XKB_STATE_MODS_LOCKED);
  modifiers_[keycode] = changes != 0;
  locks_[keycode] = locked != 0 || xkb_state_serialize_layout(state.get(), XKB_STATE_LAYOUT_LOCKED) != 0;
  commands_[keycode] = keysym == XKB_KEY_Control_L || keysym == XKB_KEY_Control_R || keysym == XKB_KEY_Alt_L ||
                       keysym == XKB_KEY_Alt_R;
  const bool pure = depressed != 0 && locked == 0;
  if (pure && depressed == level_masks_[0]) {
    level_bits_[keycode] = kLevelShift;
    if (!level_keycodes_[0])
      level_keycodes_[0] = keycode;
  } else if (pure && keysym == XKB_KEY_ISO_Level3_Shift) {
    level_bits_[keycode] = kLevelThree;
    level_masks_[1] = depressed;
    if (!level_keycodes_[1])
      level_keycodes_[1] = keycode;
  }
  if (locked && keysym == XKB_KEY_Num_Lock)
    lock_masks_[static_cast<size_t>(Lock::num)] = locked;
  for (const Lock lock : {Lock::caps, Lock::num})
    if (locked && locked == lock_masks_[static_cast<size_t>(lock)] && !lock_keycodes_[static_cast<size_t>(lock)])
      lock_keycodes_[static_cast<size_t>(lock)] = keycode;
}

/// All that a key can give; without trailing empty levels.
std::vector<uint32_t> Keymap::symbols_of(uint8_t keycode) const {
  std::vector<uint32_t> symbols;
  for (xkb_layout_index_t layout = 0; layout < xkb_keymap_num_layouts_for_key(keymap_.get(), keycode); ++layout)
    for (xkb_level_index_t level = 0; level < xkb_keymap_num_levels_for_key(keymap_.get(), keycode, layout); ++level) {
      const xkb_keysym_t* found;
      const int count = xkb_keymap_key_get_syms_by_level(keymap_.get(), keycode, layout, level, &found);
      symbols.push_back(count > 0 ? found[0] : XKB_KEY_NoSymbol);
    }
  while (!symbols.empty() && symbols.back() == XKB_KEY_NoSymbol)
    symbols.pop_back();
  return symbols;
}

void Keymap::find_spares(std::span<const SpareKeys::Slot> ours, uint8_t levels) {
  std::vector<SpareKeys::Slot> bound;
  for (xkb_keycode_t code = std::min<xkb_keycode_t>(xkb_keymap_max_keycode(keymap_.get()), 255);
       code >= std::max<xkb_keycode_t>(xkb_keymap_min_keycode(keymap_.get()), 8); --code) {
    const auto keycode = static_cast<uint8_t>(code);
    const auto symbols = symbols_of(keycode);
    const auto still = [&](const SpareKeys::Slot& slot) {
      return slot.keycode == keycode && slot.levels < symbols.size() && slot.keysym == symbols[slot.levels];
    };
    if (modifiers_[keycode] || !(symbols.empty() || std::any_of(ours.begin(), ours.end(), still) || is_leftover(keycode, symbols)))
      continue;
    for (uint8_t level = 0; level < levels; ++level)
      if (const uint32_t keysym = level < symbols.size() ? symbols[level] : 0; keysym != XKB_KEY_NoSymbol)
        bound.push_back({keycode, level, keysym});
      else
        spares_.add({keycode, level, 0});
  }
  // What somebody else left was used longest ago, then in the order of `ours`.
  const auto age = [&](const SpareKeys::Slot& slot) {
    const auto found = std::find(ours.begin(), ours.end(), slot);
    return found == ours.end() ? -1 : found - ours.begin();
  };
  std::stable_sort(bound.begin(), bound.end(), [&](const auto& a, const auto& b) { return age(a) < age(b); });
  for (const auto& slot : bound)
    spares_.add(slot);
}

void Keymap::set_state(uint32_t locked_modifiers, uint32_t group) {
  if (locked_modifiers == locked_ && group == group_)
    return;
  locked_ = locked_modifiers;
  group_ = group;
  index_.clear();
}

uint32_t Keymap::mask_for(uint8_t levels) const {
  return (levels & kLevelShift ? level_masks_[0] : 0) | (levels & kLevelThree ? level_masks_[1] : 0);
}

uint32_t Keymap::keysym_of(uint8_t keycode, uint8_t levels) const {
  xkb_state_update_mask(state_.get(), mask_for(levels), 0, locked_, 0, 0, group_);
  return xkb_state_key_get_one_sym(state_.get(), keycode);
}

const std::unordered_map<uint32_t, std::vector<Keymap::Entry>>& Keymap::index() const {
  if (!index_.empty())
    return index_;
  for (uint8_t levels = 0; levels < kLevelCombinations; ++levels) {
    if ((levels & kLevelShift && !level_keycodes_[0]) || (levels & kLevelThree && !level_keycodes_[1]))
      continue;
    for (int keycode = 8; keycode <= 255; ++keycode) {
      if (spares_.has(static_cast<uint8_t>(keycode)))
        continue;
      const uint32_t keysym = keysym_of(static_cast<uint8_t>(keycode), levels);
      if (keysym == XKB_KEY_NoSymbol)
        continue;
      auto& entries = index_[canonical(keysym)];
      if (entries.empty() || entries.back().keycode != keycode) {
        const auto found =
            std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.keycode == keycode; });
        if (found != entries.end()) {
          found->combinations |= static_cast<uint8_t>(1u << levels);
          continue;
        }
        entries.push_back({static_cast<uint8_t>(keycode), 0});
      }
      entries.back().combinations |= static_cast<uint8_t>(1u << levels);
    }
  }
  return index_;
}

std::optional<KeyPlan> Keymap::find(uint32_t keysym, uint8_t levels_now) const {
  const auto found = index().find(canonical(keysym));
  if (keysym == XKB_KEY_NoSymbol || found == index().end())
    return std::nullopt;
  std::optional<KeyPlan> best;
  int best_cost = 0;
  for (const Entry& entry : found->second)
    for (uint8_t levels = 0; levels < kLevelCombinations; ++levels) {
      if (!(entry.combinations & (1u << levels)))
        continue;
      // The keys that people type with come first: some programs know no others.
      const int cost = std::popcount(static_cast<unsigned>(levels ^ levels_now)) +
                       (entry.keycode > kLastMainBlockKeycode ? 2 * kLevelCombinations : 0);
      if (best && cost >= best_cost)
        continue;
      best = KeyPlan{entry.keycode, levels};
      best_cost = cost;
    }
  return best;
}

}  // namespace vitrine
