// SPDX-License-Identifier: LGPL-2.1-or-later
// `vitrine signalling`: a signalling server for desktops that nobody can reach, without a desktop of its own.
#pragma once

#include "settings.h"

namespace vitrine {

/// Runs until a signal ends it; the exit status.
int run_signalling(const Settings& settings);

}  // namespace vitrine
