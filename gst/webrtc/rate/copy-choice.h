// SPDX-License-Identifier: LGPL-2.1-or-later
// How many copies of something a path that loses packets wants: of sound (RED), of retransmissions. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine {

/// What was lost of late counts for a while: losses come in groups.
class CopyChoice {
 public:
  static constexpr double kLoss = 0.01, kHighLoss = 0.04;
  static constexpr int64_t kHoldUs = 10'000'000;
  static constexpr size_t kMost = 2;

  /// 0 to kMost, for this share of lost packets.
  size_t copies(double loss, int64_t now_us) {
    const size_t wanted = loss >= kHighLoss ? kMost : loss >= kLoss ? 1 : 0;
    if (wanted >= copies_ || now_us >= until_us_) {
      copies_ = wanted;
      until_us_ = now_us + kHoldUs;
    }
    return copies_;
  }

 private:
  size_t copies_ = 0;
  int64_t until_us_ = 0;
};

}  // namespace vitrine
