// SPDX-License-Identifier: LGPL-2.1-or-later
// Absolute queue from one-way delays.
#include "webrtc/rate/queue-meter.h"

#include <algorithm>
#include <cmath>

namespace vitrine {

void WindowedMinimum::add(int64_t now_us, int64_t value) {
  if (buckets_.empty() || now_us - buckets_.back().begin_us >= width_us_)
    buckets_.push_back({now_us, value});
  else
    buckets_.back().value = std::min(buckets_.back().value, value);
  while (buckets_.size() > 1 && now_us - buckets_.front().begin_us >= width_us_ * static_cast<int64_t>(buckets_max_))
    buckets_.pop_front();
}

int64_t WindowedMinimum::value() const {
  int64_t least = buckets_.empty() ? 0 : buckets_.front().value;
  for (const auto& bucket : buckets_)
    least = std::min(least, bucket.value);
  return least;
}

void QueueMeter::add(int64_t sent_us, int64_t arrived_us) {
  ways_.push_back({sent_us, arrived_us - sent_us});
  ++fresh_;
  while (ways_.size() > std::max(kFrames, fresh_) || ways_.back().sent_us - ways_.front().sent_us > kFramesUs)
    ways_.pop_front();
}

void QueueMeter::feedback(int64_t now_us, int64_t rtt_us, int64_t longest_us) {
  rtt_min_.add(now_us, rtt_us);
  if (fresh_ == 0 || ways_.empty())
    return;
  int64_t least = ways_.front().delay_us, newest_least = ways_.back().delay_us;
  for (size_t i = 0; i < ways_.size(); ++i) {
    least = std::min(least, ways_[i].delay_us);
    if (i + fresh_ >= ways_.size())
      newest_least = std::min(newest_least, ways_[i].delay_us);
  }
  // A queue shows in the round trip too. What does not is a clock that was set, on either side.
  // A pause in between makes the round trip of the newest packet shorter than that of those before it.
  const int64_t rtt_growth_us = rtt_us - rtt_min_.value();
  if (base_.known() && (newest_least - base_.value() > longest_us - rtt_min_.value() + kClockStepUs || newest_least - base_.value() < -kClockStepUs)) {
    base_.clear();
    ++clock_steps_;
    // A queue that stood before still does. More is not taken for one: a base that is too low stays for kBaseWindowUs, one that is too high until
    // the queue has gone.
    const int64_t queue_us = std::clamp<int64_t>(rtt_growth_us, 0, standing_us_);
    for (; !ways_.empty() && ways_.size() > fresh_; ways_.pop_front()) {
    }
    least = newest_least;
    base_.add(now_us, least - queue_us);
  }
  base_.add(now_us, least);
  const int64_t base = base_.value();
  standing_us_ = std::max<int64_t>(0, (fresh_ >= 2 ? newest_least : least) - base);
  newest_us_ = std::max<int64_t>(0, ways_.back().delay_us - base);
  double spread = 0;
  for (const auto& way : ways_)
    spread += static_cast<double>(way.delay_us - least);
  noise_us_ += 0.1 * (std::min(20'000.0, spread / static_cast<double>(ways_.size())) - noise_us_);
  fresh_ = 0;
}

}  // namespace vitrine
