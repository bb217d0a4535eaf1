// SPDX-License-Identifier: LGPL-2.1-or-later
// Congestion control for desktop traffic (docs/rate-control.md).
#pragma once

#include <cstdint>
#include <deque>

#include "webrtc/rate/capacity-meter.h"
#include "webrtc/rate/echo-meter.h"
#include "webrtc/rate/loss-meter.h"
#include "webrtc/rate/queue-meter.h"
#include "webrtc/rate/rate-control.h"

namespace vitrine {

/// Not thread-safe. All times are of one monotonic clock, but Delivery::arrived_us.
class RateController : public RateControl {
 public:
  /// The share of the measured capacity that is used.
  static constexpr double kUse = 0.95;
  static constexpr int64_t kQueueMinUs = 15'000;     // a standing queue below this is none
  static constexpr int64_t kQueueDeepUs = 50'000;    // one look is enough
  static constexpr int64_t kEchoLateUs = 8'000;      // an answer later than this, and than what is usual, tells of a new queue
  static constexpr int64_t kBlindUs = 500'000;       // packets on the way and no feedback
  static constexpr int64_t kCompetingUs = 1'500'000; // the queue stands though we have given way
  static constexpr int64_t kIdleProbeUs = 5'000'000; // estimate not confirmed for this long
  static constexpr double kLossHigh = 0.10;
  // Where trains have measured the path, a frame leaves only a little faster than it passes: its last packet arrives as soon as if all had left at
  // once, and what comes beside it does not wait behind it.
  static constexpr double kMeasuredSpreadGain = 1.3, kMeasuredAtOnceBits = 4 * 1200 * 8;
  static constexpr int64_t kMeasuredSpreadUs = 40'000;

  explicit RateController(const RateLimits& limits);
  void set_limits(const RateLimits& limits) override;
  void sent(int64_t now_us, uint32_t size) override;
  void feedback(int64_t now_us, std::span<const Delivery> deliveries) override;
  void asked(int64_t now_us, uint64_t id, uint32_t bytes) override;
  void answered(int64_t now_us, uint64_t id) override;
  void tick(int64_t now_us) override;
  double target_bps() const override { return target_bps_; }
  bool full(int64_t now_us) const override;
  bool late(int64_t now_us) const override;
  int64_t spread_us(double bits) const override;
  std::optional<RateProbe> probe(int64_t now_us) override;
  RateFacts facts() const override;

 private:
  struct Flying {
    int64_t sent_us;
    uint32_t size;
  };
  struct Train {
    uint64_t frame = 0;
    int64_t first_sent_us = 0, last_sent_us = 0, first_arrived_us = 0, last_arrived_us = 0;
    uint32_t packets = 0, first_size = 0, bytes = 0;
    uint32_t between = 0;  // of retransmissions behind its last packet: they take their time on the link too
    bool broken = false;  // a packet is missing
  };
  void take(const Delivery& delivery);
  void close_train();
  void judge_queue(int64_t now_us);
  void on_queue(int64_t now_us);
  void on_clear(int64_t now_us);
  void creep(int64_t now_us);
  void compete(int64_t now_us);
  void judge_loss(int64_t now_us);
  void set_target(double bps);
  bool limited(int64_t now_us) const;
  int64_t threshold_us() const;
  double sent_bps(int64_t now_us, int64_t window_us) const;
  double own_bits(int64_t now_us) const;

  RateLimits limits_;
  double target_bps_;
  RateState state_ = RateState::starting;
  QueueMeter queue_;
  CapacityMeter capacity_;
  LossMeter loss_;
  EchoMeter echoes_;
  Train train_;
  int64_t now_us_ = 0;

  std::deque<Flying> flying_, recent_;  // recent_: the last second's
  uint64_t flying_bytes_ = 0;
  double own_bits_ = 0;  // that wait at the narrowest link if it carries link_bps_, when the last packet left
  int64_t last_sent_us_ = 0, last_feedback_us_ = 0, feedback_interval_us_ = 60'000, rtt_us_ = 100'000;
  int64_t blind_since_us_ = 0;

  int64_t delivered_since_us_ = 0;  // when the feedback came that first_arrival_us_ is of
  // Of the feedback being read, the first three also of those before it, if they told too little:
  int64_t first_arrival_us_ = 0, last_arrival_us_ = 0, previous_arrival_us_ = 0;
  uint64_t arrived_bytes_ = 0, lost_now_ = 0;
  int64_t answers_late_us_ = 0;
  bool delivered_now_ = false, held_up_ = false;  // delivered_bps_ is of this feedback; it is less than what left, and answers are late
  double delivered_bps_ = 0, usual_bps_ = 0;  // usual: over a few feedbacks

  int64_t queue_since_us_ = 0, calm_since_us_ = 0, cut_us_ = 0, grown_us_ = 0, confirmed_us_ = 0, probed_us_ = 0;
  int64_t last_standing_us_ = 0, held_us_ = 0, suspect_us_ = 0, crept_us_ = 0;
  double suspect_bps_ = 0;  // the newest train was this slow: a queue may be growing behind it
  double carried_bps_ = 0;  // what the newest large train came with, and when that was told
  int64_t carried_us_ = 0;
  double link_bps_ = 0;  // what the path carried at its best of late, slowly forgotten
};

}  // namespace vitrine
