// SPDX-License-Identifier: LGPL-2.1-or-later
// The last report, in $XDG_CACHE_HOME/vitrine/probe.json, readable by its owner alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu.h"
#include "probe-verdict.h"

namespace vitrine {

/// Of what a report depends on: versions, GPUs and their drivers, processor, files of encoders, and the profiles' texts. After gst_init().
std::string probe_key(const std::vector<Gpu>& gpus);

/// Names, sizes and times of the libraries below `root` by which pictures are encoded: drivers of VA-API and encoders in software.
std::string library_marks(const std::string& root);

/// Nothing if there is none with this key.
std::optional<ProbeReport> cached_report(const std::string& key);
/// False, with `error`, if it cannot be written.
bool keep_report(const ProbeReport& report, std::string& error);

}  // namespace vitrine
