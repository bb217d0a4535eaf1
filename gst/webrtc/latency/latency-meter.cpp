// SPDX-License-Identifier: LGPL-2.1-or-later
// Nothing a viewer says is believed beyond what it can have seen.
#include "webrtc/latency/latency-meter.h"

#include <algorithm>

namespace vitrine {
namespace {

/// What the input took at least, by our clock alone.
int64_t least_input_us(const LoggedFrame& frame) { return frame.sent_us - frame.injected_us; }

}  // namespace

const char* to_string(LatencyStage stage) {
  constexpr const char* names[] = {"input", "program", "capture", "encode", "send", "network", "decode", "present"};
  return names[static_cast<size_t>(stage)];
}

bool LatencyMeter::plausible(const ShownFrame& shown, const LoggedFrame& frame, int64_t slack_us, int64_t now_us) const {
  if (shown.presented_us <= 0 || shown.presented_us > kMostUs || shown.receive_us < 0 || shown.decoded_us < 0)
    return false;
  const int64_t capture_us = frame.times.capture_us;
  if (capture_us + shown.presented_us > now_us + slack_us || capture_us + shown.presented_us < frame.sent_us - slack_us)
    return false;
  if (shown.receive_us != 0 && (capture_us + shown.receive_us < frame.sent_us - slack_us || shown.receive_us > shown.presented_us))
    return false;
  return shown.decoded_us == 0 || (shown.receive_us != 0 && shown.decoded_us >= shown.receive_us && shown.decoded_us <= shown.presented_us);
}

void LatencyMeter::add(const ShownFrame& shown, const LoggedFrame& frame, LatencyFigures& figures) {
  const FrameTimes& times = frame.times;
  const auto stage = [&](LatencyStage which, int64_t us) { figures.stages[static_cast<size_t>(which)].add(us); };
  figures.capture_to_photon.add(shown.presented_us);
  if (times.picture_us != 0) {
    stage(LatencyStage::capture, times.picture_us - times.capture_us);
    stage(LatencyStage::encode, times.encoded_us - times.picture_us);
  }
  stage(LatencyStage::send, frame.sent_us - times.encoded_us);
  if (shown.receive_us != 0)
    stage(LatencyStage::network, times.capture_us + shown.receive_us - frame.sent_us);
  if (shown.decoded_us != 0) {
    stage(LatencyStage::decode, shown.decoded_us - shown.receive_us);
    stage(LatencyStage::present, shown.presented_us - shown.decoded_us);
  }
  if (shown.input_us != 0) {
    stage(LatencyStage::input, shown.input_us - (times.capture_us + shown.presented_us - frame.injected_us));
    stage(LatencyStage::program, times.capture_us - frame.injected_us);
  }
}

void LatencyMeter::take(const LatencyReport& report, FrameLog& log, const std::string& webrtc, int64_t now_us) {
  if (!reports_.take(now_us)) {
    ++counters_.late;
    return;
  }
  sure_ = report.sure;
  uncertainty_us_ = std::clamp<int64_t>(report.uncertainty_us, 0, kMostUs);
  const int64_t slack_us = uncertainty_us_ + kSlackUs;
  for (size_t i = 0; i < std::min(report.frames.size(), kReportFramesMax); ++i) {
    ShownFrame shown = report.frames[i];
    const auto frame = log.take(shown.id);
    if (!frame) {
      ++counters_.unknown;
      continue;
    }
    const bool input_absurd = shown.input_us != 0 && (frame->input == 0 || shown.input_us < least_input_us(*frame) - kSlackUs ||
                                                      shown.input_us > kMostUs);
    if (input_absurd || (sure_ && !plausible(shown, *frame, slack_us, now_us))) {
      ++counters_.absurd;
      continue;
    }
    ++counters_.taken;
    counters_.unsure += !sure_;
    LatencyFigures& figures = figures_[frame->way == MediaWay::websocket ? "websocket" : webrtc];
    if (shown.input_us != 0)
      figures.input_to_photon.add(shown.input_us);
    if (sure_)
      add(shown, *frame, figures);
  }
}

}  // namespace vitrine
