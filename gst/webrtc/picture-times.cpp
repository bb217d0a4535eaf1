// SPDX-License-Identifier: LGPL-2.1-or-later
// Metas and clocks.
#include "webrtc/picture-times.h"

#include <gst/video/gstvideometa.h>

#include <algorithm>

#include "common/ref.h"

namespace vitrine {
namespace {

/// What ximagesrc-shm and ximagesrc-cuda put on every picture: when it was on the screen, by the monotonic clock.
GstCaps* capture_reference() {
  static GstStaticCaps caps = GST_STATIC_CAPS("timestamp/x-vitrine-capture");
  return gst_static_caps_get(&caps);
}

/// Such a picture that shows something new says where.
bool has_damage(GstBuffer* picture) {
  static const GQuark damage = g_quark_from_static_string("damage");
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(picture, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
    if (reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta)->roi_type == damage)
      return true;
  return false;
}

}  // namespace

int64_t capture_time(GstElement* element, GstClockTime running_time, int64_t now_us) {
  const auto clock = Ref<GstClock>::adopt(gst_element_get_clock(element));
  if (!clock || !GST_CLOCK_TIME_IS_VALID(running_time))
    return 0;
  const auto age = static_cast<int64_t>(gst_clock_get_time(clock.get()) - gst_element_get_base_time(element) - running_time);
  return now_us - std::max<int64_t>(0, age / 1000);
}

void tell_picture(GstPad* pad, GstBuffer* picture, bool left_out, int64_t now_us, PictureLog& log) {
  const auto event = Ref<GstEvent>::adopt(gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0));
  const GstSegment* segment = nullptr;
  if (event)
    gst_event_parse_segment(event.get(), &segment);
  const GstClockTime running_time =
      segment ? gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(picture)) : GST_CLOCK_TIME_NONE;
  if (!GST_CLOCK_TIME_IS_VALID(running_time))
    return;
  FrameTimes times;
  times.picture_us = now_us;
  const GstReferenceTimestampMeta* captured = gst_buffer_get_reference_timestamp_meta(picture, capture_reference());
  if (captured) {
    times.damage_known = true;
    times.fresh = has_damage(picture);
  }
  if (captured && times.fresh) {
    times.capture_us = static_cast<int64_t>(GST_TIME_AS_USECONDS(captured->timestamp));
  } else if (auto element = Ref<GstElement>::adopt(gst_pad_get_parent_element(pad))) {
    times.capture_us = capture_time(element.get(), running_time, now_us);
  }
  if (left_out)
    log.left_out(times);
  else
    log.passed(running_time, times);
}

}  // namespace vitrine
