// SPDX-License-Identifier: LGPL-2.1-or-later
// A webrtcbin with the traps of 1.22 closed: clocksync off, own fingerprint check, RTCP checked before rtpsession, NACK for video only.
#include "webrtc/peer.h"

#include <gst/sdp/sdp.h>

#include <algorithm>
#include <atomic>
#include <string.h>

#include "webrtc/audio-red.h"
#include "webrtc/debug.h"
#include "webrtc/gstplayoutdelay.h"
#include "webrtc/rtcp-check.h"

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

using HoldMethod = void (HoldMeter::*)(std::span<const uint8_t>, int64_t);

/// Feeds a hold meter with the packets that pass a pad.
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

/// Sends sound with copies of what went before while packets of the viewer's path are lost. The browser has to know RED.
void add_red(GstPad* pad, const std::shared_ptr<std::atomic<bool>>& known, const std::shared_ptr<ViewerRate>& rate) {
  struct Tap {
    std::shared_ptr<std::atomic<bool>> known;
    std::shared_ptr<ViewerRate> rate;
    RedPacker packer;
    RedChoice choice;
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

void on_session_pad_added(GstElement*, GstPad* pad, gpointer rate) {
  if (!g_str_has_prefix(GST_PAD_NAME(pad), "recv_rtcp_sink"))
    return;
  watch_rtcp(pad, *static_cast<std::shared_ptr<ViewerRate>*>(rate));
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, check_rtcp, nullptr, nullptr);
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

struct Peer::Link {
  Peer* peer;  // null once the peer is gone; only touched on the session's thread
  Ref<GMainContext> context;
  std::function<void(GBytes*)> input;
  TalkSink talk;
  std::atomic<bool> accepts_input{false};

  static gpointer hold(const std::shared_ptr<Link>& link) { return new std::shared_ptr<Link>(link); }
  static void drop(gpointer data) { delete static_cast<std::shared_ptr<Link>*>(data); }
  static void drop_closure(gpointer data, GClosure*) { drop(data); }
  static std::shared_ptr<Link>& get(gpointer data) { return *static_cast<std::shared_ptr<Link>*>(data); }

  /// Runs a method of the peer on the session's thread, if it still lives then.
  void invoke(const std::shared_ptr<Link>& self, void (Peer::*method)()) {
    struct Call {
      std::shared_ptr<Link> link;
      void (Peer::*method)();
    };
    g_main_context_invoke_full(
        context.get(), G_PRIORITY_HIGH,
        [](gpointer data) -> gboolean {
          auto* call = static_cast<Call*>(data);
          if (call->link->peer)
            (call->link->peer->*call->method)();
          return G_SOURCE_REMOVE;
        },
        new Call{self, method}, [](gpointer data) { delete static_cast<Call*>(data); });
  }
};

Peer::Peer(Reaper& reaper, GMainContext* context, PeerSettings settings, PeerCallbacks callbacks)
    : reaper_(reaper),
      context_(Ref<GMainContext>::share(context)),
      settings_(std::move(settings)),
      callbacks_(std::move(callbacks)),
      link_(std::make_shared<Link>()),
      rate_(settings_.rate) {
  link_->peer = this;
  link_->context = Ref<GMainContext>::share(context);
  link_->input = callbacks_.input;
  link_->talk = callbacks_.talk;
}

Peer::~Peer() {
  link_->peer = nullptr;
  link_->accepts_input = false;
  for (auto& stream : streams_) {
    stream.outlet->close();
    stream.fanout->remove(stream.outlet);
  }
  settings_.network->close();
  // A data channel must not outlive its webrtcbin (use after free before 1.22.3).
  if (input_channel_ && input_handler_)
    g_signal_handler_disconnect(input_channel_.get(), input_handler_);
  input_channel_.reset();
  if (bus_source_)
    g_source_destroy(bus_source_.get());
  if (pipeline_)
    reaper_.take(std::move(pipeline_));
}

bool Peer::start(std::string& error) {
  pipeline_ = Ref<GstElement>::sink(gst_pipeline_new(("viewer-" + settings_.name).c_str()));
  webrtc_ = settings_.network->make_webrtcbin();
  if (!webrtc_) {
    error = "no element \"webrtcbin\": install the GStreamer plugins gst-plugins-bad (webrtc), nice, dtls and srtp";
    return false;
  }
  using SharedRate = std::shared_ptr<ViewerRate>;
  g_signal_connect_data(
      webrtc_, "deep-element-added", G_CALLBACK(on_deep_element_added), new SharedRate(rate_.rate()),
      [](gpointer rate, GClosure*) { delete static_cast<SharedRate*>(rate); }, GConnectFlags(0));
  rate_.attach(webrtc_);
  gst_bin_add(GST_BIN(pipeline_.get()), webrtc_);
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), settings_.clock.get());
  gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline_.get(), settings_.base_time);
  // The data channel's and the connection's callbacks may come on any thread.
  g_signal_connect_data(
      webrtc_, "notify::connection-state",
      G_CALLBACK(+[](GstElement*, GParamSpec*, gpointer data) {
        Link::get(data)->invoke(Link::get(data), &Peer::on_connection_state);
      }),
      Link::hold(link_), Link::drop_closure, GConnectFlags(0));

  watch_bus();
  if (!add_streams(error))
    return false;
  if (settings_.microphone && !settings_.offer)
    receive_talk(webrtc_, [link = link_](std::span<const uint8_t> packet) {
      if (link->accepts_input)
        link->talk(packet);
    });
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    error = "webrtcbin does not start; its DTLS, SRTP or nice plugin may be missing";
    return false;
  }
  if (settings_.offer && !take_offer()) {
    error = "the SDP cannot be parsed";
    return false;
  }
  if (!settings_.offer)
    open_input_channel();
  for (const auto& stream : streams_)
    stream.fanout->add(stream.outlet);
  create_description();
  return true;
}

void Peer::open_input_channel() {
  auto options = StructurePtr(gst_structure_new("options", "ordered", G_TYPE_BOOLEAN, FALSE, "max-retransmits",
                                                G_TYPE_INT, 0, "protocol", G_TYPE_STRING, "vitrine.input.1", nullptr));
  g_signal_emit_by_name(webrtc_, "create-data-channel", "input", options.get(), input_channel_.out());
  if (input_channel_)
    input_handler_ = g_signal_connect_data(
        input_channel_.get(), "on-message-data",
        G_CALLBACK(+[](GstWebRTCDataChannel*, GBytes* bytes, gpointer data) {
          const auto& link = Link::get(data);
          if (bytes && link->accepts_input)
            link->input(bytes);
        }),
        Link::hold(link_), Link::drop_closure, GConnectFlags(0));
}

void Peer::watch_bus() {
  auto bus = Ref<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(pipeline_.get())));
  bus_source_ = Ref<GSource>::adopt(gst_bus_create_watch(bus.get()));
  const GstBusFunc on_message = [](GstBus*, GstMessage* message, gpointer data) -> gboolean {
    if (Peer* peer = Link::get(data)->peer)
      peer->on_bus_message(message);
    return G_SOURCE_CONTINUE;
  };
  g_source_set_callback(bus_source_.get(), G_SOURCE_FUNC(on_message), Link::hold(link_), Link::drop);
  g_source_attach(bus_source_.get(), context_.get());
}

void Peer::on_bus_message(GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY) {
    // rtpsession needs the latency for its sender reports.
    gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    ErrorSlot error;
    GCharPtr debug;
    char* text = nullptr;
    gst_message_parse_error(message, error.out(), &text);
    debug.reset(text);
    GST_WARNING("viewer %s: %s (%s)", settings_.name.c_str(), error.message(), debug ? debug.get() : "");
    callbacks_.failed(error.message());
  }
}

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
  } else {
    rate_.rate()->set_audio(ssrc);
    add_red(payload_pad.get(), red_, rate_.rate());
  }
  // Different media stream ids: a browser synchronizes tracks of one stream and would delay video for audio.
  g_object_set(rtc_pad.get(), "msid", info.video ? "video" : "audio", nullptr);
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

bool Peer::take_offer() {
  GstSDPMessage* message = nullptr;
  gst_sdp_message_new(&message);
  const auto size = static_cast<guint>(offer_.size());
  if (gst_sdp_message_parse_buffer(reinterpret_cast<const guint8*>(offer_.data()), size, message) != GST_SDP_OK ||
      gst_sdp_message_medias_len(message) != settings_.offer->media.size()) {
    gst_sdp_message_free(message);
    return false;
  }
  set_remote_description(GST_WEBRTC_SDP_TYPE_OFFER, message);
  return true;
}

void Peer::set_remote_description(GstWebRTCSDPType type, GstSDPMessage* message) {
  GstWebRTCSessionDescription* description = gst_webrtc_session_description_new(type, message);
  auto promise = Ref<GstPromise>::adopt(gst_promise_new_with_change_func(
      [](GstPromise* reply, gpointer data) {
        const GstStructure* structure = gst_promise_get_reply(reply);
        if (structure && gst_structure_has_field(structure, "error"))
          Link::get(data)->invoke(Link::get(data), &Peer::on_remote_description_refused);
      },
      Link::hold(link_), Link::drop));
  g_signal_emit_by_name(webrtc_, "set-remote-description", description, promise.get());
  gst_webrtc_session_description_free(description);
}

void Peer::create_description() {
  promise_ = Ref<GstPromise>::adopt(gst_promise_new_with_change_func(
      [](GstPromise*, gpointer data) { Link::get(data)->invoke(Link::get(data), &Peer::on_description_created); },
      Link::hold(link_), Link::drop));
  g_signal_emit_by_name(webrtc_, settings_.offer ? "create-answer" : "create-offer", nullptr, promise_.get());
}

void Peer::on_description_created() {
  const GstStructure* reply = gst_promise_get_reply(promise_.get());
  GstWebRTCSessionDescription* description = nullptr;
  const char* name = settings_.offer ? "answer" : "offer";
  if (reply)
    gst_structure_get(reply, name, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &description, nullptr);
  if (!description) {
    callbacks_.failed(std::string("webrtcbin made no ") + name);
    return;
  }
  auto promise = Ref<GstPromise>::adopt(gst_promise_new_with_change_func(
      [](GstPromise*, gpointer data) { Link::get(data)->invoke(Link::get(data), &Peer::on_description_set); },
      Link::hold(link_), Link::drop));
  g_signal_emit_by_name(webrtc_, "set-local-description", description, promise.get());
  gst_webrtc_session_description_free(description);
}

void Peer::on_description_set() {
  GstWebRTCSessionDescription* local = nullptr;
  g_object_get(webrtc_, "local-description", &local, nullptr);
  if (!local) {
    callbacks_.failed("webrtcbin refused its own description");
    return;
  }
  GCharPtr text(gst_sdp_message_as_text(local->sdp));
  if (auto output = settings_.network->output()) {
    meter_pad(output.get(), hold_, &HoldMeter::left);
    rate_.watch_output(output.get(), text.get());
  }
  gst_webrtc_session_description_free(local);
  mids_ = media_ids(text.get());
  const bool lite = settings_.network->lite();
  const auto candidates = lite ? settings_.candidates : std::vector<std::string>();
  if (settings_.offer) {
    callbacks_.described(edit_answer(text.get(), lite, candidates));
    return;
  }
  OfferEdits edits;
  edits.ice_lite = lite;
  edits.candidates = candidates;
  for (const auto& stream : streams_)
    if (stream.info.video) {
      edits.video_encoding = stream.info.codec;
      edits.video_parameters = video_parameters(stream.info.codec, stream.info.profile);
    }
  callbacks_.described(offer_red(edit_offer(text.get(), edits)));
}

Peer::Answer Peer::set_answer(const std::string& text, std::string& error) {
  if (answered_) {
    error = "the offer was answered before";
    return Answer::malformed;
  }
  const auto facts = read_answer(text, error);
  if (!facts)
    return Answer::malformed;
  if (facts->video_rejected) {
    error = "this browser does not play what the desktop is encoded with";
    return Answer::codec;
  }
  bool red = false;
  const std::string sdp = strip_red(text, red);
  GstSDPMessage* message = nullptr;
  gst_sdp_message_new(&message);
  if (gst_sdp_message_parse_buffer(reinterpret_cast<const guint8*>(sdp.data()), static_cast<guint>(sdp.size()),
                                   message) != GST_SDP_OK) {
    gst_sdp_message_free(message);
    error = "the SDP cannot be parsed";
    return Answer::malformed;
  }
  GstWebRTCSessionDescription* local = nullptr;
  g_object_get(webrtc_, "local-description", &local, nullptr);
  const guint offered = local ? gst_sdp_message_medias_len(local->sdp) : 0;
  if (local)
    gst_webrtc_session_description_free(local);
  // webrtcbin pairs media sections by index without a check of its own.
  if (gst_sdp_message_medias_len(message) != offered) {
    gst_sdp_message_free(message);
    error = "the answer has another number of media sections than the offer";
    return Answer::malformed;
  }
  answered_ = true;
  *red_ = red;
  fingerprints_ = facts->fingerprints;
  set_remote_description(GST_WEBRTC_SDP_TYPE_ANSWER, message);
  return Answer::taken;
}

void Peer::on_remote_description_refused() { callbacks_.failed("webrtcbin refused what the browser says"); }

void Peer::on_connection_state() {
  GstWebRTCPeerConnectionState state;
  g_object_get(webrtc_, "connection-state", &state, nullptr);
  GST_DEBUG("viewer %s: connection state %d", settings_.name.c_str(), state);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED) {
    callbacks_.failed("DTLS or ICE failed");
    return;
  }
  if (state != GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED || connected_)
    return;
  std::string error;
  if (!fingerprint_fits(error)) {
    callbacks_.failed(error);
    return;
  }
  connected_ = true;
  settings_.network->connected();
  link_->accepts_input = true;
  open_outlets();
  callbacks_.connected();
}

bool Peer::fingerprint_fits(std::string& error) const {
  Ref<GstWebRTCRTPTransceiver> transceiver;
  g_signal_emit_by_name(webrtc_, "get-transceiver", 0, transceiver.out());
  Ref<GstWebRTCRTPSender> sender;
  if (transceiver)
    g_object_get(transceiver.get(), "sender", sender.out(), nullptr);
  Ref<GstWebRTCDTLSTransport> transport;
  if (sender)
    g_object_get(sender.get(), "transport", transport.out(), nullptr);
  char* pem = nullptr;
  if (transport)
    g_object_get(transport.get(), "remote-certificate", &pem, nullptr);
  const GCharPtr owned(pem);
  if (!pem) {
    error = "the browser showed no DTLS certificate";
    return false;
  }
  bool known = false;
  for (const auto& fingerprint : fingerprints_) {
    const std::string actual = certificate_fingerprint(pem, fingerprint.algorithm);
    if (actual.empty())
      continue;  // an algorithm that we do not know; at least one has to be known
    known = true;
    if (actual != fingerprint.value) {
      error = "the DTLS certificate is not the one that the answer named";
      return false;
    }
  }
  if (!known)
    error = "the answer has no fingerprint by SHA-256, SHA-384 or SHA-512";
  return known;
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

void Peer::request_keyframe() {
  for (const auto& stream : streams_)
    stream.fanout->request_keyframe();
}

void Peer::set_visible(bool visible) {
  if (visible == visible_)
    return;
  visible_ = visible;
  open_outlets();
}

void Peer::add_candidate(const CandidateMessage& candidate) {
  // Without a mid it is one of the bundle's, as the first section's are.
  const auto found = std::find(mids_.begin(), mids_.end(), candidate.mid);
  const auto index = found == mids_.end() ? 0 : found - mids_.begin();
  if (!candidate.candidate.empty() && ++candidates_ <= kCandidatesMax)
    settings_.network->add_candidate(static_cast<guint>(index), candidate.candidate);
}

std::string Peer::mid_of(guint media_index) const { return media_index < mids_.size() ? mids_[media_index] : ""; }

IceStatistics Peer::ice_statistics() const { return settings_.network->statistics(); }

int64_t Peer::last_received_us() const { return settings_.network->last_received_us(); }

OutletStatistics Peer::video_statistics() const {
  for (const auto& stream : streams_)
    if (stream.info.video)
      return stream.outlet->statistics();
  return {};
}

void Peer::on_deep_element_added(GstBin*, GstBin*, GstElement* element, gpointer rate) {
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

}  // namespace vitrine
