// SPDX-License-Identifier: LGPL-2.1-or-later
// How much the path carries, from trains: packets of one frame leave together and arrive as far apart as the narrowest link lets them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace vitrine {

class CapacityMeter {
 public:
  /// Trains older than this count no more while newer ones are there.
  static constexpr int64_t kWindowUs = 500'000;
  static constexpr size_t kTrainsMax = 64;
  /// Bytes behind a train's first packet that it needs to tell something.
  static constexpr uint32_t kTrainMin = 2400;
  /// Trains together need to be this long to be believed: clocks tick in 250 µs, receivers read in batches.
  static constexpr int64_t kSpanMinUs = 2'000;
  static constexpr uint32_t kBytesMin = 8'000;

  /// `bytes` arrived in `span_us` behind the train's first packet; they had left in `sent_span_us`.
  void add(int64_t now_us, uint32_t bytes, int64_t span_us, int64_t sent_span_us);
  void clear() { trains_.clear(); }
  int64_t newest_us() const { return trains_.empty() ? 0 : trains_.back().at_us; }

  /// Whether there is enough to tell.
  bool known() const;
  /// Bits per second that trains arrived with.
  double bps() const;
  /// False: the trains left no faster than they arrived, so that the path may carry more than bps().
  bool exact() const;

 private:
  struct Train {
    int64_t at_us, span_us;
    uint32_t bytes;
    bool stretched;
  };
  std::deque<Train> trains_;
};

}  // namespace vitrine
