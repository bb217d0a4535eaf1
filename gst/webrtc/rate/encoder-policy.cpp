// SPDX-License-Identifier: LGPL-2.1-or-later
// When the link is too thin: first quality, then framerate, then size; and back.
#include "webrtc/rate/encoder-policy.h"

#include <algorithm>
#include <cmath>

namespace vitrine {

double EncoderPolicy::shared_bps(std::span<const ViewerDemand> viewers) {
  double least = 0, most = 0, holder = 0;
  for (const auto& viewer : viewers) {
    const double bps = viewer.target_bps * (1 - std::clamp(viewer.repairs, 0.0, 0.5));
    least = least == 0 ? bps : std::min(least, bps);
    most = std::max(most, bps);
    if (viewer.holds_control)
      holder = bps;
  }
  return std::max(least, kSlowestShare * (holder > 0 ? holder : most));
}

bool EncoderPolicy::update(int64_t now_us, std::span<const ViewerDemand> viewers, double pixels, uint32_t framerate_max, EncoderTarget& target) {
  const double shared = shared_bps(viewers);
  if (shared <= 0)
    return false;
  const double bps = std::max(100e3, (shared - std::min(kAudioBps, 0.15 * shared)) * (1 - kOverhead));
  target = EncoderTarget{};
  target.bitrate_kbit = static_cast<uint32_t>(bps / 1000);
  const double least_bits = kBitsPerPixelMin * std::max(pixels, 1.0);
  const double affordable = bps / least_bits;
  const uint32_t framerate_min = std::clamp(framerate_max, 1u, kFramerateMin);
  // A step back up is taken only when there is room for it.
  const double slack = last_.framerate != 0 ? 0.85 : 1;
  if (affordable * slack < framerate_max)
    target.framerate = std::max(framerate_min, static_cast<uint32_t>(affordable / 5) * 5);
  // The ladder asks for kFramerateMin; a desktop of fewer pictures makes do with those.
  target.scale = ladder_.update(now_us, affordable * kFramerateMin / framerate_min);
  // On the way back the size comes first.
  if (target.scale < 1)
    target.framerate = framerate_min;
  const double usual_s = std::min(kFrameS, kFramePictures / std::max(framerate_max, 1u));
  const double frame_s = target.framerate == 0 ? std::max(usual_s, std::min(kThinFrameS, kFrameBitsPerPixel * pixels / bps))
                                               : std::max(kThinFrameS, 1.5 / target.framerate);
  target.frame_bytes_max = static_cast<uint32_t>(bps / 8 * frame_s);
  const double change = last_.bitrate_kbit > 0 ? std::abs(static_cast<double>(target.bitrate_kbit) / last_.bitrate_kbit - 1) : 1;
  const bool falls = target.bitrate_kbit < last_.bitrate_kbit;
  const bool other = target.framerate != last_.framerate || target.scale != last_.scale;
  if ((change < kStep && !other) || (!falls && told_us_ != 0 && now_us - told_us_ < kIntervalUs))
    return false;
  last_ = target;
  told_us_ = now_us;
  return true;
}

}  // namespace vitrine
