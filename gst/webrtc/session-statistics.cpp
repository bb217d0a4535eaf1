// SPDX-License-Identifier: LGPL-2.1-or-later
// Latency for /metrics, and /stats.json (docs/latency.md).
#include "webrtc/latency/latency-text.h"
#include "webrtc/session-server.h"

namespace vitrine {

std::string SessionServer::latency_lines() const {
  std::vector<MeteredViewer> meters;
  for (const auto& viewer : viewers_)
    meters.emplace_back(viewer->id(), &viewer->latency());
  return latency_metrics(meters);
}

std::string SessionServer::statistics_json() const {
  const auto count = [](uint64_t value) { return std::to_string(value); };
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  std::string out = "{\"viewers\":[";
  bool first = true;
  for (const auto& viewer : viewers_) {
    out += std::string(first ? "" : ",") + "{\"peer\":" + json_string(viewer->id()) + ",\"role\":\"" +
           to_string(viewer->request().identity.role) + "\",\"control\":" + flag(viewer->id() == control_.holder()) +
           ",\"input_records\":" + count(viewer->input_records()) + ",\"transports\":[";
    first = false;
    bool first_way = true;
    for (const auto& way : viewer->traffic()) {
      out += std::string(first_way ? "" : ",") + "{\"name\":" + json_string(way.name) + ",\"connected\":" + flag(way.connected) +
             ",\"bytes\":" + count(way.bytes) + ",\"frames\":" + count(way.video.frames) + ",\"frames_left_out\":" +
             count(way.video.dropped) + "}";
      first_way = false;
    }
    out += "],\"latency\":" + latency_json(viewer->latency()) + "}";
  }
  return out + "]}";
}

}  // namespace vitrine
