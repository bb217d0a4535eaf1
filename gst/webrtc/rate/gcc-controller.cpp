// SPDX-License-Identifier: LGPL-2.1-or-later
// Gradient and loss.
#include "webrtc/rate/gcc-controller.h"

#include <cmath>

namespace vitrine {

void GccController::feedback(int64_t now_us, std::span<const Delivery> deliveries) {
  int lost = 0, overuse = 0, underuse = 0;
  for (const auto& delivery : deliveries) {
    if (delivery.lost()) {
      ++lost;
      continue;
    }
    received_.emplace_back(now_us, delivery.size);
    // Groups of packets sent within 5 ms.
    if (group_sent_us_ != 0 && delivery.sent_us - group_sent_us_ > 5000) {
      const int signal = close_group();
      overuse += signal > 0;
      underuse += signal < 0;
      group_sent_us_ = 0;
    }
    if (group_sent_us_ == 0)
      group_sent_us_ = delivery.sent_us;
    group_last_sent_us_ = delivery.sent_us;
    group_arrived_us_ = delivery.arrived_us;
  }
  while (!received_.empty() && now_us - received_.front().first > 500'000)
    received_.pop_front();
  double bytes = 0;
  for (const auto& [at, size] : received_)
    bytes += size;
  const double window_us = received_.empty() ? 0 : static_cast<double>(std::max<int64_t>(60'000, now_us - received_.front().first + 60'000));
  const double received_bps = window_us > 0 ? bytes * 8e6 / window_us : 0;
  const double dt = last_us_ == 0 ? 0.06 : std::min(1.0, static_cast<double>(now_us - last_us_) / 1e6);
  last_us_ = now_us;
  if (overuse > 0 && now_us - decreased_us_ > 200'000) {
    decreased_us_ = now_us;
    delay_bps_ = std::min(0.95 * delay_bps_, 0.85 * received_bps);
    converged_bps_ = received_bps;
  } else if (overuse == 0 && underuse == 0) {
    const bool near = converged_bps_ > 0 && std::abs(received_bps - converged_bps_) < 0.15 * converged_bps_;
    if (near)
      delay_bps_ += 0.5 * 1200 * 8 * dt / 0.14;
    else
      delay_bps_ *= std::pow(1.08, dt);
    delay_bps_ = std::max(std::min(delay_bps_, 1.5 * received_bps + 10e3), limits_.min_bps);
  }
  delivered_bps_ = received_bps;
  const double fraction = deliveries.empty() ? 0 : static_cast<double>(lost) / static_cast<double>(deliveries.size());
  loss_ += 0.1 * (fraction - loss_);
  if (fraction > 0.1)
    loss_bps_ *= 1 - 0.5 * fraction;
  else if (fraction < 0.02)
    loss_bps_ = std::min(loss_bps_ * std::pow(1.05, dt), 1.5 * delay_bps_);
  loss_bps_ = std::max(loss_bps_, limits_.min_bps);
}

int GccController::close_group() {
  int signal = 0;
  if (previous_sent_us_ != 0) {
    const double gradient = static_cast<double>((group_arrived_us_ - previous_arrived_us_) - (group_last_sent_us_ - previous_sent_us_)) / 1e3;
    accumulated_ms_ += gradient;
    smoothed_ms_ = 0.9 * smoothed_ms_ + 0.1 * accumulated_ms_;
    window_.emplace_back(static_cast<double>(group_arrived_us_) / 1e3, smoothed_ms_);
    if (window_.size() > 20)
      window_.pop_front();
    if (window_.size() == 20) {
      double x = 0, y = 0, top = 0, bottom = 0;
      for (const auto& [at, value] : window_) {
        x += at / 20;
        y += value / 20;
      }
      for (const auto& [at, value] : window_) {
        top += (at - x) * (value - y);
        bottom += (at - x) * (at - x);
      }
      const double trend = bottom > 0 ? top / bottom * 60 * 4 : 0;
      const double dt_ms = static_cast<double>(group_arrived_us_ - previous_arrived_us_) / 1e3;
      if (std::abs(trend) < threshold_ + 15)
        threshold_ = std::clamp(threshold_ + (std::abs(trend) < threshold_ ? 0.039 : 0.0087) * (std::abs(trend) - threshold_) * std::min(100.0, dt_ms), 6.0, 600.0);
      if (trend > threshold_) {
        over_ms_ += dt_ms;
        if (over_ms_ > 10 && ++over_count_ > 1 && trend >= last_trend_)
          signal = 1;
      } else {
        over_ms_ = 0;
        over_count_ = 0;
        if (trend < -threshold_)
          signal = -1;
      }
      last_trend_ = trend;
    }
  }
  previous_sent_us_ = group_last_sent_us_;
  previous_arrived_us_ = group_arrived_us_;
  return signal;
}

RateFacts GccController::facts() const {
  RateFacts facts;
  facts.state = last_us_ == 0 ? RateState::starting : RateState::steady;
  facts.target_bps = target_bps();
  facts.delivered_bps = delivered_bps_;
  facts.loss = loss_;
  return facts;
}

}  // namespace vitrine
