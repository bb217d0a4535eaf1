// SPDX-License-Identifier: LGPL-2.1-or-later
// A probe for events that come upstream.
#include "webrtc/keyframe-requests.h"

#include <gst/video/video.h>

namespace vitrine {

void watch_keyframe_requests(GstPad* pad, std::function<void()> lost) {
  using Lost = std::function<void()>;
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
        if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && gst_video_event_is_force_key_unit(event))
          (*static_cast<Lost*>(data))();
        return GST_PAD_PROBE_OK;
      },
      new Lost(std::move(lost)), [](gpointer data) { delete static_cast<Lost*>(data); });
}

}  // namespace vitrine
