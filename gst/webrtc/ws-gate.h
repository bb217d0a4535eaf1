// SPDX-License-Identifier: LGPL-2.1-or-later
// Between the encoders' threads and the session's: frames for one viewer's media socket, never more than its window admits.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/frame-sink.h"
#include "webrtc/latency/frame-log.h"
#include "webrtc/outlet.h"
#include "webrtc/rate/viewer-rate.h"
#include "webrtc/ws-window.h"

namespace vitrine {

struct WsFrame {
  FrameHeader header;
  Ref<GstBuffer> buffer;
};

struct WsFacts {
  uint64_t bytes_sent = 0, frames_sent = 0;
  size_t unacknowledged_bytes = 0, unacknowledged_frames = 0;
  int64_t age_us = 0;                    // of the oldest of them
  int64_t round_trip_us = -1;            // -1: not known yet
};

/// Thread-safe.
class WsGate {
 public:
  /// `wake` is called on any thread when there is something for take(). `rate` is told of all frames, and what became of them.
  WsGate(std::function<void()> wake, std::shared_ptr<ViewerRate> rate) : wake_(std::move(wake)), rate_(std::move(rate)) {}

  /// False if the viewer is too slow for this frame now.
  bool push(FrameKind kind, bool key, uint32_t rtp_time, uint64_t capture_us, GstBuffer* buffer);
  /// Whether the viewer has caught up.
  bool ready();
  /// Frames to be sent, in order.
  std::deque<WsFrame> take();
  bool acknowledged(std::span<const FrameAck> acks);
  WsFacts facts() const;
  /// Lets go of what waits; push() takes nothing any more.
  void close();

 private:
  uint32_t nonce() REQUIRES(mutex_);

  const std::function<void()> wake_;
  const std::shared_ptr<ViewerRate> rate_;
  mutable Mutex mutex_;
  WsWindow window_ GUARDED_BY(mutex_);
  std::deque<WsFrame> waiting_ GUARDED_BY(mutex_);
  std::array<uint32_t, 64> nonces_ GUARDED_BY(mutex_){};
  size_t nonces_used_ GUARDED_BY(mutex_) = 64;
  uint32_t last_id_ GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ GUARDED_BY(mutex_) = 0, frames_ GUARDED_BY(mutex_) = 0;
  bool closed_ GUARDED_BY(mutex_) = false;
};

/// One stream's way into the gate. Thread-safe.
class WsOutlet : public FrameSink {
 public:
  /// `log` is told of video.
  WsOutlet(std::shared_ptr<WsGate> gate, bool video, std::shared_ptr<FrameLog> log);

  /// True if a keyframe is needed.
  bool open();
  bool push(GstBuffer* buffer, bool keyframe, const FrameTimes& times) override;
  bool waits_for_keyframe() const override;
  void close() override;
  OutletStatistics statistics() const;

 private:
  const std::shared_ptr<WsGate> gate_;
  const bool video_;
  const std::shared_ptr<FrameLog> log_;
  mutable Mutex mutex_;
  bool open_ GUARDED_BY(mutex_) = false;
  bool need_keyframe_ GUARDED_BY(mutex_) = true;
  OutletStatistics statistics_ GUARDED_BY(mutex_);
};

}  // namespace vitrine
