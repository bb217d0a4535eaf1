// SPDX-License-Identifier: LGPL-2.1-or-later
// What every congestion control is: feedback in, target out. Pure: no clock of its own, no I/O (docs/rate-control.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "webrtc/rate/delivery.h"

namespace vitrine {

enum class ControlKind {
  desktop,  // RateController
  gcc,      // made for cameras, to compare with
  off,      // the most, whatever happens
};

/// Where `max_bps` is below `min_bps` it is the one that counts.
struct RateLimits {
  double min_bps = 300e3, start_bps = 4e6, max_bps = 50e6;
  ControlKind control = ControlKind::desktop;  // once made, it stays
};

enum class RateState {
  starting,   // no feedback yet
  limited,    // the desktop sends less than it may: nothing is learnt, nothing forgotten
  growing,    // towards what the path has shown to carry
  steady,
  draining,   // a queue stands on the way
  competing,  // a queue stands that is not ours
  blind,      // no feedback although packets are on the way
};
const char* to_string(RateState state);

struct RateFacts {
  RateState state = RateState::starting;
  double target_bps = 0, delivered_bps = 0, capacity_bps = 0, loss = 0;
  int64_t queue_us = 0, rtt_us = 0;
  uint64_t clock_steps = 0;
};

/// A burst of padding that asks the path how much it carries.
struct RateProbe {
  uint32_t bytes = 0;
  double bps = 0;  // rate to send it with
};

/// Not thread-safe. All times are of one monotonic clock, but Delivery::arrived_us.
class RateControl {
 public:
  /// A path of which little is known gets a frame that is larger than this in so long at most, and no faster than so many times what is known.
  static constexpr double kAtOnceBits = 10 * 1200 * 8, kSpreadGain = 2.5;
  static constexpr int64_t kSpreadUs = 8'000;

  virtual ~RateControl() = default;
  virtual void set_limits(const RateLimits& limits) = 0;
  /// A packet (or whole frame) leaves.
  virtual void sent(int64_t now_us, uint32_t size) = 0;
  /// In the order of sending. Unsent or absurd deliveries are the caller's to sort out (SendLog).
  virtual void feedback(int64_t now_us, std::span<const Delivery> deliveries) = 0;
  /// A question that the viewer answers at once leaves, `bytes` of its frame before it; the answer comes.
  virtual void asked(int64_t, uint64_t, uint32_t) {}
  virtual void answered(int64_t, uint64_t) {}
  /// To be called every 50 ms or so.
  virtual void tick(int64_t now_us) = 0;

  virtual double target_bps() const = 0;
  /// The path holds as much as it should: encode no frame now. Never longer than the feedback's silence.
  virtual bool full(int64_t) const { return false; }
  /// Answers are late: what is about to leave had better wait, a part of a frame too.
  virtual bool late(int64_t) const { return false; }
  /// In how long the packets of a frame of `bits` are to leave; 0: at once, as echoes of input do.
  virtual int64_t spread_us(double bits) const;
  /// A probe that is due; asked for by whoever can send padding.
  virtual std::optional<RateProbe> probe(int64_t) { return std::nullopt; }
  virtual RateFacts facts() const = 0;
};

std::unique_ptr<RateControl> make_rate_control(const RateLimits& limits);

}  // namespace vitrine
