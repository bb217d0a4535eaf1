// SPDX-License-Identifier: LGPL-2.1-or-later
// Start, pacing, capture, repeat and the ends of the capture elements.
#include "capture/capture-source-body.h"
#include "common/text.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_EXTERN(capture_source_debug);
#define GST_CAT_DEFAULT capture_source_debug

namespace vitrine {
namespace {

constexpr int kMostReadFailures = 20;

}  // namespace

StructurePtr CaptureSourceBody::stats() const {
  StructurePtr stats(gst_structure_new("application/x-vitrine-capture-stats",        //
                                       "captured", G_TYPE_UINT64, captured_.load(),  //
                                       "repeated", G_TYPE_UINT64, repeated_.load(),  //
                                       "retries", G_TYPE_UINT64, retries_.load(), nullptr));
  output_->add_stats(stats.get());
  return stats;
}

bool CaptureSourceBody::start() {
  CaptureSettings settings;
  {
    MutexLock lock(mutex_);
    settings = options_.capture;
  }
  std::string error;
  if (output_->start(settings, &error))
    session_ = CaptureSession::open(settings, &error);
  if (!session_) {
    output_->stop();
    GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ, ("%s", error.c_str()), (nullptr));
    return false;
  }
  pacer_.reset();
  last_pts_ = GST_CLOCK_TIME_NONE;
  read_failures_ = 0;
  requested_ = refine_ = false;
  captured_ = repeated_ = retries_ = 0;
  {
    MutexLock lock(mutex_);
    size_ = session_->size();
    mode_used_ = session_->mode_used();
  }
  tell_notes();
  GST_INFO_OBJECT(element_, "capturing %dx%d of display %s by %s", session_->size().width,
                  session_->size().height, session_->display_name().c_str(), session_->mode_used());
  return true;
}

void CaptureSourceBody::stop() {
  canvas_ = nullptr;
  output_->stop();
  session_.reset();
  MutexLock lock(mutex_);
  size_ = {};
  mode_used_.clear();
}

void CaptureSourceBody::tell_notes() {
  for (const std::string& note : output_->take_notes())
    GST_INFO_OBJECT(element_, "%s", note.c_str());
  for (const std::string& note : session_->take_notes())
    GST_INFO_OBJECT(element_, "display %s: %s", session_->display_name().c_str(), note.c_str());
  MutexLock lock(mutex_);
  mode_used_ = session_->mode_used();
}

Ref<GstCaps> CaptureSourceBody::caps() {
  MutexLock lock(mutex_);
  return output_->caps(size_);
}

FramePacer::Settings CaptureSourceBody::pacer_settings() {
  MutexLock lock(mutex_);
  FramePacer::Settings settings;
  settings.interval = std::chrono::nanoseconds(interval_);
  settings.refine_frames = options_.refine_frames;
  settings.refine_interval = std::chrono::milliseconds(options_.refine_interval);
  if (options_.idle_numerator > 0)
    settings.idle_interval = std::chrono::nanoseconds(
        gst_util_uint64_scale(GST_SECOND, options_.idle_denominator, options_.idle_numerator));
  return settings;
}

bool CaptureSourceBody::set_caps(GstCaps* caps) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps))
    return false;
  PictureLayout layout;
  if (Size{info.width, info.height} != session_->size() || !output_->layout(info, &layout))
    return false;
  // Another framerate alone needs no new picture.
  if (!canvas_ || !(canvas_->layout() == layout))
    renew_canvas(layout);
  const bool fixed = info.fps_n > 0;
  interval_ =
      fixed ? gst_util_uint64_scale(GST_SECOND, info.fps_d, info.fps_n) : GST_SECOND / kDefaultFramerate;
  return true;
}

bool CaptureSourceBody::renegotiate() {
  {
    MutexLock lock(mutex_);
    size_ = session_->size();
    mode_used_ = session_->mode_used();
  }
  tell_notes();
  GST_INFO_OBJECT(element_, "the captured region is now %dx%d", session_->size().width,
                  session_->size().height);
  const unsigned before = canvases_;
  if (!gst_base_src_negotiate(element_))
    return false;
  // Equal caps are not set again, but what is drawn on may be other memory.
  if (canvases_ == before && canvas_)
    renew_canvas(canvas_->layout());
  return true;
}

void CaptureSourceBody::renew_canvas(const PictureLayout& layout) {
  canvas_ = &output_->renew(layout, session_->canvas_origin());
  canvases_++;
  pacer_.reset();
}

GstFlowReturn CaptureSourceBody::handle(CaptureSession::News news) {
  switch (news) {
    case CaptureSession::News::kOk:
      return GST_FLOW_OK;
    case CaptureSession::News::kResized:
      return renegotiate() ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
    case CaptureSession::News::kWindowClosed:
      GST_ELEMENT_INFO(element_, RESOURCE, READ, ("The captured window was closed"), (nullptr));
      return GST_FLOW_EOS;
    case CaptureSession::News::kServerGone:
      break;
  }
  const std::string display = session_->display_name();
  // On the thread that met the error: Xlib leaves the display locked by it, and any other would wait for ever
  // to close it.
  canvas_ = nullptr;
  output_->stop();
  session_.reset();
  GST_ELEMENT_ERROR(element_, RESOURCE, READ, (_("Lost the connection to X display \"%s\""), display.c_str()),
                    (nullptr));
  return GST_FLOW_EOS;  // GST_FLOW_ERROR would make the base class post an error of its own on top
}

void CaptureSourceBody::tell_cursor() {
  int x = 0;
  int y = 0;
  const std::shared_ptr<const CursorImage> image = session_->take_cursor_change(&x, &y);
  if (!image)
    return;
  GBytes* argb = g_bytes_new(image->argb.data(), image->argb.size() * sizeof image->argb[0]);
  GstStructure* structure = gst_structure_new(
      "vitrine-cursor", "serial", G_TYPE_UINT64, static_cast<guint64>(image->serial), "width", G_TYPE_INT,
      image->size.width, "height", G_TYPE_INT, image->size.height, "x-hot", G_TYPE_INT, image->hot_x, "y-hot",
      G_TYPE_INT, image->hot_y, "x", G_TYPE_INT, x, "y", G_TYPE_INT, y, "argb", G_TYPE_BYTES, argb, nullptr);
  g_bytes_unref(argb);
  gst_element_post_message(GST_ELEMENT(element_), gst_message_new_element(GST_OBJECT(element_), structure));
}

GstFlowReturn CaptureSourceBody::create(GstBuffer** buffer) {
  if (!session_)
    return GST_FLOW_EOS;
  for (;;) {
    wake_.clear();  // before the flags are looked at: who sets one from here on wakes the next wait
    if (flushing_)
      return GST_FLOW_FLUSHING;
    const GstFlowReturn flow = handle(session_->dispatch());
    if (flow != GST_FLOW_OK)
      return flow;
    tell_cursor();
    const bool requested = requested_;
    pacer_.configure(pacer_settings());
    const FramePacer::Step step = pacer_.next(Clock::now(), session_->changed(), requested);
    switch (step.action) {
      case FramePacer::Action::kCapture: {
        const GstFlowReturn captured = capture(buffer);
        if (captured != GST_FLOW_OK || *buffer)
          return captured;
        break;
      }
      case FramePacer::Action::kRepeat:
        return repeat(buffer, requested);
      case FramePacer::Action::kWait: {
        const GstFlowReturn waited = handle(session_->wait(step.until, wake_, step.watch));
        if (waited != GST_FLOW_OK)
          return waited;
        break;
      }
    }
  }
}

/// Leaves `buffer` null when, on a closer look, there is nothing new or a resize came in between.
GstFlowReturn CaptureSourceBody::capture(GstBuffer** buffer) {
  const CaptureSession::Draw result = session_->draw(*canvas_, &captured_at_);
  if (result == CaptureSession::Draw::kNothing)
    return GST_FLOW_OK;
  const CaptureSession::News news = session_->dispatch();
  if (news != CaptureSession::News::kOk)
    return handle(news);
  if (result == CaptureSession::Draw::kFailed) {
    if (device_failed())
      return GST_FLOW_EOS;
    // A window may vanish between its last event and our read: then the reason is on its way.
    if (++read_failures_ < kMostReadFailures) {
      g_usleep(1000);
      return GST_FLOW_OK;
    }
    GST_ELEMENT_ERROR(element_, RESOURCE, READ,
                      (_("Cannot read the pixels of X display \"%s\""), session_->display_name().c_str()),
                      ("%d reads by %s failed in a row", read_failures_, session_->mode_used()));
    return GST_FLOW_EOS;
  }
  read_failures_ = 0;
  DamageGrid damage;
  GstFlowReturn flow = GST_FLOW_OK;
  Ref<GstBuffer> frame = output_->finish(element_, &damage, &flow);
  tell_notes();
  if (!frame)
    return device_failed() ? GST_FLOW_EOS : flow;
  retries_ = session_->retries();
  captured_++;
  requested_ = false;
  const auto now = Clock::now();
  pacer_.captured(now);
  *buffer = stamp(std::move(frame), &damage, now - captured_at_);
  GST_LOG_OBJECT(element_, "captured %d tiles", damage.tile_count());
  return GST_FLOW_OK;
}

bool CaptureSourceBody::device_failed() {
  const std::string failure = output_->failure();
  if (failure.empty())
    return false;
  GST_ELEMENT_ERROR(element_, RESOURCE, FAILED, ("%s", failure.c_str()), (nullptr));
  return true;
}

GstFlowReturn CaptureSourceBody::repeat(GstBuffer** buffer, bool requested) {
  if (requested)
    requested_ = false;
  GstFlowReturn flow = GST_FLOW_OK;
  Ref<GstBuffer> frame = output_->again(element_, &flow);
  if (!frame)
    return device_failed() ? GST_FLOW_EOS : flow;
  repeated_++;
  pacer_.repeated(Clock::now(), requested);
  if (refine_.exchange(false))
    pacer_.refine();
  GST_LOG_OBJECT(element_, "repeating the last picture");
  *buffer = stamp(std::move(frame), nullptr, {});
  return GST_FLOW_OK;
}

GstBuffer* CaptureSourceBody::stamp(Ref<GstBuffer> buffer, const DamageGrid* damage, Clock::duration age) {
  add_capture_metas(buffer.get(), damage, captured_at_);
  GstClockTime pts = 0;
  if (GstClock* clock = gst_element_get_clock(GST_ELEMENT(element_))) {
    const GstClockTime base = gst_element_get_base_time(GST_ELEMENT(element_));
    const GstClockTime now = gst_clock_get_time(clock);
    const GstClockTime start = base + std::chrono::nanoseconds(age).count();
    pts = now > start ? now - start : 0;
    gst_object_unref(clock);
  }
  if (GST_CLOCK_TIME_IS_VALID(last_pts_) && pts <= last_pts_)
    pts = last_pts_ + 1;
  last_pts_ = pts;
  GST_BUFFER_PTS(buffer.get()) = pts;
  GST_BUFFER_DURATION(buffer.get()) = interval_;
  return buffer.release();
}

}  // namespace vitrine
