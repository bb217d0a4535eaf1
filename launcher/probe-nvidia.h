// SPDX-License-Identifier: LGPL-2.1-or-later
// What NVENC and the capture into CUDA memory can do on an NVIDIA GPU, for `vitrine probe`.
#pragma once

#include <string>
#include <vector>

#include "settings.h"

namespace vitrine {

/// What the child does, `vitrine probe-nvidia NUMBER`: asks nvstreamenc, tries ximagesrc-cuda on $DISPLAY or else a private
/// X server, prints one JSON object: `nvenc` with `gpu`, `driver-api`, `sessions`, `free-capacity`, `codecs`, or `error`;
/// `capture` with `mode`, or `error`.
int run_probe_nvidia_child(const Settings& settings, const std::string& number);

/// Lines for people out of what the child printed. Pure.
std::vector<std::string> nvidia_lines(const std::string& json);
/// Runs the child for GPU number `number` and tells its lines.
std::vector<std::string> probe_nvidia(int number);

}  // namespace vitrine
