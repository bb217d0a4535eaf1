// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer's messages.
#include "webrtc/viewer.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>

#include "webrtc/candidates.h"
#include "webrtc/debug.h"
#include "webrtc/session-server.h"

namespace vitrine {
namespace {

constexpr guint kPingSeconds = 5;
constexpr int64_t kResolveUs = 300'000;  // a name that takes longer is trickled past: the other candidates do

/// Chromium shows frames at once with playout-delay 0/0; Firefox has been seen to freeze with it.
bool takes_playout_delay(const std::string& user_agent) {
  return user_agent.find("Chrome/") != std::string::npos || user_agent.find("Chromium/") != std::string::npos;
}

bool is_loopback(const std::string& ip) { return ip.starts_with("127.") || ip == "::1"; }

/// IPs of this machine's interfaces that are up, but loopback.
std::vector<std::string> interface_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0)
    return addresses;
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    char text[INET6_ADDRSTRLEN] = "";
    if (!item->ifa_addr || !(item->ifa_flags & IFF_UP) || (item->ifa_flags & IFF_LOOPBACK))
      continue;
    if (item->ifa_addr->sa_family == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(item->ifa_addr)->sin_addr, text, sizeof text);
    else if (item->ifa_addr->sa_family == AF_INET6)
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(item->ifa_addr)->sin6_addr, text, sizeof text);
    if (*text)
      addresses.emplace_back(text);
  }
  freeifaddrs(list);
  return addresses;
}

}  // namespace

Viewer::Viewer(SessionServer& server, SoupWebsocketConnection* connection, const ViewerRequest& request,
               std::shared_ptr<ControlOutput> control)
    : server_(server),
      connection_(Ref<SoupWebsocketConnection>::share(connection)),
      request_(request),
      id_(random_hex(8)),
      resume_token_(random_hex(16)),
      input_(std::make_shared<ViewerInput>(id_, std::move(control), frames_)),
      self_(std::make_shared<Viewer*>(this)),
      token_(random_hex(16)),
      opened_us_(g_get_monotonic_time()) {
  soup_websocket_connection_set_max_incoming_payload_size(connection, kMessageMax);
  soup_websocket_connection_set_keepalive_interval(connection, kPingSeconds);
  message_handler_ = g_signal_connect(
      connection, "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint type, GBytes* bytes, gpointer data) {
        auto* self = static_cast<Viewer*>(data);
        gsize size = 0;
        const auto* start = static_cast<const char*>(g_bytes_get_data(bytes, &size));
        if (type == SOUP_WEBSOCKET_DATA_TEXT)
          self->on_text({start, size});
        else
          self->on_binary({reinterpret_cast<const uint8_t*>(start), size});
      }),
      this);
  closed_handler_ = g_signal_connect(connection, "closed", G_CALLBACK(+[](SoupWebsocketConnection*, gpointer data) {
                                       static_cast<Viewer*>(data)->close(SOUP_WEBSOCKET_CLOSE_NORMAL, "gone");
                                     }),
                                     this);
  resolve_host();
}

Viewer::~Viewer() {
  *self_ = nullptr;
  if (resolving_)
    g_cancellable_cancel(resolving_.get());
  g_signal_handler_disconnect(connection_.get(), message_handler_);
  g_signal_handler_disconnect(connection_.get(), closed_handler_);
  if (soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close(connection_.get(), SOUP_WEBSOCKET_CLOSE_GOING_AWAY, nullptr);
}

void Viewer::send(const std::string& json) {
  if (!closed_ && soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_send_text(connection_.get(), json.c_str());
}

void Viewer::refuse(const char* code, const std::string& message, bool retry) {
  if (closed_)
    return;
  GST_WARNING("viewer %s from %s refused (%s): %s", id_.c_str(), request_.remote_address.c_str(), code, message.c_str());
  send(MessageWriter("error").text("code", code).text("message", message).boolean("retry", retry).finish());
  close(retry ? SOUP_WEBSOCKET_CLOSE_SERVER_ERROR : SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, code);
}

void Viewer::close(gushort websocket_code, const std::string& reason) {
  if (closed_)
    return;
  closed_ = true;
  // The peer stays until we are deleted: it may be its callback that brought us here.
  if (soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close(connection_.get(), websocket_code, reason.c_str());
  server_.viewer_ended(*this, reason);  // moves us to where we are deleted later
}

void Viewer::on_text(std::string_view text) {
  if (closed_)
    return;
  if (!messages_.take(g_get_monotonic_time())) {
    refuse("rate", "too many messages", true);
    return;
  }
  std::string error;
  const auto message = parse_viewer_message(text, error);
  if (!message)
    refuse("protocol", error, false);
  else if (!said_hello_ && !std::holds_alternative<HelloMessage>(*message))
    refuse("protocol", "the first message must be 'hello'", false);
  else
    handle_message(*message);
}

void Viewer::on_binary(std::span<const uint8_t> bytes) {
  if (closed_)
    return;
  if (!said_hello_) {
    refuse("protocol", "the first message must be 'hello'", false);
    return;
  }
  if (const char* reason = input_->message(bytes))
    input_refused(reason);
}

void Viewer::input_refused(const char* reason) { refuse("protocol", std::string("input: ") + reason, true); }

void Viewer::handle_message(const ViewerMessage& message) {
  if (const auto* hello = std::get_if<HelloMessage>(&message))
    handle(*hello);
  else if (const auto* answer = std::get_if<AnswerMessage>(&message))
    handle(*answer);
  else if (const auto* ping = std::get_if<PingMessage>(&message))
    handle(*ping);
  else if (const auto* candidate = std::get_if<CandidateMessage>(&message)) {
    if (peer_)
      peer_->add_candidate(*candidate);
  } else if (const auto* renegotiate = std::get_if<RenegotiateMessage>(&message))
    handle(*renegotiate);
  else if (const auto* control = std::get_if<ControlAnswerMessage>(&message))
    server_.control_answered(*this, *control);
  else if (const auto* visible = std::get_if<VisibleMessage>(&message)) {
    visible_ = visible->value;
    if (peer_)
      peer_->set_visible(visible_);
    if (ws_)
      ws_->set_visible(visible_);
  } else if (const auto* desktop = std::get_if<DesktopMessage>(&message)) {
    if (!server_.desktop_message(*this, desktop->text))
      GST_DEBUG("viewer %s: ignored a desktop message of a viewer without control", id_.c_str());
  } else if (std::holds_alternative<KeyframeMessage>(message)) {
    if (peer_)
      peer_->request_keyframe();
  } else if (std::holds_alternative<ControlRequestMessage>(message)) {
    server_.control_requested(*this);
  } else if (std::holds_alternative<ControlReleaseMessage>(message)) {
    server_.control_released(*this);
  } else if (const auto* shown = std::get_if<MediaShownMessage>(&message)) {
    if (shown->id == offer_id_)
      leaving_.reset();
  } else if (const auto* latency = std::get_if<LatencyMessage>(&message)) {
    latency_.take(latency->report, *frames_, peer_ ? to_string(peer_->ice_statistics().path) : "none", g_get_monotonic_time());
  } else if (std::holds_alternative<ByeMessage>(message)) {
    close(SOUP_WEBSOCKET_CLOSE_NORMAL, "bye");
  }
  // Unknown types are ignored.
}

void Viewer::handle(const HelloMessage& hello) {
  if (said_hello_) {
    refuse("protocol", "'hello' came twice", false);
    return;
  }
  said_hello_ = wants_offer_ = true;
  hello_us_ = g_get_monotonic_time();
  hello_ = hello;
  // What has no payloader here goes by WebSocket alone.
  std::erase_if(hello_.codecs, [](const std::string& codec) { return !Peer::can_send(codec); });
  name_ = hello.name.empty() ? request_.identity.account : hello.name;
  GST_INFO("viewer %s from %s: hello from \"%s\", role %s", id_.c_str(), request_.remote_address.c_str(),
           hello.client.c_str(), to_string(request_.identity.role));
  try_offer(hello_us_);
}

void Viewer::handle(const AnswerMessage& answer) {
  if (!peer_ || answer.id != offer_id_) {
    GST_DEBUG("viewer %s: ignored an answer to another offer", id_.c_str());
    return;
  }
  std::string error;
  const auto result = peer_->set_answer(answer.sdp, error);
  answered_us_ = g_get_monotonic_time();
  if (result == Peer::Answer::malformed)
    refuse("protocol", "answer: " + error, false);
  else if (result == Peer::Answer::codec) {
    // It named the codec in 'hello' but does not take what it is offered: another will do.
    GST_INFO("viewer %s: %s", id_.c_str(), error.c_str());
    std::erase(hello_.codecs, peer_->video_codec());
    offer_again("it plays another codec");
  }
}

void Viewer::handle(const PingMessage& ping) {
  send(MessageWriter("pong")
           .number("t", ping.t)
           .number("server", static_cast<double>(g_get_monotonic_time()))
           .finish());
}

void Viewer::handle(const RenegotiateMessage&) {
  const int64_t now_us = g_get_monotonic_time();
  if (now_us - renegotiated_us_ < kRenegotiateUs)
    return;
  renegotiated_us_ = now_us;
  offer_again("the browser asks for it", true);
}

void Viewer::offer_again(const char* why, bool gently) {
  if (closed_ || !said_hello_)
    return;
  GST_INFO("viewer %s: new offer: %s", id_.c_str(), why);
  leaving_.reset();
  if (gently && peer_ && peer_->connected())
    leaving_ = std::move(peer_);
  peer_.reset();
  wants_offer_ = true;
  wants_ws_ = ws_ && (wants_ws_ || !gently);
  hello_us_ = g_get_monotonic_time();
  try_offer(hello_us_);
}

void Viewer::resolve_host() {
  const auto host = parse_host_port(request_.host);
  if (!host || !server_.settings().public_address.empty() || is_ip_literal(host->host) || host->host == "localhost")
    return;
  resolving_ = Ref<GCancellable>::adopt(g_cancellable_new());
  auto resolver = Ref<GResolver>::adopt(g_resolver_get_default());
  g_resolver_lookup_by_name_async(
      resolver.get(), host->host.c_str(), resolving_.get(),
      [](GObject* source, GAsyncResult* result, gpointer data) {
        std::unique_ptr<std::shared_ptr<Viewer*>> held(static_cast<std::shared_ptr<Viewer*>*>(data));
        GList* addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, nullptr);
        if (Viewer* self = **held) {
          for (GList* item = addresses; item; item = item->next) {
            GCharPtr ip(g_inet_address_to_string(G_INET_ADDRESS(item->data)));
            self->resolved_.push_back(ip.get());
          }
          self->resolving_.reset();
          self->try_offer(g_get_monotonic_time());
        }
        g_resolver_free_addresses(addresses);
      },
      new std::shared_ptr<Viewer*>(self_));
}

Viewer::Choice Viewer::choose_media(const std::vector<std::string>& codecs) const {
  Choice choice;
  bool found = false;
  for (const auto& fanout : server_.host().media()) {
    const auto info = fanout->info();
    if (!info) {
      choice.unknown = true;
    } else if (!info->video) {
      choice.media.emplace_back(fanout, *info);
    } else if (std::find(codecs.begin(), codecs.end(), info->codec) == codecs.end()) {
      choice.others += (choice.others.empty() ? "" : ", ") + info->codec;
    } else if (!std::exchange(found, true)) {
      choice.media.emplace_back(fanout, *info);
    }
  }
  choice.playable = found || (choice.others.empty() && !choice.unknown);
  return choice;
}

bool Viewer::offers_webrtc() const {
  return hello_.webrtc && server_.settings().network.transport != TransportChoice::websocket;
}

bool Viewer::offers_websocket() const {
  return hello_.websocket && server_.settings().network.transport != TransportChoice::webrtc;
}

void Viewer::try_offer(int64_t now_us) {
  if (closed_ || !wants_offer_ || (resolving_ && now_us - opened_us_ < kResolveUs))
    return;
  if (!offers_webrtc() && !offers_websocket()) {
    refuse("transport", hello_.webrtc ? "the server sends its picture by WebSocket only, which this browser does not play"
                                      : "the server sends its picture by WebRTC only", false);
    return;
  }
  Ref<GstClock> clock;
  GstClockTime base_time;
  const Choice by_webrtc = choose_media(offers_webrtc() ? hello_.codecs : std::vector<std::string>());
  const Choice by_websocket = choose_media(offers_websocket() ? hello_.decodes : std::vector<std::string>());
  const bool webrtc = offers_webrtc() && by_webrtc.playable;
  const bool websocket = offers_websocket() && by_websocket.playable;
  // WebRTC goes first: who can take a stream by WebSocket alone sees that one until there is one for WebRTC.
  bool waits = !webrtc && (offers_webrtc() || !websocket);
  if (waits && !by_webrtc.unknown && now_us - codec_asked_us_ >= kCodecUs) {
    codec_asked_us_ = now_us;
    auto codecs = offers_webrtc() ? hello_.codecs : std::vector<std::string>();
    if (offers_websocket() && !websocket)
      codecs.insert(codecs.end(), hello_.decodes.begin(), hello_.decodes.end());
    if (!server_.host().codec_request(codecs)) {
      if (!websocket) {
        refuse("codec", "this browser does not play " + by_webrtc.others, false);
        return;
      }
      waits = hello_.webrtc = false;
    }
  }
  if (waits && !websocket)
    return;
  Media media = webrtc ? by_webrtc.media : by_websocket.media;
  if (media.empty() || !server_.host().clock(clock, base_time))
    return;  // tick() tries again
  wants_offer_ = waits;
  if (waits)
    hello_us_ = now_us;
  if (!std::exchange(welcomed_, true))
    welcome(media);
  if (closed_)
    return;
  if (webrtc)
    start_peer(std::move(media));
  try_ws(now_us);
}

void Viewer::welcome(const Media& media) {
  std::string list;
  for (const auto& [fanout, info] : media)
    list += std::string(list.empty() ? "" : ",") + "{\"kind\":\"" + (info.video ? "video" : "audio") +
            "\",\"codec\":" + json_string(info.codec) + "}";
  MessageWriter message("welcome");
  message.number("version", 1)
      .text("peer", id_)
             .text("resume", resume_token_)
      .text("role", to_string(request_.identity.role))
      .text("title", server_.settings().title)
      .text("server", "Vitrine " PACKAGE_VERSION)
      .raw("media", "[" + list + "]")
      .raw("transports", offers_webrtc() ? offers_websocket() ? "[\"webrtc\",\"websocket\"]" : "[\"webrtc\"]" : "[\"websocket\"]");
  if (offers_websocket())
    message.text("token", token_);
  const FileSettings& files = server_.settings().files;
  if (request_.identity.role == Role::control && !(files.upload_folder.empty() && files.download_folder.empty()))
    message.raw("files", "{\"upload\":" + std::to_string(files.upload_folder.empty() ? 0 : files.largest_upload) +
                             ",\"download\":" + (files.download_folder.empty() ? "false" : "true") + "}");
  send(message.finish());
  server_.viewer_joined(*this);
}

void Viewer::start_peer(Media media) {
  const auto& settings = server_.settings();
  CandidateInputs inputs;
  inputs.public_address = settings.public_address;
  inputs.host_header = request_.host;
  inputs.local_address = request_.local_address;
  // With a listen-address of its own the server answers on no other.
  if (is_loopback(request_.local_address) && settings.listen_address.empty())
    inputs.other_addresses = interface_addresses();
  inputs.resolved = resolved_;
  inputs.port = settings.port;
  inputs.default_http_port = request_.secure ? 443 : 80;
  inputs.udp = settings.udp;
  inputs.tcp = settings.tcp;

  PeerSettings peer;
  peer.name = id_;
  peer.media = std::move(media);
  server_.host().clock(peer.clock, peer.base_time);
  peer.playout_delay = takes_playout_delay(request_.user_agent);
  peer.candidates = make_candidates(inputs);
  peer.network = make_network();
  peer.frames = frames_;
  peer.rate = settings.rate;
  peer.rate.max_bps = EncoderPolicy::needed_bps(settings.rate.max_bps);

  PeerCallbacks callbacks;
  callbacks.offer = [this](const std::string& sdp) {
    MessageWriter message("offer");
    message.number("id", static_cast<double>(offer_id_)).text("sdp", sdp);
    add_ice_servers(message);
    send(message.finish());
  };
  callbacks.connected = [this] {
    const int64_t now_us = g_get_monotonic_time();
    GST_INFO("viewer %s: media connected by %s after %" G_GINT64_FORMAT " ms", id_.c_str(),
             to_string(peer_->ice_statistics().path), (now_us - offered_us_) / 1000);
    offered_us_ = 0;
    connected_us_ = now_us;
    told_stalled_ = false;
    if (peer_->network().lite())
      server_.reach_memory().reached(request_.remote_address);
    server_.host().viewer_connected(id_);
  };
  callbacks.failed = [this, id = offer_id_](const std::string& reason) {
    if (id == offer_id_)  // else it was the one that is leaving
      on_peer_failed(reason);
  };
  callbacks.input = [input = input_, self = self_, context = server_.context()](GBytes* message) {
    gsize size = 0;
    const auto* data = static_cast<const uint8_t*>(g_bytes_get_data(message, &size));
    const char* reason = input->message({data, size});
    if (!reason)
      return;
    using Refusal = std::pair<std::shared_ptr<Viewer*>, const char*>;
    g_main_context_invoke_full(
        context, G_PRIORITY_DEFAULT,
        [](gpointer refusal) -> gboolean {
          auto* call = static_cast<Refusal*>(refusal);
          if (Viewer* viewer = *call->first)
            viewer->input_refused(call->second);
          return G_SOURCE_REMOVE;
        },
        new Refusal(self, reason), [](gpointer refusal) { delete static_cast<Refusal*>(refusal); });
  };
  offered_us_ = g_get_monotonic_time();
  answered_us_ = 0;
  peer_ = std::make_unique<Peer>(server_.reaper(), server_.context(), std::move(peer), std::move(callbacks));
  peer_->set_visible(visible_);
  std::string error;
  if (!peer_->start(error))
    refuse("internal", error, false);
}

bool Viewer::wants_nice() const {
  const auto& network = server_.settings().network;
  if (network.ice_mode != IceMode::automatic)
    return network.ice_mode == IceMode::nice;
  return network.turn.any() && (lite_failed_ || server_.reach_memory().unreachable(request_.remote_address, g_get_monotonic_time()));
}

std::unique_ptr<PeerNetwork> Viewer::make_network() {
  const int64_t id = ++offer_id_;
  if (!wants_nice())
    return new_lite_network(server_.ice(), server_.context());
  NiceSettings nice;
  nice.configuration = server_.ice_servers().for_name("vitrine");
  nice.forwarders = &server_.turn_forwarders();
  nice.candidate = [self = self_, id, context = server_.context()](guint media_index, const std::string& candidate) {
    struct Found {
      std::shared_ptr<Viewer*> viewer;
      int64_t id;
      guint media_index;
      std::string candidate;
    };
    g_main_context_invoke_full(
        context, G_PRIORITY_DEFAULT,
        [](gpointer data) -> gboolean {
          const auto* found = static_cast<Found*>(data);
          if (Viewer* viewer = *found->viewer; viewer && viewer->peer_ && viewer->offer_id_ == found->id)
            viewer->send(MessageWriter("candidate")
                             .text("candidate", found->candidate)
                             .text("mid", viewer->peer_->mid_of(found->media_index))
                             .finish());
          return G_SOURCE_REMOVE;
        },
        new Found{self, id, media_index, candidate}, [](gpointer data) { delete static_cast<Found*>(data); });
  };
  return new_nice_network(std::move(nice));
}

void Viewer::add_ice_servers(MessageWriter& message) const {
  const auto configuration = server_.ice_servers().for_name(request_.identity.account);
  message.raw("iceServers", ice_servers_json(configuration)).text("iceTransportPolicy", configuration.relay_only ? "relay" : "all");
}

void Viewer::tell_ice_servers() {
  MessageWriter message("ice-servers");
  add_ice_servers(message);
  send(message.finish());
  // An allocation lives on the credentials that it was made with; a new connection is made with the new ones.
  if (peer_ && peer_->connected() && peer_->ice_statistics().path == IcePath::relay)
    offer_again("the TURN credentials change", true);
}

void Viewer::on_peer_failed(const std::string& reason) {
  GST_WARNING("viewer %s: media connection failed: %s", id_.c_str(), reason.c_str());
  if (!peer_ || !peer_->network().lite())
    server_.reach_memory().reached(request_.remote_address);  // nothing was gained by not trying it
  if (!offers_websocket()) {
    refuse("internal", reason, true);
    return;
  }
  // The session goes on without it; the viewer asks for another one when it wants to. Deleted in tick(): we are in its callback.
  offered_us_ = 0;
  peer_failed_ = true;
}

void Viewer::tick(int64_t now_us) {
  if (closed_)
    return;
  if (peer_)
    peer_->tick(now_us);
  if (!said_hello_ && now_us - opened_us_ > kHelloUs) {
    refuse("protocol", "no 'hello'", false);
  } else if (wants_offer_ && said_hello_) {
    try_offer(now_us);
    if (!closed_ && wants_offer_ && now_us - hello_us_ > kMediaUs)
      refuse("internal", "the desktop sends no picture", true);
  } else if (peer_ && answered_us_ != 0 && now_us - answered_us_ > kLiteUs && !lite_failed_ && peer_->network().lite() &&
             !peer_->network().heard() && server_.settings().network.ice_mode == IceMode::automatic &&
             server_.settings().network.turn.any()) {
    lite_failed_ = true;
    server_.reach_memory().failed(request_.remote_address, now_us);
    offer_again("nothing comes to the shared port; by libnice now");
  } else if (peer_ && !peer_->connected() && offered_us_ != 0 && now_us - offered_us_ > kConnectUs) {
    if (ws_)
      peer_.reset();
    else
      refuse("internal", "no media connection came about", true);
  } else if (peer_ && peer_->connected() && now_us - peer_->last_received_us() > kSilenceUs) {
    offer_again("the media connection is silent");
  }
  if (!closed_)
    tick_transports(now_us);
  if (!closed_ && hello_.frames)
    tell_frames(now_us);
}

}  // namespace vitrine
