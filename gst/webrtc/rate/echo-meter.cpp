// SPDX-License-Identifier: LGPL-2.1-or-later
// Answers and what is still to be answered.
#include "webrtc/rate/echo-meter.h"

#include <algorithm>

namespace vitrine {

void EchoMeter::asked(int64_t now_us, uint64_t id, int64_t own_us) {
  asked_.push_back({id, now_us, own_us});
  if (asked_.size() > kAskedMax)
    asked_.pop_front();
}

void EchoMeter::answered(int64_t now_us, uint64_t id) {
  const auto found = std::find_if(asked_.begin(), asked_.end(), [id](const Asked& one) { return one.id == id; });
  if (found == asked_.end())
    return;
  const int64_t took_us = std::max<int64_t>(0, now_us - found->sent_us - found->own_us);
  base_.add(now_us, took_us);
  last_sent_us_ = found->sent_us;
  last_late_us_ = std::max<int64_t>(0, took_us - base_.value());
  noise_us_ += 0.05 * (static_cast<double>(std::min<int64_t>(last_late_us_, 60'000)) - noise_us_);
  answered_us_ = now_us;
  // Those before it were lost, or their answers were.
  asked_.erase(asked_.begin(), found + 1);
}

void EchoMeter::told(int64_t sent_us) {
  told_us_ = std::max(told_us_, sent_us);
  while (!asked_.empty() && asked_.front().sent_us <= sent_us)
    asked_.pop_front();
}

int64_t EchoMeter::late_us(int64_t now_us) const {
  if (answered_us_ == 0 || now_us - answered_us_ > kPatienceUs)
    return 0;
  int64_t late_us = last_sent_us_ > told_us_ ? last_late_us_ : 0;
  if (!asked_.empty())
    late_us = std::max(late_us, now_us - asked_.front().sent_us - asked_.front().own_us - base_.value());
  return std::max<int64_t>(0, late_us);
}

}  // namespace vitrine
