// SPDX-License-Identifier: LGPL-2.1-or-later
// Coalesces keyframe requests of all viewers: the first passes at once, later ones wait for the interval. Pure.
#pragma once

#include <cstdint>
#include <limits>

namespace vitrine {

class KeyframeGate {
 public:
  explicit KeyframeGate(int64_t min_interval_us) : min_interval_us_(min_interval_us) {}

  /// A viewer needs a keyframe. True: ask the encoder now. False: one is asked for when poll() says so.
  bool request(int64_t now_us) {
    if (now_us - last_us_ >= min_interval_us_) {
      last_us_ = now_us;
      pending_ = false;
      return true;
    }
    pending_ = true;
    return false;
  }
  /// True when a request that had to wait is due.
  bool poll(int64_t now_us) { return pending_ && now_us - last_us_ >= min_interval_us_ && request(now_us); }
  bool pending() const { return pending_; }
  /// A keyframe passed: whoever waited has it.
  void keyframe_passed() { pending_ = false; }

 private:
  const int64_t min_interval_us_;
  int64_t last_us_ = std::numeric_limits<int64_t>::min() / 2;  // long ago
  bool pending_ = false;
};

}  // namespace vitrine
