// SPDX-License-Identifier: LGPL-2.1-or-later
// A receiving section, and what is behind its pad.
#include "webrtc/peer-talk.h"

#include <gst/app/gstappsink.h>
#include <gst/webrtc/webrtc.h>

#include "common/ref.h"
#include "webrtc/debug.h"

namespace vitrine {
namespace {

/// Another number than that of the desktop's sound, so that packets tell which section they are of.
constexpr int kPayloadType = 112;
/// Packets that wait for a busy machine; older ones are dropped.
constexpr guint kWaitingMax = 20;

GstFlowReturn on_packet(GstAppSink* sink, gpointer talk) {
  const auto sample = Ref<GstSample>::adopt(gst_app_sink_pull_sample(sink));
  GstBuffer* buffer = sample ? gst_sample_get_buffer(sample.get()) : nullptr;
  GstMapInfo map;
  if (buffer && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    (*static_cast<TalkSink*>(talk))({map.data, map.size});
    gst_buffer_unmap(buffer, &map);
  }
  return GST_FLOW_OK;
}

void drop_sink(gpointer talk) { delete static_cast<TalkSink*>(talk); }

void on_pad(GstElement* webrtc, GstPad* pad, gpointer talk) {
  if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC)
    return;
  const auto parent = Ref<GstObject>::adopt(gst_object_get_parent(GST_OBJECT(webrtc)));
  GstElement* depayloader = gst_element_factory_make("rtpopusdepay", nullptr);
  GstElement* sink = gst_element_factory_make("appsink", nullptr);
  if (!parent || !depayloader || !sink) {
    GST_WARNING("nobody is heard: install gst-plugins-good (rtp)");
    return;
  }
  g_object_set(sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, "max-buffers", kWaitingMax, "drop", TRUE, nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = on_packet;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, new TalkSink(*static_cast<TalkSink*>(talk)), drop_sink);
  gst_bin_add_many(GST_BIN(parent.get()), depayloader, sink, nullptr);
  const auto entry = Ref<GstPad>::adopt(gst_element_get_static_pad(depayloader, "sink"));
  if (!gst_element_link(depayloader, sink) || gst_pad_link(pad, entry.get()) != GST_PAD_LINK_OK)
    GST_WARNING("what the browser sends cannot be read");
  gst_element_sync_state_with_parent(sink);
  gst_element_sync_state_with_parent(depayloader);
}

}  // namespace

void receive_talk(GstElement* webrtc, TalkSink sink) {
  const auto caps = Ref<GstCaps>::adopt(gst_caps_new_simple("application/x-rtp", "media", G_TYPE_STRING, "audio", "encoding-name", G_TYPE_STRING,
                                                            "OPUS", "payload", G_TYPE_INT, kPayloadType, "clock-rate", G_TYPE_INT, 48000,
                                                            "encoding-params", G_TYPE_STRING, "2", nullptr));
  Ref<GstWebRTCRTPTransceiver> transceiver;
  g_signal_emit_by_name(webrtc, "add-transceiver", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps.get(), transceiver.out());
  g_signal_connect_data(
      webrtc, "pad-added", G_CALLBACK(on_pad), new TalkSink(std::move(sink)), [](gpointer talk, GClosure*) { drop_sink(talk); }, GConnectFlags(0));
}

}  // namespace vitrine
