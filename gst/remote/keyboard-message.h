// SPDX-License-Identifier: LGPL-2.1-or-later
// The message desktop/keyboard (docs/protocol.md, section 5): what a viewer says of its keyboard's layout. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "remote/layout-match.h"

namespace vitrine {

struct KeyboardMessage {
  std::optional<LayoutName> layout;  // the user's choice
  KeyTexts keys;                     // what the browser knows, if there is no choice
};

enum class MessageKind { not_ours, ours, malformed };

/// Reads a message on the control stream. `message` is filled for `ours`; `malformed` is one of our type with a wrong member, or no
/// JSON object in UTF-8 at all.
MessageKind parse_keyboard_message(std::string_view text, KeyboardMessage& message);

}  // namespace vitrine
