// SPDX-License-Identifier: LGPL-2.1-or-later
// First and last bytes of frames.
#include "webrtc/rate/frame-feedback.h"

#include <algorithm>

namespace vitrine {

bool FrameFeedback::jumped(const Delivery& frame, int64_t now_us) const {
  if (!arrived_us_)
    return false;
  // The path keeps the order, and no frame can have waited for longer than it took to be acknowledged.
  const int64_t waited_us = frame.arrived_us - frame.sent_us - way_.value();
  return frame.arrived_us < *arrived_us_ - kJumpUs || waited_us > now_us - frame.sent_us + kJumpUs;
}

void FrameFeedback::add(std::span<const Delivery> frames, int64_t now_us, std::vector<Delivery>& packets) {
  for (const Delivery& frame : frames) {
    if (jumped(frame, now_us)) {
      way_.clear();
      arrived_us_.reset();
    }
    way_.add(frame.sent_us, frame.arrived_us - frame.sent_us);
    const int64_t empty_us = frame.sent_us + way_.value();  // when it would have come on an empty path, were it small
    const bool behind = arrived_us_ && *arrived_us_ > empty_us;
    const int64_t first_us = behind ? *arrived_us_ : std::min(empty_us, frame.arrived_us);
    arrived_us_ = std::max(arrived_us_.value_or(frame.arrived_us), frame.arrived_us);
    if (frame.frame != 0)
      packets.push_back({frame.frame, 0, frame.sent_us, first_us});
    packets.push_back({behind ? frame.frame : 0, frame.size, frame.sent_us, std::max(first_us, frame.arrived_us)});
  }
}

}  // namespace vitrine
