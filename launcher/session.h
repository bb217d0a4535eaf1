// SPDX-License-Identifier: LGPL-2.1-or-later
// A running session: X server, pipeline and command, watched until one of them ends.
#pragma once

#include <string>

#include "settings.h"

namespace vitrine {

enum ExitStatus : int { kExitOk = 0, kExitFailure = 1, kExitUsage = 2, kExitDisplay = 3, kExitPort = 4, kExitMissing = 5 };

/// Runs until a signal, an error, or the command's end; returns the exit status. Prints one line to stderr when something is wrong.
int run_session(const Settings& settings);

/// Prints the launch line.
int print_pipeline(const Settings& settings);

}  // namespace vitrine
