// SPDX-License-Identifier: LGPL-2.1-or-later
// vitrine doctor: tries what a session needs, and says what works, in a report without secrets.
#pragma once

#include "settings.h"

namespace vitrine {

enum class Verdict { good, warning, bad };

/// Prints the report on stdout. kExitOk if a session would work, else kExitFailure. `settings` with secrets read.
int run_doctor(Settings settings);

}  // namespace vitrine
