// SPDX-License-Identifier: LGPL-2.1-or-later
// Probes and signals that feed a viewer's rate.
#include "webrtc/peer-rate.h"

#include <gst/rtp/rtp.h>

#include <cstdio>

#include "webrtc/frame-pacer.h"
#include "webrtc/gstrtpdesktopcc.h"

namespace vitrine {
namespace {

constexpr gsize kHeadMax = 12 + 4 * 15 + 4 + 64;  // an RTP header with all CSRCs and our extensions
constexpr guint kIpUdp = 28;

using Shared = std::shared_ptr<ViewerRate>;

gpointer hold(const Shared& rate) { return new Shared(rate); }
void drop(gpointer data) { delete static_cast<Shared*>(data); }

void packet_left(ViewerRate& rate, GstBuffer* buffer) {
  uint8_t head[kHeadMax];
  const gsize size = gst_buffer_extract(buffer, 0, head, sizeof head);
  rate.packet_left({head, size}, static_cast<uint32_t>(gst_buffer_get_size(buffer)) + kIpUdp, g_get_monotonic_time());
}

GstPadProbeReturn on_output(GstPad*, GstPadProbeInfo* info, gpointer data) {
  ViewerRate& rate = **static_cast<Shared*>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    for (guint i = 0; i < gst_buffer_list_length(list); ++i)
      packet_left(rate, gst_buffer_list_get(list, i));
  } else {
    packet_left(rate, GST_PAD_PROBE_INFO_BUFFER(info));
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn on_rtcp(GstPad*, GstPadProbeInfo* info, gpointer data) {
  GstMapInfo map;
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
    return GST_PAD_PROBE_DROP;
  const std::span<const uint8_t> rtcp(map.data, map.size);
  (*static_cast<Shared*>(data))->rtcp_came(rtcp, g_get_monotonic_time());
  const bool only_feedback = is_only_twcc(rtcp);
  gst_buffer_unmap(buffer, &map);
  // rtpsession has no more use for it; browsers pad it to no full word, which rtpsession takes for malformed.
  return only_feedback ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

/// The retransmission stream of `ssrc` as webrtcbin's own offer names it.
RtxStream find_rtx(const std::string& offer, guint ssrc) {
  RtxStream stream;
  const std::string group = "a=ssrc-group:FID " + std::to_string(ssrc) + " ";
  const size_t at = offer.find(group);
  const size_t map = offer.find(" rtx/90000");
  const size_t line = map == std::string::npos ? map : offer.rfind("a=rtpmap:", map);
  unsigned rtx_ssrc = 0, payload_type = 0;
  if (at == std::string::npos || line == std::string::npos || sscanf(offer.c_str() + at + group.size(), "%u", &rtx_ssrc) != 1 ||
      sscanf(offer.c_str() + line, "a=rtpmap:%u", &payload_type) != 1)
    return {};
  stream.ssrc = ssrc;
  stream.rtx_ssrc = rtx_ssrc;
  stream.rtx_payload_type = payload_type;
  return stream;
}

}  // namespace

void PeerRate::attach(GstElement* webrtc) {
  element_ = Ref<GstElement>::sink(new_rtp_desktop_cc(rate_));
  g_signal_connect_data(
      webrtc, "request-aux-sender",
      G_CALLBACK(+[](GstElement*, GObject*, GstElement* element) { return GST_ELEMENT(gst_object_ref(element)); }),
      gst_object_ref(element_.get()), [](gpointer element, GClosure*) { gst_object_unref(element); }, GConnectFlags(0));
}

bool PeerRate::add_video(GstElement* payloader, guint ssrc, guint extension_id) {
  GstRTPHeaderExtension* extension = gst_rtp_header_extension_create_from_uri(kTransportWideUri);
  if (!extension)
    return false;
  gst_rtp_header_extension_set_id(extension, extension_id);
  g_signal_emit_by_name(payloader, "add-extension", extension);
  gst_object_unref(extension);
  ssrc_ = ssrc;
  rate_->set_video(ssrc, extension_id);
  auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(payloader, "src"));
  pace_frames(pad.get(), rate_);
  return true;
}

void watch_rtcp(GstPad* pad, const std::shared_ptr<ViewerRate>& rate) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_rtcp, hold(rate), drop);
}

void PeerRate::watch_output(GstPad* pad, const std::string& offer) {
  gst_pad_add_probe(pad, GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST), on_output, hold(rate_), drop);
  if (element_)
    rtp_desktop_cc_set_rtx(element_.get(), find_rtx(offer, ssrc_));
}

EchoWatch PeerRate::echoes() const {
  return {[rate = rate_](uint64_t id, uint32_t bytes, int64_t now_us) { rate->asked(id, bytes, now_us); },
          [rate = rate_](uint64_t id, int64_t now_us) { rate->answered(id, now_us); }};
}

void PeerRate::tick(int64_t now_us) {
  rate_->tick(now_us);
  if (!element_)
    return;
  rtp_desktop_cc_poll(element_.get());
  if (const auto probe = rate_->probe(now_us))
    rtp_desktop_cc_probe(element_.get(), probe->bytes);
}

}  // namespace vitrine
