// SPDX-License-Identifier: LGPL-2.1-or-later
// vitrine turn-rest: hands out TURN credentials, as a service of its own beside a TURN server.
#pragma once

#include "settings.h"

namespace vitrine {

/// Runs until a signal ends it; returns the exit status.
int run_turn_rest(const Settings& settings);

}  // namespace vitrine
