// SPDX-License-Identifier: LGPL-2.1-or-later
// How long the queue on the way is, from one-way delays: a frame's first packet meets what earlier frames left there. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace vitrine {

/// The smallest value of the last `window_us`, in a few buckets, so that clock drift and new routes are forgotten.
class WindowedMinimum {
 public:
  WindowedMinimum(int64_t window_us, int buckets) : width_us_(window_us / buckets), buckets_max_(static_cast<size_t>(buckets)) {}
  void add(int64_t now_us, int64_t value);
  bool known() const { return !buckets_.empty(); }
  int64_t value() const;
  void clear() { buckets_.clear(); }

 private:
  struct Bucket {
    int64_t begin_us, value;
  };
  const int64_t width_us_;
  const size_t buckets_max_;
  std::deque<Bucket> buckets_;
};

class QueueMeter {
 public:
  static constexpr int64_t kBaseWindowUs = 30'000'000;
  /// Frames looked at together: the least delayed of them tells the queue, the others jitter.
  static constexpr size_t kFrames = 4;
  static constexpr int64_t kFramesUs = 150'000;
  /// A one-way delay that grew by this much more than the round trip did means that a clock was set.
  static constexpr int64_t kClockStepUs = 100'000;

  /// The way of a frame's first packet (or of a whole small frame): sent and arrived by two clocks.
  void add(int64_t sent_us, int64_t arrived_us);
  /// Once per feedback, after its frames. `rtt_us`: from sending the newest packet it tells of until now; `longest_us`: the oldest.
  void feedback(int64_t now_us, int64_t rtt_us, int64_t longest_us);

  bool known() const { return base_.known(); }
  /// One-way delay of an empty path; by two clocks, so of any size and sign.
  int64_t base_us() const { return base_.value(); }
  /// The queue that stands on the way between frames.
  int64_t standing_us() const { return standing_us_; }
  /// What the newest frame met; jitter included.
  int64_t newest_us() const { return newest_us_; }
  /// How far apart the delays of neighbouring frames are.
  int64_t noise_us() const { return static_cast<int64_t>(noise_us_); }
  int64_t rtt_min_us() const { return rtt_min_.known() ? rtt_min_.value() : 100'000; }
  uint64_t clock_steps() const { return clock_steps_; }

 private:
  struct Way {
    int64_t sent_us, delay_us;
  };
  std::deque<Way> ways_;
  WindowedMinimum base_{kBaseWindowUs, 10}, rtt_min_{kBaseWindowUs, 10};
  int64_t standing_us_ = 0, newest_us_ = 0;
  double noise_us_ = 2000;
  size_t fresh_ = 0;
  uint64_t clock_steps_ = 0;
};

}  // namespace vitrine
