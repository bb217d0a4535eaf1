// SPDX-License-Identifier: LGPL-2.1-or-later
// Packet loss, judged over enough packets: one of five is no fifth. Pure.
#pragma once

#include <cstdint>

namespace vitrine {

class LossMeter {
 public:
  static constexpr int64_t kTimeUs = 1'000'000;
  static constexpr uint32_t kPackets = 50;

  void add(bool lost) {
    ++packets_;
    lost_ += lost;
  }
  /// True when a judgement has just been made; fraction() is new then.
  bool judge(int64_t now_us) {
    if (begin_us_ == 0)
      begin_us_ = now_us;
    if (now_us - begin_us_ < kTimeUs || packets_ < kPackets)
      return false;
    fraction_ = static_cast<double>(lost_) / packets_;
    begin_us_ = now_us;
    packets_ = lost_ = 0;
    return true;
  }
  double fraction() const { return fraction_; }

 private:
  int64_t begin_us_ = 0;
  uint32_t packets_ = 0, lost_ = 0;
  double fraction_ = 0;
};

}  // namespace vitrine
