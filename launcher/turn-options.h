// SPDX-License-Identifier: LGPL-2.1-or-later
// From options to the settings of STUN and TURN servers.
#pragma once

#include "settings.h"
#include "webrtc/turn/turn-settings.h"

namespace vitrine {

/// The servers that the options name themselves, with their credentials.
TurnSettings named_turn_servers(const Settings& settings);
/// All that a session learns of servers, also from a service or a file.
TurnSettings all_turn_servers(const Settings& settings);

}  // namespace vitrine
