// SPDX-License-Identifier: LGPL-2.1-or-later
// A probe behind the video payloader.
#include "webrtc/frame-pacer.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr int64_t kStepUs = 2'000;        // packets of so long leave together
constexpr int64_t kPollUs = 1'000;        // between looks at answers
constexpr int64_t kLateMostUs = 100'000;  // that a frame waits for them

struct Pacer {
  std::shared_ptr<ViewerRate> rate;
  bool inside = false;  // our own pushes come through the probe too; all on the payloader's thread

  GstFlowReturn push(GstPad* pad, GstBufferList* list, int64_t span_us) {
    const guint length = gst_buffer_list_length(list);
    const int64_t begin_us = g_get_monotonic_time();
    GstFlowReturn flow = GST_FLOW_OK;
    int64_t waited_us = 0;  // by the clock: on a busy machine a sleep of one step may take ten
    inside = true;
    for (guint at = 0; at < length && flow == GST_FLOW_OK;) {
      const int64_t due_us = span_us * at / length;
      GstBufferList* part = gst_buffer_list_new();
      for (; at < length && span_us * at / length < due_us + kStepUs; ++at)
        gst_buffer_list_add(part, gst_buffer_ref(gst_buffer_list_get(list, at)));
      const int64_t wait_us = begin_us + waited_us + due_us - g_get_monotonic_time();
      if (wait_us > 0)
        g_usleep(static_cast<gulong>(wait_us));
      // The path has just become narrow: what has not left cannot queue there.
      for (int64_t now_us = g_get_monotonic_time(); waited_us < kLateMostUs && rate->late(now_us);) {
        g_usleep(kPollUs);
        const int64_t woken_us = g_get_monotonic_time();
        waited_us += woken_us - now_us;
        now_us = woken_us;
      }
      flow = gst_pad_push_list(pad, part);
    }
    inside = false;
    return flow;
  }
};

GstPadProbeReturn on_list(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* pacer = static_cast<Pacer*>(data);
  GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
  if (pacer->inside)
    return GST_PAD_PROBE_OK;
  const int64_t span_us = pacer->rate->spread_us(static_cast<double>(gst_buffer_list_calculate_size(list)) * 8);
  if (span_us <= kStepUs)
    return GST_PAD_PROBE_OK;
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = pacer->push(pad, list, span_us);
  gst_buffer_list_unref(list);
  return GST_PAD_PROBE_HANDLED;
}

}  // namespace

void pace_frames(GstPad* pad, std::shared_ptr<ViewerRate> rate) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER_LIST, on_list, new Pacer{std::move(rate)},
                    [](gpointer data) { delete static_cast<Pacer*>(data); });
}

}  // namespace vitrine
