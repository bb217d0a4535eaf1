// SPDX-License-Identifier: LGPL-2.1-or-later
// Frame gate.
#include "webrtc/outlet.h"

#include <algorithm>

namespace vitrine {
namespace {
// A transport that holds more than this much time of video is too slow; it gets frames again when it holds less than kDrained.
constexpr double kBacklogSeconds = 0.15;
constexpr double kBacklogBytesMin = 128 * 1024;
constexpr size_t kDrainedBytes = 16 * 1024;
constexpr guint64 kVideoRate = 90'000;
}  // namespace

Outlet::Outlet(Ref<GstElement> appsrc, bool video, std::function<size_t()> backlog, std::shared_ptr<FrameLog> log, uint32_t rtp_offset)
    : appsrc_(std::move(appsrc)), video_(video), backlog_(std::move(backlog)), log_(std::move(log)), rtp_offset_(rtp_offset) {}

bool Outlet::open() {
  MutexLock lock(mutex_);
  open_ = true;
  need_keyframe_ = video_;
  return need_keyframe_;
}

void Outlet::close() {
  MutexLock lock(mutex_);
  open_ = false;
}

bool Outlet::waits_for_keyframe() const {
  MutexLock lock(mutex_);
  // A viewer that has not caught up must not cost the others keyframes.
  return open_ && need_keyframe_ && !(draining_ && backlog_() > kDrainedBytes);
}

OutletStatistics Outlet::statistics() const {
  MutexLock lock(mutex_);
  return statistics_;
}

bool Outlet::too_slow(size_t size) {
  const int64_t now_us = g_get_monotonic_time();
  if (last_us_ != 0) {
    const double dt = std::max(1e-3, static_cast<double>(now_us - last_us_) / 1e6);
    const double weight = std::min(1.0, dt);
    bytes_per_second_ += weight * (static_cast<double>(size) / dt - bytes_per_second_);
  }
  last_us_ = now_us;
  const size_t backlog = backlog_();
  if (draining_)
    draining_ = backlog > kDrainedBytes;
  else
    draining_ = static_cast<double>(backlog) > std::max(kBacklogBytesMin, kBacklogSeconds * bytes_per_second_);
  return draining_ || gst_app_src_get_current_level_buffers(GST_APP_SRC(appsrc_.get())) >= kRing;
}

bool Outlet::push(GstBuffer* buffer, bool keyframe, const FrameTimes& times) {
  MutexLock lock(mutex_);
  if (!open_)
    return false;
  bool keyframe_needed = false;
  const bool taken = take(buffer, keyframe, keyframe_needed);
  if (!video_)
    return keyframe_needed;
  if (taken)
    log_->passed(MediaWay::webrtc, rtp_offset_ + static_cast<uint32_t>(gst_util_uint64_scale_int(GST_BUFFER_PTS(buffer), kVideoRate, GST_SECOND)),
                 times, g_get_monotonic_time());
  else
    log_->left_out(MediaWay::webrtc, times);
  return keyframe_needed;
}

bool Outlet::take(GstBuffer* buffer, bool keyframe, bool& keyframe_needed) {
  if (too_slow(gst_buffer_get_size(buffer))) {
    statistics_.overruns += !need_keyframe_;
    ++statistics_.dropped;
    need_keyframe_ = video_;
    return false;  // asked for once the viewer has caught up
  }
  if (need_keyframe_ && !keyframe) {
    ++statistics_.dropped;
    keyframe_needed = true;
    return false;
  }
  need_keyframe_ = false;
  ++statistics_.frames;
  // Does not block: the level was below the ring's size, and appsrc has no limit of its own.
  gst_app_src_push_buffer(GST_APP_SRC(appsrc_.get()), gst_buffer_ref(buffer));
  return true;
}

}  // namespace vitrine
