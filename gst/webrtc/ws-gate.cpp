// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames wait here for the session's thread.
#include "webrtc/ws-gate.h"

#include <sys/random.h>

namespace vitrine {
namespace {

constexpr uint64_t kVideoRate = 90'000, kAudioRate = 48'000;

}  // namespace

uint32_t WsGate::nonce() {
  if (nonces_used_ == nonces_.size()) {
    // As many bytes as the kernel always gives at once (getrandom(2): up to 256).
    static_assert(sizeof nonces_ <= 256);
    if (getrandom(nonces_.data(), sizeof nonces_, 0) != static_cast<ssize_t>(sizeof nonces_))
      for (auto& value : nonces_)
        value = g_random_int();
    nonces_used_ = 0;
  }
  return nonces_[nonces_used_++];
}

bool WsGate::push(FrameKind kind, bool key, uint32_t rtp_time, uint64_t capture_us, GstBuffer* buffer) {
  const size_t size = gst_buffer_get_size(buffer);
  const int64_t now_us = g_get_monotonic_time();
  {
    MutexLock lock(mutex_);
    if (closed_ || size == 0 || size > kFrameMax || !window_.admits(size, now_us))
      return false;
    const FrameHeader header{kind, key, ++last_id_, nonce(), rtp_time, capture_us, static_cast<uint32_t>(size)};
    window_.sent(header, now_us);
    rate_->left(header.size, now_us);
    bytes_ += size + kFrameHeaderSize;
    frames_ += kind == FrameKind::video;
    const bool first = waiting_.empty();
    waiting_.push_back({header, Ref<GstBuffer>::share(buffer)});
    if (!first)
      return true;  // it was woken for that one
  }
  wake_();
  return true;
}

bool WsGate::ready() {
  MutexLock lock(mutex_);
  return !closed_ && window_.admits(0, g_get_monotonic_time());
}

std::deque<WsFrame> WsGate::take() {
  MutexLock lock(mutex_);
  return std::exchange(waiting_, {});
}

bool WsGate::acknowledged(std::span<const FrameAck> acks) {
  const int64_t now_us = g_get_monotonic_time();
  std::vector<Delivery> deliveries;
  {
    MutexLock lock(mutex_);
    if (!window_.acknowledged(acks, now_us, deliveries))
      return false;
  }
  rate_->told(deliveries, now_us);
  return true;
}

WsFacts WsGate::facts() const {
  MutexLock lock(mutex_);
  return {bytes_, frames_, window_.bytes(), window_.frames(), window_.age_us(g_get_monotonic_time()),
          window_.round_trip_us().value_or(-1)};
}

void WsGate::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  waiting_.clear();
}

WsOutlet::WsOutlet(std::shared_ptr<WsGate> gate, bool video, std::shared_ptr<FrameLog> log)
    : gate_(std::move(gate)), video_(video), log_(std::move(log)) {}

bool WsOutlet::open() {
  MutexLock lock(mutex_);
  open_ = true;
  need_keyframe_ = video_;
  return need_keyframe_;
}

void WsOutlet::close() {
  MutexLock lock(mutex_);
  open_ = false;
}

bool WsOutlet::waits_for_keyframe() const {
  MutexLock lock(mutex_);
  // A viewer that has not caught up must not cost the others keyframes.
  return open_ && need_keyframe_ && gate_->ready();
}

OutletStatistics WsOutlet::statistics() const {
  MutexLock lock(mutex_);
  return statistics_;
}

bool WsOutlet::push(GstBuffer* buffer, bool keyframe, const FrameTimes& times) {
  MutexLock lock(mutex_);
  if (!open_)
    return false;
  if (video_ && need_keyframe_ && !keyframe) {
    ++statistics_.dropped;
    log_->left_out(MediaWay::websocket, times);
    return gate_->ready();
  }
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const uint64_t rtp_time = GST_CLOCK_TIME_IS_VALID(pts) ? gst_util_uint64_scale(pts, video_ ? kVideoRate : kAudioRate, GST_SECOND) : 0;
  // First: the session's thread may send it before we go on.
  if (video_)
    log_->passed(MediaWay::websocket, static_cast<uint32_t>(rtp_time), times, g_get_monotonic_time());
  const bool sent = gate_->push(video_ ? FrameKind::video : FrameKind::audio, !video_ || keyframe, static_cast<uint32_t>(rtp_time),
                                static_cast<uint64_t>(times.capture_us), buffer);
  if (!sent) {
    if (video_)
      log_->left_out(MediaWay::websocket, times);
    statistics_.overruns += !need_keyframe_;
    ++statistics_.dropped;
    need_keyframe_ = video_;
    return false;  // asked for once the viewer has caught up
  }
  need_keyframe_ = false;
  ++statistics_.frames;
  return false;
}

}  // namespace vitrine
