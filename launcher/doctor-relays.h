// SPDX-License-Identifier: LGPL-2.1-or-later
// What vitrine doctor finds out about TURN servers.
#pragma once

#include <string>
#include <vector>

#include "doctor.h"

namespace vitrine {

struct RelayReport {
  struct Finding {
    Verdict verdict;
    std::string text;
  };
  std::vector<Finding> findings;  // empty: no server is configured, and none was asked
  bool session_starts = true;     // whether a session takes these settings at all
};

/// Really asks for relays; takes ten seconds at most. `settings` with secrets read, of which the report has none.
RelayReport report_relays(const Settings& settings);

}  // namespace vitrine
