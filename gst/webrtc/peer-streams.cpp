// SPDX-License-Identifier: LGPL-2.1-or-later
// A peer's streams: which of the desktop's, how they become RTP.
#include <algorithm>

#include "webrtc/gstplayoutdelay.h"
#include "webrtc/keyframe-requests.h"
#include "webrtc/peer-link.h"
#include "webrtc/peer-taps.h"

namespace vitrine {
namespace {

struct Payloading {
  const char* codec;
  const char* payloader;
  guint payload_type;
  guint clock_rate;
};
constexpr Payloading kPayloading[] = {
    {"H264", "rtph264pay", 96, 90000},
    {"VP8", "rtpvp8pay", 97, 90000},
    {"VP9", "rtpvp9pay", 98, 90000},
    {"AV1", "rtpav1pay", 99, 90000},  // of gst-plugins-rs; not in Debian 12
    {"OPUS", "rtpopuspay", 111, 48000},
};
constexpr guint kMtu = 1200;
constexpr guint kPlayoutDelayId = 5;
constexpr size_t kStuckBacklog = size_t{1} << 40;  // more than any transport may hold

const Payloading* payloading_for(const std::string& codec) {
  for (const auto& entry : kPayloading)
    if (codec == entry.codec)
      return &entry;
  return nullptr;
}

/// Payload type and header extensions of a stream; an extension with id 0 is not used.
struct RtpIds {
  guint payload_type, transport_wide, playout_delay;
};

RtpIds choose_ids(const Payloading& payloading, const MediaInfo& info, const StreamPlace* place, bool playout_delay) {
  if (!info.video)
    return {place ? static_cast<guint>(place->payload_type) : payloading.payload_type, 0, 0};
  if (!place)
    return {payloading.payload_type, kTransportWideId, playout_delay ? kPlayoutDelayId : 0};
  return {static_cast<guint>(place->payload_type), static_cast<guint>(place->transport_wide_id),
          playout_delay ? static_cast<guint>(place->playout_delay_id) : 0};
}

Ref<GstCaps> rtp_caps(const Payloading& payloading, const MediaInfo& info, guint ssrc, const RtpIds& ids) {
  auto caps = Ref<GstCaps>::adopt(gst_caps_new_simple(
      "application/x-rtp", "media", G_TYPE_STRING, info.video ? "video" : "audio", "encoding-name", G_TYPE_STRING,
      info.codec.c_str(), "payload", G_TYPE_INT, static_cast<int>(ids.payload_type), "clock-rate", G_TYPE_INT,
      static_cast<int>(payloading.clock_rate), "ssrc", G_TYPE_UINT, ssrc, nullptr));
  if (info.codec == "H264")
    gst_caps_set_simple(caps.get(), "packetization-mode", G_TYPE_STRING, "1", nullptr);
  if (info.codec == "OPUS")
    gst_caps_set_simple(caps.get(), "encoding-params", G_TYPE_STRING, "2", nullptr);
  if (info.codec == "VP9" && !info.profile.empty())
    gst_caps_set_simple(caps.get(), "profile-id", G_TYPE_STRING, info.profile.c_str(), nullptr);
  const auto add_extension = [&caps](guint id, const char* uri) {
    if (id != 0)
      gst_caps_set_simple(caps.get(), ("extmap-" + std::to_string(id)).c_str(), G_TYPE_STRING, uri, nullptr);
  };
  add_extension(ids.playout_delay, VITRINE_PLAYOUT_DELAY_URI);
  add_extension(ids.transport_wide, kTransportWideUri);
  return caps;
}

}  // namespace

bool Peer::can_send(const std::string& codec) {
  const Payloading* payloading = payloading_for(codec);
  return payloading && Ref<GstElementFactory>::adopt(gst_element_factory_find(payloading->payloader));
}

bool Peer::add_streams(std::string& error) {
  OfferPlan plan;
  plan.places.resize(settings_.media.size());
  if (settings_.offer) {
    std::vector<StreamKind> kinds;
    for (const auto& [fanout, info] : settings_.media)
      kinds.push_back({info.video, info.codec, info.profile});
    plan = plan_answer(*settings_.offer, kinds);
    offer_ = plan.sdp;
    fingerprints_ = settings_.offer->fingerprints;
    answered_ = true;
  }
  for (size_t i = 0; i < settings_.media.size(); ++i) {
    const auto& [fanout, info] = settings_.media[i];
    if (settings_.offer && !plan.places[i])
      continue;
    if (!add_stream(fanout, info, plan.places[i] ? &*plan.places[i] : nullptr, error))
      return false;
  }
  if (streams_.empty())
    error = "the offer takes nothing of what there is";
  return !streams_.empty();
}

bool Peer::add_stream(const std::shared_ptr<Fanout>& fanout, const MediaInfo& info, const StreamPlace* place, std::string& error) {
  const Payloading* payloading = payloading_for(info.codec);
  GstElement* source = gst_element_factory_make("appsrc", nullptr);
  GstElement* payloader = payloading ? gst_element_factory_make(payloading->payloader, nullptr) : nullptr;
  if (!source || !payloader) {
    error = std::string("no RTP payloader for ") + info.codec + ": install " + (info.codec == "AV1" ? "gst-plugins-rs" : "gst-plugins-good");
    return false;
  }
  gst_bin_add_many(GST_BIN(pipeline_.get()), source, payloader, nullptr);
  const auto caps = fanout->caps();
  g_object_set(source, "is-live", TRUE, "format", GST_FORMAT_TIME, "min-latency", gint64{0}, "max-bytes", guint64{0},
               "caps", caps.get(), nullptr);
  const guint ssrc = g_random_int_range(1, G_MAXINT32);
  const RtpIds ids = choose_ids(*payloading, info, place, settings_.playout_delay);
  const guint rtp_offset = g_random_int() & 0x7fffffff;  // ours, so that frames are known by their timestamp; 2³²−1 would not be taken
  g_object_set(payloader, "pt", ids.payload_type, "mtu", kMtu, "ssrc", ssrc, "timestamp-offset", rtp_offset,
               "auto-header-extension", FALSE, nullptr);
  if (info.codec == "H264") {
    // SPS and PPS with every IDR, and no packet held back for aggregation.
    g_object_set(payloader, "config-interval", -1, nullptr);
    gst_util_set_object_arg(G_OBJECT(payloader), "aggregate-mode", "zero-latency");
  } else if (info.codec == "VP8" || info.codec == "VP9") {
    gst_util_set_object_arg(G_OBJECT(payloader), "picture-id-mode", "15-bit");
  }
  if (ids.playout_delay != 0) {
    auto* extension = GST_RTP_HEADER_EXTENSION(g_object_new(GST_TYPE_PLAYOUT_DELAY, nullptr));
    gst_rtp_header_extension_set_id(extension, ids.playout_delay);
    g_signal_emit_by_name(payloader, "add-extension", extension);
    gst_object_unref(extension);
  }

  if (info.video)
    tells_arrivals_ = ids.transport_wide != 0;
  if (ids.transport_wide != 0 && !rate_.add_video(payloader, ssrc, ids.transport_wide)) {
    error = "no header extension for congestion control: install the GStreamer plugin rtpmanager (gst-plugins-good)";
    return false;
  }

  auto rtp = rtp_caps(*payloading, info, ssrc, ids);
  GstPadTemplate* pad_template = gst_element_get_pad_template(webrtc_, "sink_%u");
  auto rtc_pad = Ref<GstPad>::adopt(gst_element_request_pad(webrtc_, pad_template, nullptr, rtp.get()));
  auto payload_pad = Ref<GstPad>::adopt(gst_element_get_static_pad(payloader, "src"));
  if (!rtc_pad || !gst_element_link(source, payloader) ||
      gst_pad_link(payload_pad.get(), rtc_pad.get()) != GST_PAD_LINK_OK) {
    error = "cannot link " + info.codec + " to webrtcbin";
    return false;
  }
  if (info.video) {
    meter_pad(payload_pad.get(), hold_, &HoldMeter::entered);
    // However many come, one at a time is looked at.
    watch_keyframe_requests(payload_pad.get(), [link = link_] {
      if (!link->picture_lost.exchange(true))
        link->invoke(link, &Peer::on_picture_lost);
    });
  } else {
    rate_.rate()->set_audio(ssrc);
    add_red(payload_pad.get(), red_, rate_.rate());
  }
  // Different media stream ids: a browser synchronizes tracks of one stream and would delay video for audio.
  g_object_set(rtc_pad.get(), "msid", settings_.one_stream ? "desktop" : info.video ? "video" : "audio", nullptr);
  Ref<GstWebRTCRTPTransceiver> transceiver;
  g_object_get(rtc_pad.get(), "transceiver", transceiver.out(), nullptr);
  g_object_set(transceiver.get(), "direction", GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, "do-nack",
               info.video ? TRUE : FALSE, "codec-preferences", rtp.get(), nullptr);

  // A path that stays full while others are served counts as one that cannot follow: its viewer gets fewer frames.
  auto backlog = [queued = settings_.network->backlog(), rate = rate_.rate(), rated = ids.transport_wide != 0] {
    return rated && rate->stuck(g_get_monotonic_time()) ? kStuckBacklog : queued();
  };
  auto outlet = std::make_shared<Outlet>(Ref<GstElement>::share(source), info.video, std::move(backlog), settings_.frames, rtp_offset);
  streams_.push_back({fanout, std::move(outlet), info});
  return true;
}

void Peer::open_outlets() {
  for (auto& stream : streams_) {
    const bool open = connected_ && (visible_ || !stream.info.video);
    if (!open)
      stream.outlet->close();
    else if (stream.outlet->open())
      stream.fanout->request_keyframe();
  }
}

bool Peer::uses(const Fanout& fanout) const {
  return std::any_of(streams_.begin(), streams_.end(), [&](const Stream& stream) { return stream.fanout.get() == &fanout; });
}

bool Peer::fits(const std::vector<std::shared_ptr<Fanout>>& media) const {
  return std::all_of(streams_.begin(), streams_.end(), [&](const Stream& stream) {
    const auto info = stream.fanout->info();
    return info && interchangeable(*info, stream.info) && std::find(media.begin(), media.end(), stream.fanout) != media.end();
  });
}

std::string Peer::video_codec() const {
  for (const auto& stream : streams_)
    if (stream.info.video)
      return stream.info.codec;
  return "";
}

void Peer::log_sent() const {
  for (const SentFrame& frame : rate_.rate()->frames())
    settings_.frames->sent(MediaWay::webrtc, frame.rtp_timestamp, frame.last_us);
}

std::shared_ptr<Fanout> Peer::video() const {
  for (const auto& stream : streams_)
    if (stream.info.video)
      return stream.fanout;
  return nullptr;
}

void Peer::set_visible(bool visible) {
  if (visible == visible_)
    return;
  visible_ = visible;
  open_outlets();
}

OutletStatistics Peer::video_statistics() const {
  for (const auto& stream : streams_)
    if (stream.info.video)
      return stream.outlet->statistics();
  return {};
}

}  // namespace vitrine
