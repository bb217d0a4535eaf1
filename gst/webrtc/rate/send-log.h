// SPDX-License-Identifier: LGPL-2.1-or-later
// Packets that were sent, until feedback tells what became of them. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "webrtc/rate/delivery.h"
#include "webrtc/rate/twcc.h"

namespace vitrine {

struct FeedbackStatistics {
  uint64_t taken = 0;      // feedback packets that told something new
  uint64_t malformed = 0;  // that could not be parsed
  uint64_t unknown = 0;    // statuses of packets that were never sent, or too long ago
  uint64_t replayed = 0;   // statuses that were told before
  uint64_t absurd = 0;     // feedback whose times cannot be true
};

/// Not thread-safe.
class SendLog {
 public:
  static constexpr size_t kPacketsMax = 8192;
  /// A packet reported missing counts as lost when no later feedback of this time has corrected it: packets overtake each other.
  static constexpr int64_t kReorderUs = 80'000;
  /// Remote clocks may drift, but not by this between two feedback packets more than ours.
  static constexpr int64_t kClockStepMaxUs = 30'000'000;

  void sent(uint16_t sequence, uint64_t frame, uint32_t size, int64_t now_us);
  /// What the feedback newly tells, in the order of sending.
  std::vector<Delivery> take(std::span<const uint8_t> fci, int64_t now_us);
  /// Nothing that left since then is on its way, or missing and not given up yet.
  bool all_told(int64_t since_us) const;
  const FeedbackStatistics& statistics() const { return statistics_; }

 private:
  enum class State : uint8_t { flying, missing, told };
  struct Packet {
    uint64_t frame;
    int64_t sent_us, missing_us;
    uint32_t size;
    State state;
  };
  Packet* find(int64_t sequence);

  std::deque<Packet> packets_;
  int64_t first_ = 0;  // sequence of packets_.front()
  Unwrapper<16> sequences_;
  Unwrapper<24> references_;
  int64_t last_arrival_us_ = 0, last_feedback_us_ = 0;
  FeedbackStatistics statistics_;
};

}  // namespace vitrine
