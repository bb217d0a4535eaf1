// SPDX-License-Identifier: LGPL-2.1-or-later
// Buckets and quantiles.
#include "webrtc/latency/distribution.h"

#include <algorithm>
#include <numeric>

namespace vitrine {

void Distribution::add(int64_t us) {
  const int64_t value = std::clamp<int64_t>(us, 0, UINT32_MAX);
  const double seconds = static_cast<double>(value) / 1e6;
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  ++buckets_[static_cast<size_t>(bucket)];
  ++count_;
  sum_s_ += seconds;
  if (kept_us_.size() < kKept)
    kept_us_.push_back(static_cast<uint32_t>(value));
  else
    kept_us_[next_] = static_cast<uint32_t>(value);
  next_ = (next_ + 1) % kKept;
}

uint64_t Distribution::up_to(size_t index) const {
  return std::accumulate(buckets_.begin(), buckets_.begin() + static_cast<std::ptrdiff_t>(index) + 1, uint64_t{0});
}

double Distribution::quantile(double q) const {
  if (kept_us_.empty())
    return 0;
  std::vector<uint32_t> values = kept_us_;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::min(static_cast<double>(values.size() - 1),
                                                                        q * static_cast<double>(values.size())));
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at) / 1e6;
}

}  // namespace vitrine
