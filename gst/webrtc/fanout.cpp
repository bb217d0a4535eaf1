// SPDX-License-Identifier: LGPL-2.1-or-later
// Fan-out of access units, and coalesced keyframe requests.
#include "webrtc/fanout.h"

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include <algorithm>
#include <string_view>

#include "webrtc/picture-times.h"

namespace vitrine {

std::optional<MediaInfo> media_info_from_caps(const GstCaps* caps) {
  if (!caps || gst_caps_is_empty(caps) || gst_caps_is_any(caps))
    return std::nullopt;
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(structure);
  const char* profile = gst_structure_get_string(structure, "profile");
  MediaInfo info;
  info.profile = profile ? profile : "";
  if (name == "video/x-h264")
    info.codec = "H264";
  else if (name == "video/x-vp8")
    info.codec = "VP8";
  else if (name == "video/x-vp9")
    info.codec = "VP9";
  else if (name == "video/x-av1")
    info.codec = "AV1";
  else if (name == "audio/x-opus")
    info = {false, "OPUS", ""};
  else
    return std::nullopt;
  return info;
}

bool interchangeable(const MediaInfo& one, const MediaInfo& other) {
  const auto full_chroma = [](const MediaInfo& info) {
    return info.codec == "VP9" ? info.profile == "1" || info.profile == "3" : info.profile.find("4:4:4") != std::string::npos;
  };
  return one.codec == other.codec && full_chroma(one) == full_chroma(other);
}

Fanout::Fanout(bool video, std::string name)
    : video_(video), name_(std::move(name)), appsink_(Ref<GstElement>::sink(gst_element_factory_make("appsink", nullptr))) {
  if (!video_)
    info_ = MediaInfo{false, "OPUS", ""};
  g_object_set(appsink_.get(), "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, "max-buffers", 1u, nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = [](GstAppSink* sink, gpointer self) -> GstFlowReturn {
    auto sample = Ref<GstSample>::adopt(gst_app_sink_pull_sample(sink));
    if (!sample)
      return GST_FLOW_EOS;
    static_cast<Fanout*>(self)->push(sample.get());
    return GST_FLOW_OK;
  };
  gst_app_sink_set_callbacks(GST_APP_SINK(appsink_.get()), &callbacks, this, nullptr);

  auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(appsink_.get(), "sink"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      [](GstPad*, GstPadProbeInfo* probe, gpointer data) {
        GstEvent* event = GST_PAD_PROBE_INFO_EVENT(probe);
        if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
          GstCaps* caps = nullptr;
          gst_event_parse_caps(event, &caps);
          static_cast<Fanout*>(data)->set_caps(caps);
        }
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
}

Fanout::~Fanout() {
  // The bin has brought the appsink to NULL before it lets go of us: no callback runs any more.
  GstAppSinkCallbacks none{};
  gst_app_sink_set_callbacks(GST_APP_SINK(appsink_.get()), &none, nullptr, nullptr);
}

std::optional<MediaInfo> Fanout::info() const {
  MutexLock lock(mutex_);
  return info_;
}

void Fanout::set_caps(const GstCaps* caps) {
  const auto info = media_info_from_caps(caps);
  MutexLock lock(mutex_);
  // What is made for one codec must not see another; the session offers anew.
  if (info_ && info && !interchangeable(*info, *info_))
    for (const auto& outlet : outlets_)
      outlet->close();
  if (info)
    info_ = info;
}

Ref<GstCaps> Fanout::caps() const {
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(appsink_.get(), "sink"));
  auto caps = Ref<GstCaps>::adopt(gst_pad_get_current_caps(pad.get()));
  if (!caps && !video_)
    caps = Ref<GstCaps>::adopt(gst_caps_new_simple("audio/x-opus", "rate", G_TYPE_INT, 48000, "channels", G_TYPE_INT, 2,
                                                   "channel-mapping-family", G_TYPE_INT, 0, nullptr));
  return caps;
}

EncodedUnit Fanout::last_unit() const {
  MutexLock lock(mutex_);
  return last_unit_;
}

void Fanout::add(std::shared_ptr<FrameSink> outlet) {
  MutexLock lock(mutex_);
  outlets_.push_back(std::move(outlet));
}

void Fanout::remove(const std::shared_ptr<FrameSink>& outlet) {
  MutexLock lock(mutex_);
  std::erase(outlets_, outlet);
}

void Fanout::push(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (!buffer)
    return;
  ++frames_;
  const int64_t now_us = g_get_monotonic_time();
  // Viewers' pipelines have our clock and base time, so a buffer travels with its running time.
  const GstClockTime running_time =
      gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  auto shared = Ref<GstBuffer>::adopt(gst_buffer_copy(buffer));
  GST_BUFFER_PTS(shared.get()) = running_time;
  GST_BUFFER_DTS(shared.get()) = GST_CLOCK_TIME_NONE;
  const bool keyframe = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (keyframe && video_) {
    keyframe_us_ = now_us;
    complete(shared.get());
  }
  const FrameTimes times = times_of(running_time, now_us);
  bool ask = false;
  {
    MutexLock lock(mutex_);
    last_unit_ = {gst_buffer_get_size(buffer), now_us, times.fresh};
    if (keyframe)
      gate_.keyframe_passed();
    bool needed = false;
    for (const auto& outlet : outlets_)
      needed |= outlet->push(shared.get(), keyframe, times);
    ask = gate_.poll(now_us) || (needed && !gate_.pending() && gate_.request(now_us));
  }
  if (ask)
    send_keyframe_request();
}

FrameTimes Fanout::times_of(GstClockTime running_time, int64_t now_us) const {
  FrameTimes times = (video_ ? pictures_->find(running_time) : std::nullopt).value_or(FrameTimes{});
  if (times.capture_us == 0)
    times.capture_us = capture_time(appsink_.get(), running_time, now_us);
  times.encoded_us = now_us;
  return times;
}

void Fanout::complete(GstBuffer* keyframe) {
  const auto stream = info();
  GstMapInfo map;
  if (!stream || stream->codec != "H264" || !gst_buffer_map(keyframe, &map, GST_MAP_READ))
    return;
  const auto missing = parameter_sets_.missing({map.data, map.size});
  gst_buffer_unmap(keyframe, &map);
  if (missing.empty())
    return;
  GstMemory* memory = gst_allocator_alloc(nullptr, missing.size(), nullptr);
  if (memory && gst_memory_map(memory, &map, GST_MAP_WRITE)) {
    std::copy(missing.begin(), missing.end(), map.data);
    gst_memory_unmap(memory, &map);
    gst_buffer_prepend_memory(keyframe, memory);
  }
}

void Fanout::request_keyframe() {
  {
    MutexLock lock(mutex_);
    if (!video_ || !gate_.request(g_get_monotonic_time()))
      return;
  }
  send_keyframe_request();
}

void Fanout::poll(int64_t now_us) {
  {
    MutexLock lock(mutex_);
    const bool waiting = std::any_of(outlets_.begin(), outlets_.end(),
                                     [](const auto& outlet) { return outlet->waits_for_keyframe(); });
    if (!video_ || !(gate_.poll(now_us) || (waiting && gate_.request(now_us))))
      return;
  }
  send_keyframe_request();
}

void Fanout::send_keyframe_request() {
  ++keyframes_requested_;
  auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(appsink_.get(), "sink"));
  gst_pad_push_event(pad.get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  // The encoder keeps that event and waits for a picture. A source that sends none while nothing changes (ximagesrc-shm) repeats its
  // last one when it gets this; others ignore it.
  gst_pad_push_event(pad.get(),
                     gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("vitrine-repeat-frame")));
}

}  // namespace vitrine
