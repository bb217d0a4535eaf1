// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages about gamepads (docs/protocol.md, sections 5 and 7). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "remote/gamepad/pad-player.h"

namespace vitrine {

/// Who has control, from the server's `desktop/session`; empty: nobody. Nothing for other messages, and for what viewers say.
std::optional<std::string> holder_of_session(std::string_view text);

/// Tells all viewers that gamepads are taken.
std::string gamepads_message();

/// Tells one what its gamepad is to do.
std::string rumble_message(const std::string& viewer, const PadPlayer::Order& order);

}  // namespace vitrine
