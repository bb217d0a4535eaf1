// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparing layouts.
#include "remote/layout-match.h"

#include <xkbcommon/xkbcommon-keysyms.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t kNameMax = 32;
constexpr int kEvdevOffset = 8;

/// The more common one first where two print the same.
constexpr const char* kKnown[] = {
    "us", "de", "fr", "gb", "es", "it", "pt", "br", "latam", "be", "ch", "ch(fr)", "at", "nl", "dk", "no", "se", "fi", "is", "pl",
    "cz", "sk", "hu", "ro", "hr", "si", "rs(latin)", "ee", "lt", "lv", "tr", "ca", "jp", "us(dvorak)", "us(colemak)",
    "gb(dvorak)", "de(neo)", "fr(bepo)", "pl(dvorak)", "ru", "ua", "bg", "gr", "il", "rs",
};

bool is_name(std::string_view text, std::string_view also) {
  return !text.empty() && text.size() <= kNameMax && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || also.find(c) != also.npos;
  });
}

}  // namespace

std::optional<LayoutName> parse_layout_name(std::string_view text) {
  LayoutName name;
  const size_t open = text.find('(');
  name.layout = text.substr(0, open);
  if (open != text.npos) {
    if (text.back() != ')')
      return std::nullopt;
    name.variant = text.substr(open + 1, text.size() - open - 2);
  }
  constexpr std::string_view capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
  if (!is_name(name.layout, "_") || (open != text.npos && !is_name(name.variant, capitals)))
    return std::nullopt;
  return name;
}

XkbKeymapPtr keymap_by_name(const std::string& layout, const std::string& variant, const std::string& options) {
  const std::unique_ptr<xkb_context, decltype(&xkb_context_unref)> context(xkb_context_new(XKB_CONTEXT_NO_FLAGS),
                                                                           xkb_context_unref);
  if (!context)
    return nullptr;
  xkb_context_set_log_level(context.get(), XKB_LOG_LEVEL_CRITICAL);
  const xkb_rule_names names{"evdev", "pc105", layout.c_str(), variant.c_str(), options.c_str()};
  return XkbKeymapPtr(xkb_keymap_new_from_names(context.get(), &names, XKB_KEYMAP_COMPILE_NO_FLAGS));
}

size_t count_matches(const Keymap& keymap, const KeyTexts& keys) {
  return static_cast<size_t>(std::count_if(keys.begin(), keys.end(), [&](const auto& key) {
    return key.first + kEvdevOffset <= 255 &&
           xkb_keysym_to_utf32(keymap.keysym_of(static_cast<uint8_t>(key.first + kEvdevOffset), 0)) == key.second;
  }));
}

std::optional<LayoutName> match_layout(const KeyTexts& keys) {
  std::optional<LayoutName> best;
  // Dead keys, and what systems disagree about.
  size_t most = keys.size() * 8 / 10;
  for (const char* text : kKnown) {
    const auto name = parse_layout_name(text);
    auto keymap = keymap_by_name(name->layout, name->variant);
    if (!keymap)
      continue;
    if (const size_t matches = count_matches(Keymap(std::move(keymap)), keys); matches > most) {
      most = matches;
      best = name;
    }
  }
  return best;
}

bool has_latin(const LayoutName& name) {
  auto keymap = keymap_by_name(name.layout, name.variant);
  if (!keymap)
    return false;
  const Keymap keys(std::move(keymap));
  for (uint32_t letter = XKB_KEY_a; letter <= XKB_KEY_z; ++letter)
    if (!keys.find(letter, 0))
      return false;
  return true;
}

}  // namespace vitrine
