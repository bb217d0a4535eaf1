// SPDX-License-Identifier: LGPL-2.1-or-later
// What one viewer reports of the frames that it was told of, checked and summed up by transport. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "webrtc/latency/distribution.h"
#include "webrtc/latency/frame-log.h"
#include "webrtc/token-bucket.h"

namespace vitrine {

/// The way from input to photon, in order. Those up to `program` are only of frames that answer input.
enum class LatencyStage : uint8_t { input, program, capture, encode, send, network, decode, present };
inline constexpr size_t kLatencyStages = 8;
const char* to_string(LatencyStage stage);

/// A frame that was shown. Times are µs after its capture by the server's clock, as the viewer has aligned its own to it.
struct ShownFrame {
  uint32_t id = 0;
  int64_t receive_us = 0, decoded_us = 0;  // 0: the browser does not tell
  int64_t presented_us = 0;
  int64_t input_us = 0;  // from the input that it answers until it was shown, by the viewer's clock alone; 0: none
};

struct LatencyReport {
  bool sure = false;           // the viewer trusts how it has aligned the clocks
  int64_t uncertainty_us = 0;  // how wrong that may be
  std::vector<ShownFrame> frames;
};

/// Of one transport.
struct LatencyFigures {
  Distribution capture_to_photon, input_to_photon;
  std::array<Distribution, kLatencyStages> stages;
};

/// Not thread-safe.
class LatencyMeter {
 public:
  static constexpr size_t kReportFramesMax = 64;
  static constexpr double kReportsPerSecond = 10, kReportsBurst = 20;
  static constexpr int64_t kMostUs = 60'000'000;  // nothing that takes longer is believed
  static constexpr int64_t kSlackUs = 5'000;      // browsers round their clocks

  struct Counters {
    uint64_t taken = 0;    // frames
    uint64_t unsure = 0;   // frames that came while the clocks were not sure: only what one clock measured is taken of them
    uint64_t unknown = 0;  // that were never told, or reported before
    uint64_t absurd = 0;   // whose times cannot be true
    uint64_t late = 0;     // reports beyond the rate that is allowed
  };

  /// `webrtc` is the name of what carries WebRTC now.
  void take(const LatencyReport& report, FrameLog& log, const std::string& webrtc, int64_t now_us);
  const std::map<std::string, LatencyFigures>& by_transport() const { return figures_; }
  const Counters& counters() const { return counters_; }
  bool sure() const { return sure_; }
  /// -1 before there was a report.
  int64_t uncertainty_us() const { return uncertainty_us_; }

 private:
  bool plausible(const ShownFrame& shown, const LoggedFrame& frame, int64_t slack_us, int64_t now_us) const;
  void add(const ShownFrame& shown, const LoggedFrame& frame, LatencyFigures& figures);

  std::map<std::string, LatencyFigures> figures_;
  Counters counters_;
  TokenBucket reports_{kReportsPerSecond, kReportsBurst};
  bool sure_ = false;
  int64_t uncertainty_us_ = -1;
};

}  // namespace vitrine
