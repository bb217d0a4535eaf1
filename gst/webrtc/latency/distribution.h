// SPDX-License-Identifier: LGPL-2.1-or-later
// A duration's distribution: a histogram since the beginning, and quantiles of the newest values. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine {

/// Not thread-safe.
class Distribution {
 public:
  /// Upper bounds of the histogram's buckets, seconds; one more takes what is above.
  static constexpr std::array<double, 16> kBounds = {0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.02, 0.03,
                                                     0.04,  0.06,  0.08,  0.12,  0.2,  0.4,   1,    4};
  /// Values that quantiles are taken of.
  static constexpr size_t kKept = 512;

  void add(int64_t us);
  uint64_t count() const { return count_; }
  double sum_s() const { return sum_s_; }
  /// Values up to kBounds[index], those of smaller buckets included.
  uint64_t up_to(size_t index) const;
  /// Of the last kKept values, seconds; 0 without any. `q` from 0 to 1.
  double quantile(double q) const;

 private:
  std::array<uint64_t, kBounds.size() + 1> buckets_{};
  uint64_t count_ = 0;
  double sum_s_ = 0;
  std::vector<uint32_t> kept_us_;
  size_t next_ = 0;
};

}  // namespace vitrine
