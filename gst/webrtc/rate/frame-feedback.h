// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole frames on an ordered, reliable path, seen as packets: one has to wait until the one before it has arrived, and that wait is the queue. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "webrtc/rate/delivery.h"
#include "webrtc/rate/queue-meter.h"

namespace vitrine {

/// Not thread-safe.
class FrameFeedback {
 public:
  static constexpr int64_t kBaseWindowUs = 20'000'000;
  /// What two clocks, and an acknowledgement's way, may be apart without one of them having jumped.
  static constexpr int64_t kJumpUs = 100'000;

  /// Appends to `packets` what RateController understands of frames that were acknowledged, in order: when the first byte of each came, so that
  /// its own time on the link is no queue; and of those that came right behind another one also how fast, which tells what the path carries. One
  /// that came alone tells no rate: a viewer that reads late would look like a thin path. `now_us`, of our clock: they were acknowledged.
  void add(std::span<const Delivery> frames, int64_t now_us, std::vector<Delivery>& packets);

 private:
  /// One of the clocks was set, or stood still while its machine slept: what is known of the way holds no more.
  bool jumped(const Delivery& frame, int64_t now_us) const;

  WindowedMinimum way_{kBaseWindowUs, 10};  // from leaving to arriving, by two clocks
  std::optional<int64_t> arrived_us_;       // the frame before
};

}  // namespace vitrine
