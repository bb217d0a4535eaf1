// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktop's congestion controller.
#include "webrtc/rate/rate-controller.h"

#include <limits>

#include <algorithm>
#include <cmath>
#include <utility>

namespace vitrine {
namespace {
constexpr int64_t kRecentUs = 1'000'000;
constexpr double kGrowth = 1.25;           // per feedback, while trains say that the path carries more
constexpr double kBlindGrowth = 1.1;      // the same without trains
constexpr int64_t kCreepUs = 200'000;
constexpr int64_t kDeliveredUs = 30'000;     // of arrivals, that tell how much arrives
constexpr int64_t kTrickleUs = 1'500'000;
constexpr int64_t kLargePicturesUs = 300'000;  // that a queue may be theirs
constexpr double kDrainUse = 0.85, kDrainLeast = 0.7;
constexpr int64_t kGrowthGapUs = 40'000;   // and not more often than this
constexpr int64_t kTrustPauseUs = 300'000; // after a cut
constexpr int64_t kLowProbeUs = 1'000'000; // between probes while the target is far below what the path carried before
constexpr uint32_t kSuspectMin = 4800;      // bytes of a train that may raise suspicion
constexpr double kFullMinBits = 128e3;      // on the way that never fill a path: a few frames
constexpr double kShareLow = 0.42, kShareHigh = 0.55;
}  // namespace

RateController::RateController(const RateLimits& limits) : limits_(limits), target_bps_(limits.start_bps) { set_target(target_bps_); }

void RateController::set_limits(const RateLimits& limits) {
  limits_ = limits;
  set_target(target_bps_);
}

void RateController::set_target(double bps) { target_bps_ = std::min(std::max(bps, limits_.min_bps), limits_.max_bps); }

void RateController::sent(int64_t now_us, uint32_t size) {
  flying_.push_back({now_us, size});
  recent_.push_back({now_us, size});
  flying_bytes_ += size;
  own_bits_ = (link_bps_ > 0 ? own_bits(now_us) : 0) + size * 8.0;
  while (now_us - recent_.front().sent_us > kRecentUs)
    recent_.pop_front();
  last_sent_us_ = now_us;
}

void RateController::asked(int64_t now_us, uint64_t id, uint32_t bytes) {
  // Behind what of its own frame has not passed the narrowest link yet. Frames before that are a queue.
  echoes_.asked(now_us, id, link_bps_ > 0 ? static_cast<int64_t>(std::min(own_bits(now_us), bytes * 8.0) * 1e6 / link_bps_) : 0);
}

double RateController::own_bits(int64_t now_us) const {
  return std::max(0.0, own_bits_ - link_bps_ * static_cast<double>(now_us - last_sent_us_) / 1e6);
}

void RateController::answered(int64_t now_us, uint64_t id) {
  if (late(now_us))
    held_us_ = now_us;
  echoes_.answered(now_us, id);
}

double RateController::sent_bps(int64_t now_us, int64_t window_us) const {
  double bytes = 0;
  for (auto i = recent_.rbegin(); i != recent_.rend() && now_us - i->sent_us <= window_us; ++i)
    bytes += i->size;
  return bytes * 8e6 / static_cast<double>(window_us);
}

bool RateController::limited(int64_t now_us) const {
  // What was held back here is not the desktop's stillness.
  return sent_bps(now_us, 250'000) < 0.6 * target_bps_ && (held_us_ == 0 || now_us - held_us_ > 500'000);
}

int64_t RateController::threshold_us() const { return kQueueMinUs + 2 * std::min<int64_t>(queue_.noise_us(), 10'000); }

void RateController::close_train() {
  const Train train = train_;
  train_ = Train{};
  if (train.packets == 0)
    return;
  // A whole frame in one delivery (WebSocket): its time on the link is part of its delay.
  const int64_t own_us = train.packets == 1 && train.first_size > 4000 && link_bps_ > 0
                             ? static_cast<int64_t>(train.first_size * 8e6 / link_bps_) : 0;
  queue_.add(train.first_sent_us, train.first_arrived_us - own_us);
  if (train.packets > 1) {
    const int64_t span_us = train.last_arrived_us - train.first_arrived_us, sent_span_us = train.last_sent_us - train.first_sent_us;
    if (!train.broken)
      capacity_.add(now_us_, train.bytes, span_us, sent_span_us);
    const double train_bps = train.bytes * 8e6 / static_cast<double>(std::max<int64_t>(span_us, 1));
    const bool slow = train.bytes >= kSuspectMin && span_us > 10'000 && span_us > 2 * sent_span_us && train_bps < 0.7 * target_bps_;
    suspect_bps_ = slow ? train_bps : 0;
    // Packets that come all at once, as by Wi-Fi, tell nothing.
    if (train.bytes >= kSuspectMin && !train.broken && span_us >= CapacityMeter::kSpanMinUs) {
      carried_bps_ = train_bps;
      carried_us_ = now_us_;
    }
    suspect_us_ = now_us_;
  } else if (train.first_size > 4000 && queue_.known()) {
    const int64_t begin_us = std::max(previous_arrival_us_, train.first_sent_us + queue_.base_us());
    capacity_.add(now_us_, train.first_size, std::max<int64_t>(0, train.first_arrived_us - begin_us), 0);
  }
  previous_arrival_us_ = train.last_arrived_us;
}

void RateController::take(const Delivery& delivery) {
  loss_.add(delivery.lost());
  if (delivery.lost()) {
    ++lost_now_;
    train_.broken |= delivery.frame == train_.frame;
    return;
  }
  if (first_arrival_us_ == 0)
    first_arrival_us_ = delivery.arrived_us;
  else
    arrived_bytes_ += delivery.size;
  last_arrival_us_ = std::max(last_arrival_us_, delivery.arrived_us);
  if (delivery.frame == 0) {
    train_.between += delivery.size;
    return;
  }
  if (delivery.frame != train_.frame) {
    close_train();
    train_.frame = delivery.frame;
    train_.first_sent_us = train_.last_sent_us = delivery.sent_us;
    train_.first_arrived_us = train_.last_arrived_us = delivery.arrived_us;
    train_.first_size = delivery.size;
    train_.packets = 1;
    return;
  }
  ++train_.packets;
  train_.bytes += delivery.size + std::exchange(train_.between, 0);
  train_.last_sent_us = std::max(train_.last_sent_us, delivery.sent_us);
  train_.last_arrived_us = std::max(train_.last_arrived_us, delivery.arrived_us);
}

void RateController::feedback(int64_t now_us, std::span<const Delivery> deliveries) {
  if (deliveries.empty())
    return;
  now_us_ = now_us;
  if (last_feedback_us_ != 0 && now_us - last_feedback_us_ < 300'000)
    feedback_interval_us_ += (now_us - last_feedback_us_ - feedback_interval_us_) / 8;
  last_feedback_us_ = now_us;
  blind_since_us_ = 0;
  int64_t newest_us = 0, oldest_us = now_us;
  bool received = false;
  // What has arrived in too short a time to tell counts with the next.
  if (delivered_now_ || now_us - delivered_since_us_ > 2 * kDeliveredUs) {
    first_arrival_us_ = 0;
    last_arrival_us_ = std::numeric_limits<int64_t>::min();
    arrived_bytes_ = 0;
    delivered_since_us_ = now_us;
  }
  lost_now_ = 0;
  for (const auto& delivery : deliveries) {
    newest_us = std::max(newest_us, delivery.sent_us);
    received |= !delivery.lost();
    if (!delivery.lost())
      oldest_us = std::min(oldest_us, delivery.sent_us);
    take(delivery);
  }
  close_train();
  const bool answers_late = late(now_us);
  if (answers_late)
    held_us_ = now_us;
  const int64_t late_us = echoes_.late_us(now_us);
  answers_late_us_ = answers_late && late_us > kEchoLateUs + 2 * echoes_.noise_us() ? late_us : 0;
  echoes_.told(newest_us);
  while (!flying_.empty() && flying_.front().sent_us <= newest_us) {
    flying_bytes_ -= flying_.front().size;
    flying_.pop_front();
  }
  if (!received)
    return judge_loss(now_us);
  rtt_us_ = std::max<int64_t>(0, now_us - newest_us);
  queue_.feedback(now_us, rtt_us_, now_us - oldest_us);
  const int64_t span_us = last_arrival_us_ - first_arrival_us_;
  delivered_now_ = span_us >= kDeliveredUs && arrived_bytes_ > 0;
  if (delivered_now_) {
    delivered_bps_ = static_cast<double>(arrived_bytes_) * 8e6 / static_cast<double>(span_us);
    usual_bps_ += 0.25 * (delivered_bps_ - usual_bps_);
  }
  // Where a single frame fills the path, being full is no sign of a queue.
  if (full(now_us) && static_cast<double>(flying_bytes_) * 8 > 2 * kFullMinBits)
    held_us_ = now_us;
  judge_queue(now_us);
  judge_loss(now_us);
}

void RateController::judge_queue(int64_t now_us) {
  // A slow train and a late frame together need no second look.
  const bool growing = suspect_bps_ > 0 && suspect_bps_ < 0.7 * target_bps_ && queue_.newest_us() > kQueueDeepUs / 2 + threshold_us();
  // Of a frame that is still arriving feedback tells little; that its answers are late and less arrives than has left tells of a queue too.
  const double offered_bps = std::min(target_bps_, std::max(sent_bps(now_us, 250'000), sent_bps(now_us, 100'000)));
  held_up_ = answers_late_us_ > 0 && delivered_now_ && delivered_bps_ < 0.7 * offered_bps;
  const int64_t answers_us = held_up_ ? answers_late_us_ : 0;
  const int64_t standing = std::max(growing ? queue_.newest_us() : queue_.standing_us(), answers_us);
  const bool queued = standing > threshold_us();
  if (!queued) {
    queue_since_us_ = 0;
    if (calm_since_us_ == 0)
      calm_since_us_ = now_us;
  } else {
    calm_since_us_ = 0;
    if (queue_since_us_ == 0)
      queue_since_us_ = now_us;
  }
  if (state_ == RateState::competing) {
    compete(now_us);
  } else if (queued && (growing || standing > kQueueDeepUs || now_us > queue_since_us_)) {
    on_queue(now_us);
  } else if (!queued) {
    on_clear(now_us);
  }
  last_standing_us_ = standing;
}

void RateController::on_queue(int64_t now_us) {
  const bool was_limited = limited(now_us);
  // A trickle that is late was not what filled the queue; only one that stays is believed.
  if (was_limited && now_us - queue_since_us_ < kTrickleUs)
    return;
  if (now_us - queue_since_us_ > kCompetingUs && link_bps_ > 0 && sent_bps(now_us, 500'000) < 0.9 * delivered_bps_ + 0.2 * link_bps_ &&
      queue_.standing_us() > last_standing_us_ / 2) {
    state_ = RateState::competing;
    set_target(std::max(target_bps_, kShareLow * link_bps_));
    cut_us_ = now_us;
    return;
  }
  state_ = RateState::draining;
  if (now_us - cut_us_ < rtt_us_ && queue_.standing_us() < kQueueDeepUs)
    return;  // the last cut has not reached the viewer yet
  // The path carries what it did: it was the pictures that were too large. They are held back until the queue has gone.
  if (carried_us_ == now_us && carried_bps_ > target_bps_ && now_us - queue_since_us_ < kLargePicturesUs)
    return;
  if (cut_us_ == 0 || now_us - cut_us_ > 1'000'000)
    capacity_.clear();  // trains of before
  cut_us_ = now_us;
  // While a queue stands, what arrives is what the path carries.
  double carried = was_limited ? 0.7 * target_bps_ : std::min(delivered_bps_, target_bps_);
  // A path that was idle in between carried more than what arrived; then its trains tell, or else the fall is a careful one. Where answers are late
  // it was not idle.
  if (!was_limited && !held_up_ && sent_bps(now_us, 250'000) < 0.6 * target_bps_ && queue_.standing_us() < 4 * kQueueDeepUs)
    carried = std::max(carried, capacity_.known() ? std::min(capacity_.bps(), target_bps_) : 0.9 * target_bps_);
  // The queue drains while full() says so; the target only has to fit what the path carries.
  // What a queue that stands lets arrive is known to be carried, so that there is no need to fall far below it.
  set_target(std::min(target_bps_, std::max(carried * kDrainUse, was_limited ? 0 : kDrainLeast * delivered_bps_)));
}

void RateController::on_clear(int64_t now_us) {
  // Frames of one or two packets make no trains. A target that is used and leaves no queue may still grow.
  const bool told = capacity_.known() && now_us - capacity_.newest_us() < CapacityMeter::kWindowUs;
  if (!told) {
    if (limited(now_us)) {
      state_ = RateState::limited;
      creep(now_us);
    } else if (now_us - grown_us_ > std::max(kGrowthGapUs, rtt_us_) && now_us - cut_us_ > kTrustPauseUs && queue_.standing_us() < kQueueMinUs) {
      grown_us_ = now_us;
      state_ = RateState::growing;
      set_target(target_bps_ * kBlindGrowth);
    }
    return;
  }
  if (capacity_.newest_us() == now_us) {
    link_bps_ = std::max(link_bps_ * 0.9995, std::min(capacity_.bps(), limits_.max_bps * 1.1));
    confirmed_us_ = now_us;
  }
  const double room = kUse * capacity_.bps();
  if (room > target_bps_) {
    const bool settled = cut_us_ == 0 || now_us - cut_us_ > kTrustPauseUs;
    if (!settled || now_us - grown_us_ < kGrowthGapUs || queue_.standing_us() > kQueueMinUs)
      return;
    grown_us_ = now_us;
    // Trains that were sent slowly prove little: then only a used target may grow.
    if (!capacity_.exact() && limited(now_us)) {
      state_ = RateState::limited;
      creep(now_us);
      return;
    }
    state_ = room > 1.05 * target_bps_ ? RateState::growing : RateState::steady;
    set_target(std::min(room, target_bps_ * kGrowth));
  } else if (capacity_.exact()) {
    state_ = RateState::steady;
    set_target(target_bps_ + 0.3 * (room - target_bps_));
  }
}

/// After a deep fall a still desktop proves nothing, so that the target may go back to half of what the path carried before; what trains have shown
/// since is the bound.
void RateController::creep(int64_t now_us) {
  double most = link_bps_ / 2;
  if (capacity_.known())
    most = std::min(most, kUse * capacity_.bps());
  if (target_bps_ >= most || calm_since_us_ == 0 || now_us - calm_since_us_ < 1'000'000 || now_us - crept_us_ < kCreepUs)
    return;
  crept_us_ = now_us;
  set_target(std::min(most, target_bps_ * kBlindGrowth));
}

/// A queue stands that our giving way does not drain: somebody else's. An even share is taken, losses shrink it.
void RateController::compete(int64_t now_us) {
  if (calm_since_us_ != 0 && now_us - calm_since_us_ > 1'000'000) {
    state_ = RateState::steady;
    return;
  }
  const double sending = sent_bps(now_us, 500'000);
  if (now_us - cut_us_ > 500'000 && sending > 0.5 * target_bps_ && std::max(delivered_bps_, usual_bps_) < 0.6 * sending) {
    // It is ours after all: the path carries less than it did.
    link_bps_ = usual_bps_;
    cut_us_ = now_us;
    queue_since_us_ = now_us;
    state_ = RateState::draining;
    set_target(0.7 * usual_bps_);
    return;
  }
  if (lost_now_ > 0 && now_us - cut_us_ > 2 * rtt_us_) {
    cut_us_ = now_us;
    set_target(std::max(kShareLow * link_bps_, 0.9 * target_bps_));
  } else if (now_us - grown_us_ > rtt_us_) {
    grown_us_ = now_us;
    set_target(std::min(kShareHigh * link_bps_, target_bps_ * 1.02));
  }
}

void RateController::judge_loss(int64_t now_us) {
  if (!loss_.judge(now_us))
    return;
  const double loss = loss_.fraction();
  // Random loss stays as it is however little is sent, so moderate loss is repaired, not fled from.
  if (loss > kLossHigh) {
    set_target(target_bps_ * (1 - loss / 2));
    cut_us_ = now_us;
  }
}

void RateController::tick(int64_t now_us) {
  now_us_ = now_us;
  if (flying_.empty()) {
    blind_since_us_ = 0;
    return;
  }
  const int64_t patience_us = std::max(kBlindUs, 3 * (rtt_us_ + feedback_interval_us_));
  const int64_t waiting_us = now_us - std::max(flying_.front().sent_us, last_feedback_us_);
  if (waiting_us < patience_us || (blind_since_us_ != 0 && now_us - blind_since_us_ < kBlindUs))
    return;
  blind_since_us_ = now_us;
  state_ = RateState::blind;
  set_target(0.7 * target_bps_);
  // What has been on the way for so long is lost or delivered.
  while (!flying_.empty() && now_us - flying_.front().sent_us > 2 * patience_us) {
    flying_bytes_ -= flying_.front().size;
    flying_.pop_front();
  }
}

/// A path that has become narrow shows in the answers before feedback tells of it. Where neither comes any more nothing is waited for.
bool RateController::late(int64_t now_us) const {
  return now_us - last_feedback_us_ < kBlindUs && state_ != RateState::competing && static_cast<double>(flying_bytes_) * 8 > kFullMinBits &&
         echoes_.late_us(now_us) > queue_.standing_us() + kEchoLateUs + echoes_.noise_us();
}

bool RateController::full(int64_t now_us) const {
  if (flying_.empty() || last_feedback_us_ == 0 || state_ == RateState::competing)
    return false;
  if (now_us - last_feedback_us_ >= kBlindUs)
    return false;
  if (late(now_us))
    return true;
  const double room_us = static_cast<double>(queue_.rtt_min_us() + feedback_interval_us_ + 30'000);
  // A suspicion holds until the next feedback confirms it or not.
  const bool suspicious = suspect_bps_ > 0 && now_us - suspect_us_ < feedback_interval_us_ + 30'000;
  const double bps = suspicious ? std::min(target_bps_, suspect_bps_) : target_bps_;
  return static_cast<double>(flying_bytes_) * 8 > std::max(bps * room_us / 1e6, kFullMinBits);
}

int64_t RateController::spread_us(double bits) const {
  // While a queue drains the target is what is known.
  const bool draining = state_ == RateState::draining && !capacity_.exact();
  if (!capacity_.exact() && !draining)
    return RateControl::spread_us(bits);
  const double bps = kMeasuredSpreadGain * (draining ? target_bps_ : std::max(target_bps_, capacity_.bps()));
  return bits <= kMeasuredAtOnceBits ? 0 : std::min(kMeasuredSpreadUs, static_cast<int64_t>(bits * 1e6 / bps));
}

std::optional<RateProbe> RateController::probe(int64_t now_us) {
  // After stillness the first large change is to know how much the path carries; while frames are large they tell it themselves.
  const int64_t known_us = std::max({confirmed_us_, probed_us_, cut_us_});
  if (state_ == RateState::starting || state_ == RateState::blind || state_ == RateState::competing ||
      now_us - known_us < (target_bps_ < link_bps_ / 2 ? kLowProbeUs : kIdleProbeUs) || queue_.standing_us() > kQueueMinUs || now_us - last_sent_us_ > 200'000)
    return std::nullopt;
  probed_us_ = now_us;
  const double bps = std::min(2 * target_bps_, 1.5 * limits_.max_bps);
  return RateProbe{static_cast<uint32_t>(std::clamp(bps * 0.01 / 8, 6000.0, 60000.0)), bps};
}

RateFacts RateController::facts() const {
  RateFacts facts;
  facts.state = state_;
  facts.target_bps = target_bps_;
  facts.delivered_bps = delivered_bps_;
  facts.capacity_bps = capacity_.known() ? capacity_.bps() : link_bps_;
  facts.loss = loss_.fraction();
  facts.queue_us = queue_.standing_us();
  facts.rtt_us = rtt_us_;
  facts.clock_steps = queue_.clock_steps();
  return facts;
}

}  // namespace vitrine
