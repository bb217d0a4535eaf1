// SPDX-License-Identifier: LGPL-2.1-or-later
// Yields early, comes back slowly.
#include "webrtc/files/download-rate.h"

#include <algorithm>

namespace vitrine {
namespace {

/// By a step, where the path is empty, and where the queue is twice as long as it may be or longer.
constexpr double kGrow = 0.03, kYield = 0.4;

}  // namespace

void DownloadRate::tick(int64_t now_us, int64_t queue_us, uint64_t feedback, double arriving) {
  if (feedback != feedback_)
    heard_us_ = now_us;
  feedback_ = feedback;
  if (now_us - heard_us_ > kStaleUs)
    queue_us = 0;
  const double room = std::max(-1.0, 1.0 - static_cast<double>(queue_us) / kQueueUs);
  // More than arrives has no effect, and would only take longer to fall.
  rate_ = std::min(rate_, room > 0 ? kStart + 2 * arriving : std::max(kLeast, arriving));
  rate_ = std::clamp(rate_ * (1 + room * (room > 0 ? kGrow : kYield)), kLeast, kMost);
}

}  // namespace vitrine
