// SPDX-License-Identifier: LGPL-2.1-or-later
// Token bucket for rate limits. Pure: the caller brings the time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vitrine {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

  /// Takes `count` tokens at time `now_us` (monotonic microseconds); false if there are not enough, then none is taken.
  bool take(int64_t now_us, double count = 1) {
    if (last_us_ != 0)
      tokens_ = std::min(burst_, tokens_ + per_second_ * static_cast<double>(now_us - last_us_) / 1e6);
    last_us_ = now_us;
    if (tokens_ < count)
      return false;
    tokens_ -= count;
    return true;
  }

 private:
  double per_second_, burst_, tokens_;
  int64_t last_us_ = 0;
};

}  // namespace vitrine
