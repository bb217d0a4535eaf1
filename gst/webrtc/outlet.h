// SPDX-License-Identifier: LGPL-2.1-or-later
// The gate of one viewer on one media stream: whole access units in, never blocking; after a drop nothing until the next keyframe.
#pragma once

#include <gst/app/gstappsrc.h>

#include <functional>
#include <memory>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/frame-sink.h"
#include "webrtc/latency/frame-log.h"

namespace vitrine {

struct OutletStatistics {
  uint64_t frames = 0;
  uint64_t dropped = 0;       // after the gate opened
  uint64_t overruns = 0;      // times the viewer was too slow
};

/// Thread-safe.
class Outlet : public FrameSink {
 public:
  /// Access units that wait for a viewer's packetizer at most: as many as come while FramePacer lets one wait for answers.
  static constexpr guint64 kRing = 10;

  /// `backlog` returns bytes that wait in the viewer's transport. Audio has no keyframes: each buffer stands alone.
  /// `log` is told of video; `rtp_offset` is what the payloader counts its timestamps from.
  Outlet(Ref<GstElement> appsrc, bool video, std::function<size_t()> backlog, std::shared_ptr<FrameLog> log, uint32_t rtp_offset);

  /// The viewer is connected (or visible again): frames flow from the next keyframe on. Returns true if one is needed.
  bool open();
  /// Nothing flows any more, until open().
  void close() override;
  /// Takes one access unit. Returns true if a keyframe is needed for this viewer.
  bool push(GstBuffer* buffer, bool keyframe, const FrameTimes& times) override;
  bool waits_for_keyframe() const override;
  OutletStatistics statistics() const;

 private:
  bool too_slow(size_t size) REQUIRES(mutex_);
  bool take(GstBuffer* buffer, bool keyframe, bool& keyframe_needed) REQUIRES(mutex_);

  const Ref<GstElement> appsrc_;
  const bool video_;
  const std::function<size_t()> backlog_;
  const std::shared_ptr<FrameLog> log_;
  const uint32_t rtp_offset_;
  mutable Mutex mutex_;
  bool open_ GUARDED_BY(mutex_) = false;
  bool need_keyframe_ GUARDED_BY(mutex_) = true;
  bool draining_ GUARDED_BY(mutex_) = false;
  double bytes_per_second_ GUARDED_BY(mutex_) = 0;
  int64_t last_us_ GUARDED_BY(mutex_) = 0;
  OutletStatistics statistics_ GUARDED_BY(mutex_);
};

}  // namespace vitrine
