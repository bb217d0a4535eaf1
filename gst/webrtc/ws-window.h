// SPDX-License-Identifier: LGPL-2.1-or-later
// What is on its way to a viewer by WebSocket and not acknowledged yet: how much may be, in bytes and in time. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "protocol/frame-record.h"
#include "webrtc/rate/delivery.h"

namespace vitrine {

/// Not thread-safe. Times are monotonic µs of our clock.
class WsWindow {
 public:
  static constexpr size_t kBytesMax = 4 * 1024 * 1024;     // on the way, but for a single frame that is larger
  static constexpr size_t kFramesMax = 1024;
  static constexpr int64_t kQueueUs = 150'000;             // a frame may be this much longer on its way than the path is
  static constexpr int64_t kFirstRoundTripUs = 1'000'000;  // until one was measured
  static constexpr int64_t kRoundTripWindowUs = 10'000'000;
  static constexpr size_t kDrainedBytes = 16 * 1024;       // after too much: again from here on
  static constexpr uint16_t kDecodeQueue = 8;              // frames that may wait for the viewer's decoder

  /// Whether a frame may be sent now. After a refusal nothing is admitted until the viewer has caught up.
  bool admits(size_t size, int64_t now_us);
  void sent(const FrameHeader& header, int64_t now_us);
  /// Takes acknowledgements, in order; what they say of each frame goes to `deliveries`. False if one is of a frame that was not sent,
  /// or does not repeat its nonce: the viewer makes it up.
  bool acknowledged(std::span<const FrameAck> acks, int64_t now_us, std::vector<Delivery>& deliveries);

  size_t bytes() const { return bytes_; }
  size_t frames() const { return pending_.size(); }
  /// Of the oldest frame without acknowledgement; 0 if there is none.
  int64_t age_us(int64_t now_us) const { return pending_.empty() ? 0 : now_us - pending_.front().sent_us; }
  /// Shortest of the last seconds; nothing before the first acknowledgement.
  std::optional<int64_t> round_trip_us() const;

 private:
  struct Pending {
    uint32_t id, nonce, size;
    int64_t sent_us;
    uint64_t frame;
  };
  void measure(int64_t round_trip_us, int64_t now_us);

  std::deque<Pending> pending_;
  size_t bytes_ = 0;
  uint64_t video_frames_ = 0;
  uint16_t queue_ = 0;
  bool draining_ = false;
  // The minimum of this window of time and of the one before it.
  std::optional<int64_t> shortest_, shortest_before_;
  int64_t window_start_us_ = 0;
  std::optional<uint32_t> received_last_;
  int64_t received_us_ = 0;  // the viewer's clock without its wrap
  int64_t acknowledged_us_ = 0;
};

}  // namespace vitrine
