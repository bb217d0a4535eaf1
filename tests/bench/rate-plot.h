// SPDX-License-Identifier: LGPL-2.1-or-later
// Plots of a case: rate, queue and latency over time, one line per control.
#pragma once

#include <string>
#include <vector>

#include "rate-sim.h"

namespace vitrine::bench {

/// An SVG with three charts, one below the other. `outcomes` are of one scenario.
std::string plot(const std::vector<Outcome>& outcomes);

}  // namespace vitrine::bench
