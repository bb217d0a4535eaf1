// SPDX-License-Identifier: LGPL-2.1-or-later
// The way of what a viewer says to pad mic_src: only the talker's, only what a decoder may be given, and not too much of it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/token-bucket.h"

namespace vitrine {

/// Thread-safe: packets come on streaming threads and on the session's thread.
class TalkOutput {
 public:
  /// Opus has frames from 2.5 ms on.
  static constexpr double kPacketsPerSecond = 400, kPacketsBurst = 200;

  /// `push` gets one Opus packet; it must not block.
  explicit TalkOutput(std::function<void(Ref<GstBuffer>)> push) : push_(std::move(push)) {}

  /// What `viewer` says is passed on from now on, nobody's if empty.
  void set_talker(const std::string& viewer);
  /// Whether it was passed on.
  bool push(const std::string& viewer, std::span<const uint8_t> packet);

 private:
  const std::function<void(Ref<GstBuffer>)> push_;
  Mutex mutex_;
  std::string talker_ GUARDED_BY(mutex_);
  TokenBucket rate_ GUARDED_BY(mutex_){kPacketsPerSecond, kPacketsBurst};
};

}  // namespace vitrine
