// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits, candidates, and verdicts on encoders.
#include "keeper-limit.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr int64_t kFirstRestUs = 60'000'000, kMostRestUs = 86'400'000'000;
constexpr int kRestGrowth = 10;
constexpr int kFreeOfDelay = 2;

}  // namespace

std::optional<int64_t> RestartLimit::take(int64_t worked_us) {
  owed_us_ = std::max<int64_t>(0, owed_us_ - std::max<int64_t>(0, worked_us));
  const auto used = static_cast<int>((owed_us_ + earn_us_ - 1) / earn_us_);
  if (used >= burst_)
    return std::nullopt;
  owed_us_ += earn_us_;
  const int doublings = used - kFreeOfDelay;
  if (doublings < 0)
    return 0;
  // The shift is kept small; beyond it the limit holds anyway.
  return std::min(most_delay_us_, first_delay_us_ << std::min(doublings, 20));
}

void CandidateChoice::failed(size_t candidate, int64_t now_us) {
  Candidate& one = candidates_.at(candidate);
  one.rest_us = one.rest_us == 0 ? kFirstRestUs : std::min(kMostRestUs, one.rest_us * kRestGrowth);
  one.failed_us = now_us;
}

size_t CandidateChoice::best(int64_t now_us) const {
  for (size_t i = 0; i < candidates_.size(); ++i)
    if (candidates_[i].rest_us == 0 || now_us - candidates_[i].failed_us >= candidates_[i].rest_us)
      return i;
  const auto oldest = std::min_element(candidates_.begin(), candidates_.end(),
                                       [](const Candidate& a, const Candidate& b) { return a.failed_us < b.failed_us; });
  return static_cast<size_t>(oldest - candidates_.begin());
}

int64_t EncoderWatch::patience(const EncoderTraffic& traffic) const {
  return traffic.out == 0 ? kFirstPatienceUs : std::max(kPatienceUs, kTimesLongest * longest_us_);
}

EncoderWatch::Verdict EncoderWatch::look(const EncoderTraffic& traffic, int64_t now_us) {
  const int64_t passed_us = looked_us_ == 0 ? 0 : std::min(kLookUs, now_us - looked_us_);
  looked_us_ = now_us;
  // The first frame also sets everything up: it says nothing about the others.
  if (out_ > 0)
    longest_us_ = std::max(longest_us_ - longest_us_ / 30, traffic.longest_us);

  if (traffic.entered_us == 0)
    busy_us_ = 0;
  else if (traffic.entered_us == entered_us_)
    busy_us_ += passed_us;
  else
    busy_us_ = std::min(passed_us, now_us - traffic.entered_us);
  entered_us_ = traffic.entered_us;
  if (traffic.out != out_ || traffic.in <= in_at_out_ + kHeld) {
    silent_us_ = 0;
    if (traffic.out != out_)
      in_at_out_ = traffic.in;
    out_ = traffic.out;
  } else {
    silent_us_ += passed_us;
  }
  if (busy_us_ >= patience(traffic))
    return Verdict::hung;
  // Counted from the first frame beyond those that it may hold.
  return silent_us_ >= patience(traffic) ? Verdict::stalled : Verdict::well;
}

}  // namespace vitrine
