// SPDX-License-Identifier: LGPL-2.1-or-later
// One encode for several viewers: what the encoder is asked for. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "webrtc/rate/scale-ladder.h"

namespace vitrine {

struct ViewerDemand {
  double target_bps = 0;
  double repairs = 0;     // the share that goes into sending again, 0..1
  bool holds_control = false;
};

struct EncoderTarget {
  uint32_t bitrate_kbit = 0;
  uint32_t framerate = 0;        // frames per second at most; 0: no bound
  uint32_t frame_bytes_max = 0;  // of a frame
  double scale = 1;              // of width and height, one of ScaleLadder::kScales
  bool operator==(const EncoderTarget&) const = default;
};

class EncoderPolicy {
 public:
  /// What else is sent: audio with its headers.
  static constexpr double kAudioBps = 150e3;
  /// RTP, header extensions, SRTP, UDP and IP in proportion to 1200 byte packets.
  static constexpr double kOverhead = 0.05;
  /// A viewer slower than this share of the viewer who holds control (or of the fastest, if nobody does) does not slow the others down: it gets
  /// fewer frames.
  static constexpr double kSlowestShare = 0.5;
  /// Below this many bits per pixel and frame a picture is worse than a slower one.
  static constexpr double kBitsPerPixelMin = 0.012;
  static constexpr uint32_t kFramerateMin = 10;  // or the desktop's own, where that is less
  /// A frame is a queue to those behind it, so it may take as much as this many usual ones and no longer than kFrameS: what it lacks the next ones
  /// bring. With fewer than two x264 leaves much of the rate unused. But a frame always may have as many bits per pixel as there have to be to see
  /// something, and then be kThinFrameS on the way.
  static constexpr double kFramePictures = 2.5, kFrameBitsPerPixel = 0.036;
  static constexpr double kFrameS = 0.25, kThinFrameS = 0.15;
  /// Changes smaller than this are not worth telling the encoder.
  static constexpr double kStep = 0.04;
  static constexpr int64_t kIntervalUs = 100'000;  // between rises; falls are told at once

  /// What a path has to carry for video of this bitrate.
  static constexpr double needed_bps(double video_bps) { return video_bps / (1 - kOverhead) + kAudioBps; }
  /// The rate that all viewers are served with, bits per second; 0 without viewers.
  static double shared_bps(std::span<const ViewerDemand> viewers);
  /// True if `target` has changed enough to be told. `pixels`: of the desktop, whatever the scale.
  bool update(int64_t now_us, std::span<const ViewerDemand> viewers, double pixels, uint32_t framerate_max, EncoderTarget& target);

 private:
  EncoderTarget last_;
  ScaleLadder ladder_{kFramerateMin};
  int64_t told_us_ = 0;
};

}  // namespace vitrine
