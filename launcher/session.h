// SPDX-License-Identifier: LGPL-2.1-or-later
// A running session: X server, pipeline and command, watched until one of them ends.
#pragma once

#include "settings.h"

namespace vitrine {

/// Runs until a signal, an error, or the command's end; returns the exit status. One line on stderr says what went wrong.
int run_session(const Settings& settings);

/// Prints the launch line.
int print_pipeline(const Settings& settings);

}  // namespace vitrine
