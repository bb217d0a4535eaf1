// SPDX-License-Identifier: LGPL-2.1-or-later
// Pad probes.
#include "webrtc/peer-taps.h"

#include <string.h>

#include "webrtc/audio-red.h"
#include "webrtc/debug.h"
#include "webrtc/peer-rate.h"
#include "webrtc/rate/copy-choice.h"
#include "webrtc/rtcp-check.h"

namespace vitrine {
namespace {

/// RTX history in packets: at 20 Mbit/s and 1200 byte packets a second.
constexpr guint kRtxPackets = 2048;

/// Drops RTCP that rtpsession might read beyond its end.
GstPadProbeReturn check_rtcp(GstPad*, GstPadProbeInfo* info, gpointer) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
    return GST_PAD_PROBE_DROP;
  const bool sound = rtcp_is_sound({map.data, map.size});
  gst_buffer_unmap(buffer, &map);
  if (!sound)
    GST_INFO("dropped malformed RTCP");
  return sound ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void on_session_pad_added(GstElement*, GstPad* pad, gpointer rate) {
  if (!g_str_has_prefix(GST_PAD_NAME(pad), "recv_rtcp_sink"))
    return;
  watch_rtcp(pad, *static_cast<std::shared_ptr<ViewerRate>*>(rate));
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, check_rtcp, nullptr, nullptr);
}

void on_deep_element_added(GstBin*, GstBin*, GstElement* element, gpointer rate) {
  GstElementFactory* factory = gst_element_get_factory(element);
  const char* name = factory ? GST_OBJECT_NAME(factory) : "";
  if (strcmp(name, "clocksync") == 0) {
    // It would hold every packet until its running time plus the pipeline's latency.
    g_object_set(element, "sync", FALSE, nullptr);
  } else if (strcmp(name, "rtprtxsend") == 0) {
    g_object_set(element, "max-size-packets", kRtxPackets, nullptr);
  } else if (strcmp(name, "rtpsession") == 0) {
    // The webrtcbin, which holds `rate`, outlives its parts.
    g_signal_connect(element, "pad-added", G_CALLBACK(on_session_pad_added), rate);
  }
}

}  // namespace

void meter_pad(GstPad* pad, const std::shared_ptr<HoldMeter>& meter, HoldMethod method) {
  struct Tap {
    std::shared_ptr<HoldMeter> meter;
    HoldMethod method;
    void take(GstBuffer* buffer) const {
      uint8_t header[12];
      if (gst_buffer_extract(buffer, 0, header, sizeof header) == sizeof header)
        (meter.get()->*method)(std::span<const uint8_t>(header), g_get_monotonic_time());
    }
  };
  gst_pad_add_probe(
      pad, GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        const auto* tap = static_cast<const Tap*>(data);
        if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
          GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
          for (guint i = 0; i < gst_buffer_list_length(list); ++i)
            tap->take(gst_buffer_list_get(list, i));
        } else {
          tap->take(GST_PAD_PROBE_INFO_BUFFER(info));
        }
        return GST_PAD_PROBE_OK;
      },
      new Tap{meter, method}, [](gpointer data) { delete static_cast<Tap*>(data); });
}

void add_red(GstPad* pad, const std::shared_ptr<std::atomic<bool>>& known, const std::shared_ptr<ViewerRate>& rate) {
  struct Tap {
    std::shared_ptr<std::atomic<bool>> known;
    std::shared_ptr<ViewerRate> rate;
    RedPacker packer;
    CopyChoice choice;
  };
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        auto* tap = static_cast<Tap*>(data);
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        GstMapInfo map;
        if (!*tap->known || !gst_buffer_map(buffer, &map, GST_MAP_READ))
          return GST_PAD_PROBE_OK;
        const auto red = tap->packer.pack({map.data, map.size}, tap->choice.copies(tap->rate->sound_loss(), g_get_monotonic_time()));
        gst_buffer_unmap(buffer, &map);
        if (red) {
          GstBuffer* packed = gst_buffer_new_memdup(red->data(), red->size());
          gst_buffer_copy_into(packed, buffer, GST_BUFFER_COPY_METADATA, 0, G_MAXSIZE);
          GST_PAD_PROBE_INFO_DATA(info) = packed;
          gst_buffer_unref(buffer);
        }
        return GST_PAD_PROBE_OK;
      },
      new Tap{known, rate, {}, {}}, [](gpointer data) { delete static_cast<Tap*>(data); });
}

void tame_parts(GstElement* webrtc, const std::shared_ptr<ViewerRate>& rate) {
  using SharedRate = std::shared_ptr<ViewerRate>;
  g_signal_connect_data(
      webrtc, "deep-element-added", G_CALLBACK(on_deep_element_added), new SharedRate(rate),
      [](gpointer shared, GClosure*) { delete static_cast<SharedRate*>(shared); }, GConnectFlags(0));
}

}  // namespace vitrine
