// SPDX-License-Identifier: LGPL-2.1-or-later
// `vitrine health` and `vitrine setting`: for health checks and scripts beside a session. Neither needs GStreamer.
#pragma once

#include <string>

#include "settings.h"

namespace vitrine {

/// Asks the session with these settings for /health. Returns the exit status: 0 if it answers well, else 1.
int run_health(const Settings& settings);

/// Prints what this option is, an empty line if it has no value. Refuses secrets.
int print_setting(const Settings& settings, const std::string& name);

/// Where a session that listens on `listen` is reached from its own machine.
std::string own_address(const std::string& listen);

}  // namespace vitrine
