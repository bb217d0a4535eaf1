// SPDX-License-Identifier: LGPL-2.1-or-later
// Accounting of unacknowledged frames.
#include "webrtc/ws-window.h"

#include <algorithm>

namespace vitrine {

std::optional<int64_t> WsWindow::round_trip_us() const {
  if (shortest_ && shortest_before_)
    return std::min(*shortest_, *shortest_before_);
  return shortest_ ? shortest_ : shortest_before_;
}

void WsWindow::measure(int64_t round_trip_us, int64_t now_us) {
  if (now_us - window_start_us_ > kRoundTripWindowUs) {
    shortest_before_ = shortest_;
    shortest_.reset();
    window_start_us_ = now_us;
  }
  shortest_ = std::min(shortest_.value_or(round_trip_us), round_trip_us);
}

bool WsWindow::admits(size_t size, int64_t now_us) {
  if (draining_)
    draining_ = bytes_ > kDrainedBytes || queue_ > 1;
  else
    draining_ = age_us(now_us) > round_trip_us().value_or(kFirstRoundTripUs) + kQueueUs || queue_ > kDecodeQueue;
  // Nothing on the way: whatever was in the way is gone, and no acknowledgement will come to say so.
  if (pending_.empty()) {
    draining_ = false;
    queue_ = 0;
  }
  draining_ |= !pending_.empty() && (bytes_ + size > kBytesMax || pending_.size() >= kFramesMax);
  return !draining_;
}

void WsWindow::sent(const FrameHeader& header, int64_t now_us) {
  const bool video = header.kind == FrameKind::video;
  video_frames_ += video;
  pending_.push_back({header.id, header.nonce, header.size, now_us, video ? video_frames_ : 0});
  bytes_ += header.size;
}

bool WsWindow::acknowledged(std::span<const FrameAck> acks, int64_t now_us, std::vector<Delivery>& deliveries) {
  for (const FrameAck& ack : acks) {
    // One frame after the other, as they came: the way there keeps the order.
    if (pending_.empty() || ack.id != pending_.front().id || ack.nonce != pending_.front().nonce)
      return false;
    const Pending& frame = pending_.front();
    // It wraps every 72 minutes, and a still desktop sends nothing for hours: our own clock tells how often it did.
    if (received_last_) {
      const int64_t passed_us = now_us - acknowledged_us_;
      received_us_ += passed_us + static_cast<int32_t>(ack.received_us - *received_last_ - static_cast<uint32_t>(passed_us));
    }
    received_last_ = ack.received_us;
    acknowledged_us_ = now_us;
    deliveries.push_back({frame.frame, frame.size, frame.sent_us, received_us_});
    measure(now_us - frame.sent_us, now_us);
    bytes_ -= frame.size;
    queue_ = ack.queue;
    pending_.pop_front();
  }
  return true;
}

}  // namespace vitrine
