// SPDX-License-Identifier: LGPL-2.1-or-later
// Scales with patience.
#include "webrtc/rate/scale-ladder.h"

#include <algorithm>
#include <cmath>

namespace vitrine {

bool ScaleLadder::fits(size_t level, double affordable) const {
  const double margin = level < level_ ? kMargin : 1;
  return affordable * margin >= framerate_min_ * kScales[level] * kScales[level];
}

double ScaleLadder::update(int64_t now_us, double affordable) {
  size_t wanted = 0;
  while (wanted + 1 < kScales.size() && !fits(wanted, affordable))
    ++wanted;
  const auto waited = [now_us](bool wants, int64_t& since_us, int64_t patience_us) {
    if (!wants)
      since_us = 0;
    else if (since_us == 0)
      since_us = now_us;
    return wants && now_us - since_us >= patience_us;
  };
  const bool up = waited(wanted < level_, up_since_us_, patience_us_), down = waited(wanted > level_, down_since_us_, kDownUs);
  if (up) {
    raised_us_ = now_us;
  } else if (down) {
    const bool relapse = raised_us_ != 0 && now_us - raised_us_ < kRelapseUs;
    patience_us_ = relapse ? std::min(2 * patience_us_, kUpMostUs) : kUpUs;
  }
  if (up || down) {
    level_ = wanted;
    up_since_us_ = down_since_us_ = 0;
  }
  return scale();
}

double FullSize::update(int64_t now_us, double pixels, double told) {
  if (told != told_) {
    told_ = told;
    told_us_ = now_us;
  }
  if (told == 1 && now_us - told_us_ > kSettledUs) {
    full_ = seen_ = pixels;
    scale_ = 1;
  }
  if (pixels == seen_)
    return full_;
  seen_ = pixels;
  // Sizes are rounded to whole pairs of pixels.
  const auto is_scaled = [&](double scale) { return full_ > 0 && std::abs(pixels / (full_ * scale * scale) - 1) < 0.02; };
  if (is_scaled(told))
    scale_ = told;
  else
    full_ = pixels / (scale_ * scale_);
  return full_;
}

}  // namespace vitrine
