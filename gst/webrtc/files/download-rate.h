// SPDX-License-Identifier: LGPL-2.1-or-later
// How fast files may be fetched beside a picture that goes the same way: as fast as it can be without the picture's packets waiting behind them. Pure.
#pragma once

#include <cstdint>

namespace vitrine {

/// What fetching leaves of the path is what the picture needs: the rate falls before the picture's own controller sees a queue that stands
/// (RateController::kQueueMinUs), and grows while there is less than that.
class DownloadRate {
 public:
  static constexpr int64_t kQueueUs = 10'000;
  /// Bytes per second. Where nothing is known yet it starts; the least goes on however full the path is, so that a file arrives some day.
  static constexpr double kStart = 250e3, kMost = 1e9, kLeast = 16e3;
  /// A path that was not heard of for this long tells nothing.
  static constexpr int64_t kStaleUs = 500'000;

  /// Every 50 ms or so: the longest queue on the viewers' paths, how often they have told of it since the beginning, and how many bytes per
  /// second of files have arrived of late.
  void tick(int64_t now_us, int64_t queue_us, uint64_t feedback, double arriving);
  double bytes_per_second() const { return rate_; }

 private:
  double rate_ = kStart;
  uint64_t feedback_ = 0;
  int64_t heard_us_ = 0;
};

}  // namespace vitrine
