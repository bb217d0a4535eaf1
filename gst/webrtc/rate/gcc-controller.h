// SPDX-License-Identifier: LGPL-2.1-or-later
// A control as made for cameras, to compare with: delay gradient with an adaptive threshold, 0.85 times the received rate on overuse, 8 % per second
// upwards, loss at 2 and 10 %, after draft-ietf-rmcat-gcc-02.
#pragma once

#include <algorithm>
#include <deque>
#include <utility>

#include "webrtc/rate/rate-control.h"

namespace vitrine {

class GccController : public RateControl {
 public:
  explicit GccController(const RateLimits& limits) : limits_(limits), delay_bps_(limits.start_bps), loss_bps_(limits.start_bps) {}
  void set_limits(const RateLimits& limits) override { limits_ = limits; }
  void sent(int64_t, uint32_t) override {}
  void feedback(int64_t now_us, std::span<const Delivery> deliveries) override;
  void tick(int64_t) override {}
  double target_bps() const override { return std::min(std::max(std::min(delay_bps_, loss_bps_), limits_.min_bps), limits_.max_bps); }
  RateFacts facts() const override;

 private:
  /// A group of packets is complete: more than 0 for overuse, less for underuse.
  int close_group();

  RateLimits limits_;
  double delay_bps_, loss_bps_, converged_bps_ = 0, delivered_bps_ = 0, loss_ = 0;
  std::deque<std::pair<int64_t, uint32_t>> received_;
  std::deque<std::pair<double, double>> window_;
  int64_t last_us_ = 0, decreased_us_ = 0, group_sent_us_ = 0, group_last_sent_us_ = 0, group_arrived_us_ = 0, previous_sent_us_ = 0, previous_arrived_us_ = 0;
  double accumulated_ms_ = 0, smoothed_ms_ = 0, threshold_ = 12.5, over_ms_ = 0, last_trend_ = 0;
  int over_count_ = 0;
};

}  // namespace vitrine
