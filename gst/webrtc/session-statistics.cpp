// SPDX-License-Identifier: LGPL-2.1-or-later
// /metrics, and /stats.json (docs/latency.md).
#include <algorithm>
#include <utility>

#include "webrtc/latency/latency-text.h"
#include "webrtc/session-server.h"

namespace vitrine {

ServerStatistics SessionServer::statistics() {
  auto result = std::make_shared<ServerStatistics>();
  post(
      [this, result] {
        result->viewers = viewers_.size();
        for (const auto& viewer : viewers_) {
          result->input_records += viewer->input_records();
          const auto traffic = viewer->traffic();
          result->connected += std::any_of(traffic.begin(), traffic.end(), [](const auto& way) { return way.connected; });
          for (const auto& way : traffic) {
            result->frames_sent += way.video.frames;
            result->frames_dropped += way.video.dropped;
            result->bytes_sent += way.bytes;
          }
        }
      },
      true);
  return *result;
}

std::string SessionServer::metrics() {
  std::string out;
  const auto line = [&out](const char* name, const std::string& labels, double value) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    out += std::string(name) + labels + " " + g_ascii_dtostr(text, sizeof text, value) + "\n";
  };
  const auto head = [&out](const char* name, const char* type, const char* help) {
    out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  };
  head("vitrine_viewers", "gauge", "Viewers with an open session.");
  line("vitrine_viewers", "", static_cast<double>(viewers_.size()));
  head("vitrine_viewers_total", "counter", "Sessions since the start.");
  line("vitrine_viewers_total", "", static_cast<double>(viewers_total_));
  size_t index = 0;
  head("vitrine_stream_frames_total", "counter", "Access units that came from the encoder.");
  for (const auto& fanout : host_.media())
    line("vitrine_stream_frames_total", "{stream=\"" + std::to_string(index++) + "\"}", static_cast<double>(fanout->frames()));
  index = 0;
  head("vitrine_keyframe_requests_total", "counter", "Keyframes asked from the encoder.");
  for (const auto& fanout : host_.media())
    line("vitrine_keyframe_requests_total", "{stream=\"" + std::to_string(index++) + "\"}",
         static_cast<double>(fanout->keyframes_requested()));

  struct Metric {
    const char* name;
    const char* type;
    const char* help;
    double (*value)(const Traffic&);
  };
  static constexpr Metric metrics[] = {
      {"vitrine_viewer_sent_bytes_total", "counter", "Bytes sent by the media transport.",
       [](const Traffic& way) { return static_cast<double>(way.bytes); }},
      {"vitrine_viewer_sent_packets_total", "counter", "Packets sent by the media transport; by WebSocket, frames.",
       [](const Traffic& way) { return static_cast<double>(way.packets); }},
      {"vitrine_viewer_dropped_packets_total", "counter", "Packets that the socket would not take.",
       [](const Traffic& way) { return static_cast<double>(way.packets_dropped); }},
      {"vitrine_viewer_frames_total", "counter", "Video frames passed on to the viewer.",
       [](const Traffic& way) { return static_cast<double>(way.video.frames); }},
      {"vitrine_viewer_dropped_frames_total", "counter", "Video frames left out because the viewer was too slow.",
       [](const Traffic& way) { return static_cast<double>(way.video.dropped); }},
      {"vitrine_viewer_unacknowledged_bytes", "gauge", "Bytes of frames on their way by WebSocket.",
       [](const Traffic& way) { return static_cast<double>(way.unacknowledged_bytes); }},
  };
  for (const auto& metric : metrics) {
    head(metric.name, metric.type, metric.help);
    for (const auto& viewer : viewers_)
      for (const auto& way : viewer->traffic())
        line(metric.name, "{viewer=\"" + viewer->id() + "\",transport=\"" + way.name + "\"}", metric.value(way));
  }
  head("vitrine_viewer_input_records_total", "counter", "Input records taken.");
  for (const auto& viewer : viewers_)
    line("vitrine_viewer_input_records_total", "{viewer=\"" + viewer->id() + "\"}", static_cast<double>(viewer->input_records()));
  struct RateMetric {
    const char* name;
    const char* help;
    double (*value)(const RateFacts&);
  };
  static constexpr RateMetric rate_metrics[] = {
      {"vitrine_viewer_rate_bits", "What the viewer's path carries, estimated, bits per second.", [](const RateFacts& f) { return f.target_bps; }},
      {"vitrine_viewer_queue_seconds", "Queue that stands on the way to the viewer.", [](const RateFacts& f) { return static_cast<double>(f.queue_us) / 1e6; }},
      {"vitrine_viewer_rtt_seconds", "Round trip of the newest packet, the feedback's interval included.",
       [](const RateFacts& f) { return static_cast<double>(f.rtt_us) / 1e6; }},
      {"vitrine_viewer_loss_ratio", "Packets lost, of the last second's.", [](const RateFacts& f) { return f.loss; }},
  };
  for (const auto& metric : rate_metrics) {
    head(metric.name, "gauge", metric.help);
    for (const auto& viewer : viewers_)
      if (const auto rate = viewer->rate())
        line(metric.name, "{viewer=\"" + viewer->id() + "\"}", metric.value(rate->facts()));
  }
  head("vitrine_viewer_feedback_refused_total", "counter", "Transport-wide feedback, or parts of it, that was not believed, by reason.");
  for (const auto& viewer : viewers_)
    if (viewer->peer()) {
      const FeedbackStatistics feedback = viewer->peer()->rate()->feedback();
      for (const auto& [reason, count] : {std::pair{"malformed", feedback.malformed}, {"unknown", feedback.unknown}, {"replayed", feedback.replayed}, {"absurd", feedback.absurd}})
        line("vitrine_viewer_feedback_refused_total", "{viewer=\"" + viewer->id() + "\",reason=\"" + reason + "\"}", static_cast<double>(count));
    }
  index = 0;
  head("vitrine_stream_pictures_left_out_total", "counter", "Pictures that were not encoded because the viewers' paths were full.");
  for (const auto& fanout : host_.media())
    line("vitrine_stream_pictures_left_out_total", "{stream=\"" + std::to_string(index++) + "\"}", static_cast<double>(rates_.left_out(*fanout)));
  head("vitrine_viewer_hold_seconds", "summary", "Time from the payloader to the socket, per video frame.");
  for (const auto& viewer : viewers_) {
    if (!viewer->peer())
      continue;
    const auto hold = viewer->peer()->hold();
    const std::string labels = "{viewer=\"" + viewer->id() + "\"";
    line("vitrine_viewer_hold_seconds", labels + ",quantile=\"0.5\"}", hold.p50_s);
    line("vitrine_viewer_hold_seconds", labels + ",quantile=\"0.95\"}", hold.p95_s);
    line("vitrine_viewer_hold_seconds_sum", labels + "}", hold.sum_s);
    line("vitrine_viewer_hold_seconds_count", labels + "}", static_cast<double>(hold.count));
  }
  out += latency_lines();
  const auto whep = http_->whep_statistics();
  head("vitrine_whep_sessions", "gauge", "Players that watch by WHEP.");
  line("vitrine_whep_sessions", "", static_cast<double>(whep.sessions));
  head("vitrine_whep_sessions_total", "counter", "Offers by WHEP since the start.");
  line("vitrine_whep_sessions_total", "", static_cast<double>(whep.sessions_total));
  head("vitrine_whep_refused_total", "counter", "Requests by WHEP that were refused.");
  line("vitrine_whep_refused_total", "", static_cast<double>(whep.refused_total));
  if (!signallers_.empty())
    head("vitrine_signalling_registered", "gauge", "Whether this name is registered at the external signalling server.");
  for (const auto& signaller : signallers_)
    line("vitrine_signalling_registered", "{id=" + json_string(signaller->id()) + "}", signaller->registered() ? 1 : 0);
  head("vitrine_turn_failed_total", "counter", "Connections to which no TURN server gave a relay.");
  line("vitrine_turn_failed_total", "", static_cast<double>(*without_relay_));
  const auto ice = ice_.statistics();
  head("vitrine_ice_refused_total", "counter", "Packets and connections without valid credentials.");
  line("vitrine_ice_refused_total", "",
       static_cast<double>(ice.unknown_packets + ice.unknown_requests + ice.refused_connections));
  return out;
}

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
