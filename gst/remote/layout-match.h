// SPDX-License-Identifier: LGPL-2.1-or-later
// Keyboard layouts by name, and which one a viewer's keyboard has by what its keys print. Pure, but for reading xkeyboard-config's files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "remote/keymap.h"

namespace vitrine {

/// A layout of xkeyboard-config.
struct LayoutName {
  std::string layout, variant;
  bool operator==(const LayoutName&) const = default;
};

/// "de" or "us(dvorak)". Nothing for what can be no name of a layout.
std::optional<LayoutName> parse_layout_name(std::string_view text);

/// The keymap of a layout as the rules "evdev" have it. Null when there is no such layout.
XkbKeymapPtr keymap_by_name(const std::string& layout, const std::string& variant = "", const std::string& options = "");

/// What keys print alone: evdev code to character.
using KeyTexts = std::map<uint16_t, char32_t>;

/// The best known layout for what a viewer's keys print; nothing if all differ in too many. Reads some forty layouts, which takes a
/// tenth of a second or more.
std::optional<LayoutName> match_layout(const KeyTexts& keys);
/// How many of the keys print that on a keymap.
size_t count_matches(const Keymap& keymap, const KeyTexts& keys);
/// Whether a layout has keys for a to z, which shortcuts need.
bool has_latin(const LayoutName& name);

}  // namespace vitrine
