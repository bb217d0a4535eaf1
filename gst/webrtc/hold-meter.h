// SPDX-License-Identifier: LGPL-2.1-or-later
// Measures how long webrtcbin holds a packet: from the payloader to the transport, once per frame (its packet with the marker bit).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "common/mutex.h"

namespace vitrine {

/// Thread-safe.
class HoldMeter {
 public:
  struct Quantiles {
    uint64_t count = 0;
    double sum_s = 0, p50_s = 0, p95_s = 0;  // quantiles of the last kKept frames
  };
  static constexpr size_t kKept = 512;

  /// An RTP packet leaves the payloader, or its SRTP form reaches the transport (the header stays in the clear).
  void entered(std::span<const uint8_t> rtp, int64_t now_us);
  void left(std::span<const uint8_t> rtp, int64_t now_us);
  Quantiles quantiles() const;

 private:
  struct Entry {
    uint32_t key = 0;
    int64_t at_us = 0;
  };
  mutable Mutex mutex_;
  std::array<Entry, 64> entries_ GUARDED_BY(mutex_);
  size_t next_entry_ GUARDED_BY(mutex_) = 0;
  std::vector<double> kept_ GUARDED_BY(mutex_);
  size_t next_kept_ GUARDED_BY(mutex_) = 0;
  uint64_t count_ GUARDED_BY(mutex_) = 0;
  double sum_s_ GUARDED_BY(mutex_) = 0;
};

}  // namespace vitrine
