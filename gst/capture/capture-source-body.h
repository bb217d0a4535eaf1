// SPDX-License-Identifier: LGPL-2.1-or-later
// The body of the capture elements: turns a capture session into timed buffers.
#pragma once

#include <gst/base/gstpushsrc.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "capture/capture-session.h"
#include "capture/frame-output.h"
#include "capture/frame-pacer.h"
#include "capture/wake-event.h"
#include "common/mutex.h"
#include "common/ref.h"

namespace vitrine {

inline constexpr int kDefaultFramerate = 60;

struct CaptureSourceOptions {
  CaptureSettings capture;
  int idle_numerator = 0;
  int idle_denominator = 1;
  int refine_frames = 8;
  int refine_interval = 33;  // ms
};

/// Properties and state come from any thread under `mutex_`; session, canvas and pacer belong to start(),
/// then to the streaming thread, then to stop(), which GstBaseSrc runs one after the other.
class CaptureSourceBody {
 public:
  using Clock = std::chrono::steady_clock;
  CaptureSourceBody(GstBaseSrc* element, std::unique_ptr<FrameOutput> output)
      : element_(element), output_(std::move(output)) {}

  /// What start() uses, and while it runs the rates.
  template <typename Change>
  void change_options(Change change) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    change(options_);
    wake_.set();
  }
  CaptureSourceOptions options() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return options_;
  }
  /// Empty while stopped.
  std::string mode_used() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return mode_used_;
  }
  StructurePtr stats() const;

  bool start();
  void stop();
  Ref<GstCaps> caps() EXCLUDES(mutex_);
  bool set_caps(GstCaps* caps);
  bool decide_allocation(GstQuery* query) {
    return !device_failed() && output_->decide_allocation(query);
  }
  FrameOutput& output() { return *output_; }
  GstFlowReturn create(GstBuffer** buffer);
  void unlock() {
    flushing_ = true;
    wake_.set();
  }
  void unlock_stop() { flushing_ = false; }
  /// `refine`: the repeat is to be followed by others, as a change is.
  void request_frame(bool refine) {
    if (refine)
      refine_ = true;
    requested_ = true;
    wake_.set();
  }

 private:
  FramePacer::Settings pacer_settings() EXCLUDES(mutex_);
  GstFlowReturn handle(CaptureSession::News news);
  bool renegotiate();
  void renew_canvas(const PictureLayout& layout);
  void tell_notes();
  void tell_cursor();
  GstFlowReturn capture(GstBuffer** buffer);
  /// Posts the element's error if so.
  bool device_failed();
  GstFlowReturn repeat(GstBuffer** buffer, bool requested);
  GstBuffer* stamp(Ref<GstBuffer> buffer, const DamageGrid* damage, Clock::duration age);

  GstBaseSrc* element_;
  std::unique_ptr<FrameOutput> output_;
  WakeEvent wake_;
  std::atomic<bool> flushing_{false};
  std::atomic<bool> requested_{false};
  std::atomic<bool> refine_{false};
  std::atomic<uint64_t> captured_{0};
  std::atomic<uint64_t> repeated_{0};
  std::atomic<uint64_t> retries_{0};

  Mutex mutex_;
  CaptureSourceOptions options_ GUARDED_BY(mutex_);
  Size size_ GUARDED_BY(mutex_);
  std::string mode_used_ GUARDED_BY(mutex_);

  std::unique_ptr<CaptureSession> session_;
  Canvas* canvas_ = nullptr;  // the output's
  unsigned canvases_ = 0;
  FramePacer pacer_;
  Clock::time_point captured_at_{};
  GstClockTime interval_ = GST_SECOND / kDefaultFramerate;
  GstClockTime last_pts_ = GST_CLOCK_TIME_NONE;
  int read_failures_ = 0;
};

}  // namespace vitrine
