// SPDX-License-Identifier: LGPL-2.1-or-later
// A greedy TCP flow (Reno, simplified): enough to fill a queue as TCP does. One acknowledgement per packet.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vitrine::bench {

class RenoFlow {
 public:
  explicit RenoFlow(int64_t rtt_us) : rtt_us_(rtt_us) {}
  bool may_send() const { return in_flight_ < window_; }
  void sent() { in_flight_ += 1; }
  void acked(int64_t rtt_us) {
    in_flight_ = std::max(0.0, in_flight_ - 1);
    rtt_us_ = rtt_us;
    window_ += window_ < threshold_ ? 1 : 1 / window_;
  }
  void lost(int64_t now_us) {
    in_flight_ = std::max(0.0, in_flight_ - 1);
    if (now_us - cut_us_ < rtt_us_)
      return;
    cut_us_ = now_us;
    threshold_ = window_ = std::max(2.0, window_ / 2);
  }

 private:
  int64_t rtt_us_, cut_us_ = 0;
  double window_ = 10, threshold_ = 1e9, in_flight_ = 0;
};

}  // namespace vitrine::bench
