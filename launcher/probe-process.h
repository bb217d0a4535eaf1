// SPDX-License-Identifier: LGPL-2.1-or-later
// A child of the probe: drivers crash and hang.
#pragma once

#include <glib.h>

#include <string>
#include <vector>

namespace vitrine {

/// What a child printed, or why there is nothing.
struct ProbeOutcome {
  std::string output, problem;
};

/// Runs a command until it ends, or ends it after `limit_us`. Needs the default main context for itself.
ProbeOutcome run_probe_process(const std::vector<std::string>& words, gint64 limit_us);

}  // namespace vitrine
