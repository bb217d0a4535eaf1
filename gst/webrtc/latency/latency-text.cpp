// SPDX-License-Identifier: LGPL-2.1-or-later
// Prometheus histograms and JSON.
#include "webrtc/latency/latency-text.h"

#include <cinttypes>
#include <cstdio>

namespace vitrine {
namespace {

/// Without the locale's decimal comma.
std::string decimal(double value, int digits) {
  char text[64];
  const auto scaled = static_cast<int64_t>(value * 1e6 + (value < 0 ? -0.5 : 0.5));
  std::snprintf(text, sizeof text, "%s%" PRId64 ".%06" PRId64, scaled < 0 ? "-" : "", (scaled < 0 ? -scaled : scaled) / 1'000'000,
                (scaled < 0 ? -scaled : scaled) % 1'000'000);
  std::string out = text;
  out.resize(out.size() - static_cast<size_t>(6 - digits));
  return out;
}

std::string number(int64_t value) { return std::to_string(value); }

void head(std::string& out, const char* name, const char* type, const char* help) {
  out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void histogram(std::string& out, const std::string& name, const std::string& labels, const Distribution& values) {
  if (values.count() == 0)
    return;
  for (size_t i = 0; i < Distribution::kBounds.size(); ++i)
    out += name + "_bucket{" + labels + ",le=\"" + decimal(Distribution::kBounds[i], 3) + "\"} " + std::to_string(values.up_to(i)) + "\n";
  out += name + "_bucket{" + labels + ",le=\"+Inf\"} " + std::to_string(values.count()) + "\n";
  out += name + "_sum{" + labels + "} " + decimal(values.sum_s(), 6) + "\n";
  out += name + "_count{" + labels + "} " + std::to_string(values.count()) + "\n";
}

std::string labels_of(const std::string& viewer, const std::string& transport) {
  return "viewer=\"" + viewer + "\",transport=\"" + transport + "\"";
}

std::string figures_json(const Distribution& values) {
  return "{\"count\":" + std::to_string(values.count()) + ",\"p50_ms\":" + decimal(1e3 * values.quantile(0.5), 3) +
         ",\"p95_ms\":" + decimal(1e3 * values.quantile(0.95), 3) + "}";
}

}  // namespace

std::string frames_json(std::span<const LoggedFrame> frames, int64_t base_us) {
  std::string out = "[";
  for (const LoggedFrame& frame : frames) {
    const FrameTimes& times = frame.times;
    out += (out.size() == 1 ? "[" : ",[") + std::to_string(frame.id) + "," + std::to_string(frame.rtp_time) + "," +
           number(times.capture_us - base_us) + "," + number(times.picture_us == 0 ? 0 : times.picture_us - times.capture_us) + "," +
           number(times.encoded_us - times.capture_us) + "," + number(frame.sent_us - times.capture_us);
    if (frame.input != 0)
      out += "," + std::to_string(frame.input) + "," + number(times.capture_us - frame.injected_us);
    out += "]";
  }
  return out + "]";
}

std::string latency_metrics(const std::vector<MeteredViewer>& viewers) {
  std::string out;
  const auto each = [&](auto&& write) {
    for (const auto& [viewer, meter] : viewers)
      for (const auto& [transport, figures] : meter->by_transport())
        write(labels_of(viewer, transport), figures);
  };
  head(out, "vitrine_viewer_capture_to_photon_seconds", "histogram", "From a picture's capture to its presentation by the viewer's browser.");
  each([&](const auto& labels, const auto& figures) {
    histogram(out, "vitrine_viewer_capture_to_photon_seconds", labels, figures.capture_to_photon);
  });
  head(out, "vitrine_viewer_input_to_photon_seconds", "histogram",
       "From a key, button or wheel event in the viewer's browser to the presentation of the first changed picture captured after it.");
  each([&](const auto& labels, const auto& figures) {
    histogram(out, "vitrine_viewer_input_to_photon_seconds", labels, figures.input_to_photon);
  });
  head(out, "vitrine_viewer_latency_stage_seconds", "histogram", "The parts of these times.");
  each([&](const auto& labels, const auto& figures) {
    for (size_t i = 0; i < kLatencyStages; ++i)
      histogram(out, "vitrine_viewer_latency_stage_seconds", labels + ",stage=\"" + to_string(static_cast<LatencyStage>(i)) + "\"",
                figures.stages[i]);
  });
  head(out, "vitrine_viewer_clock_uncertainty_seconds", "gauge", "How wrong the alignment of the viewer's clock may be, as it says.");
  for (const auto& [viewer, meter] : viewers)
    if (meter->uncertainty_us() >= 0)
      out += "vitrine_viewer_clock_uncertainty_seconds{viewer=\"" + viewer + "\"} " +
             decimal(static_cast<double>(meter->uncertainty_us()) / 1e6, 6) + "\n";
  head(out, "vitrine_viewer_clock_sure", "gauge", "1 if the viewer trusts that alignment; capture-to-photon is only counted then.");
  for (const auto& [viewer, meter] : viewers)
    if (meter->uncertainty_us() >= 0)
      out += "vitrine_viewer_clock_sure{viewer=\"" + viewer + "\"} " + (meter->sure() ? "1" : "0") + "\n";
  head(out, "vitrine_viewer_latency_refused_total", "counter", "Reported frames, or reports, that were not believed.");
  for (const auto& [viewer, meter] : viewers) {
    const auto& counters = meter->counters();
    const std::pair<const char*, uint64_t> reasons[] = {{"unknown", counters.unknown}, {"absurd", counters.absurd}, {"rate", counters.late}};
    for (const auto& [reason, value] : reasons)
      out += "vitrine_viewer_latency_refused_total{viewer=\"" + viewer + "\",reason=\"" + reason + "\"} " + std::to_string(value) + "\n";
  }
  return out;
}

std::string latency_json(const LatencyMeter& meter) {
  const auto& counters = meter.counters();
  std::string out = "{\"clock\":{\"sure\":" + std::string(meter.sure() ? "true" : "false") + ",\"uncertainty_ms\":" +
                    (meter.uncertainty_us() < 0 ? "null" : decimal(static_cast<double>(meter.uncertainty_us()) / 1e3, 3)) +
                    "},\"frames\":" + std::to_string(counters.taken) + ",\"unsure\":" + std::to_string(counters.unsure) +
                    ",\"refused\":" + std::to_string(counters.unknown + counters.absurd + counters.late) + ",\"transports\":{";
  bool first = true;
  for (const auto& [transport, figures] : meter.by_transport()) {
    out += std::string(first ? "" : ",") + "\"" + transport + "\":{\"capture_to_photon\":" + figures_json(figures.capture_to_photon) +
           ",\"input_to_photon\":" + figures_json(figures.input_to_photon) + ",\"stages\":{";
    first = false;
    bool first_stage = true;
    for (size_t i = 0; i < kLatencyStages; ++i) {
      if (figures.stages[i].count() == 0)
        continue;
      out += std::string(first_stage ? "" : ",") + "\"" + to_string(static_cast<LatencyStage>(i)) + "\":" + figures_json(figures.stages[i]);
      first_stage = false;
    }
    out += "}}";
  }
  return out + "}}";
}

}  // namespace vitrine
