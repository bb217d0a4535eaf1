// SPDX-License-Identifier: LGPL-2.1-or-later
// Latency as text: what viewers are told of frames (docs/protocol.md, section 2), Prometheus and JSON. Pure.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "webrtc/latency/latency-meter.h"

namespace vitrine {

/// The array `frames` of the message of that name: all of one way. `base_us` is what capture times are counted from.
std::string frames_json(std::span<const LoggedFrame> frames, int64_t base_us);

/// A viewer's id and meter.
using MeteredViewer = std::pair<std::string, const LatencyMeter*>;

/// All lines of these viewers for /metrics.
std::string latency_metrics(const std::vector<MeteredViewer>& viewers);

/// One viewer's for /stats.json.
std::string latency_json(const LatencyMeter& meter);

}  // namespace vitrine
