// SPDX-License-Identifier: LGPL-2.1-or-later
// A webrtcbin with the traps of 1.22 closed: clocksync off, own fingerprint check, RTCP checked before rtpsession, NACK for video only.
#include "webrtc/peer.h"

#include <string.h>

#include "webrtc/debug.h"
#include "webrtc/peer-link.h"
#include "webrtc/peer-taps.h"

namespace vitrine {

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
  tame_parts(webrtc_, rate_.rate());
  g_signal_connect_data(webrtc_, "deep-element-added", G_CALLBACK(on_dtls_added), Link::hold(link_), Link::drop_closure, GConnectFlags(0));
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

/// webrtcbin does not say when the other side ends DTLS.
void Peer::on_dtls_added(GstBin*, GstBin*, GstElement* element, gpointer link) {
  GstElementFactory* factory = gst_element_get_factory(element);
  if (!factory || strcmp(GST_OBJECT_NAME(factory), "dtlsdec") != 0)
    return;
  g_signal_connect_data(
      element, "notify::connection-state",
      G_CALLBACK(+[](GstElement* decoder, GParamSpec*, gpointer data) {
        constexpr int kClosed = 1;  // GstDtlsConnectionState, which no header has
        int state = 0;
        g_object_get(decoder, "connection-state", &state, nullptr);
        if (state == kClosed && Link::get(data)->accepts_input)
          Link::get(data)->invoke(Link::get(data), &Peer::on_closed);
      }),
      Link::hold(Link::get(link)), Link::drop_closure, GConnectFlags(0));
}

void Peer::on_closed() { callbacks_.failed("the browser has closed it"); }

void Peer::on_picture_lost() {
  link_->picture_lost = false;
  const auto stream = video();
  if (!connected_ || !stream || (tells_arrivals_ && rate_.rate()->still_and_whole(stream->keyframe_us(), g_get_monotonic_time())))
    return;
  callbacks_.picture_lost(stream);
}

IceStatistics Peer::ice_statistics() const { return settings_.network->statistics(); }

int64_t Peer::last_received_us() const { return settings_.network->last_received_us(); }

}  // namespace vitrine
