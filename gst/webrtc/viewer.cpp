// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer's messages.
#include "webrtc/viewer.h"

#include <algorithm>

#include "webrtc/debug.h"
#include "webrtc/session-server.h"

namespace vitrine {
namespace {

constexpr int64_t kResolveUs = 300'000;  // a name that takes longer is trickled past: the other candidates do

}  // namespace

Viewer::Viewer(SessionServer& server, std::unique_ptr<ViewerChannel> channel, const ViewerRequest& request,
               std::shared_ptr<ControlOutput> control)
    : server_(server),
      channel_(std::move(channel)),
      request_(request),
      id_(random_hex(8)),
      resume_token_(random_hex(16)),
      input_(std::make_shared<ViewerInput>(id_, std::move(control), frames_)),
      self_(std::make_shared<Viewer*>(this)),
      token_(random_hex(16)),
      opened_us_(g_get_monotonic_time()) {
  channel_->listen({[this](std::string_view text) { on_text(text); }, [this](std::span<const uint8_t> bytes) { on_binary(bytes); },
                    [this] { close(SOUP_WEBSOCKET_CLOSE_NORMAL, "gone"); }});
  resolve_host();
}

Viewer::~Viewer() {
  *self_ = nullptr;
  if (resolving_)
    g_cancellable_cancel(resolving_.get());
}

void Viewer::send(const std::string& json) {
  if (!closed_)
    channel_->send(json);
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
  channel_->close(websocket_code, reason);
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
    wants_visible_ = visible->value;
    follow_visible(g_get_monotonic_time());
  } else if (const auto* desktop = std::get_if<DesktopMessage>(&message)) {
    if (!server_.desktop_message(*this, desktop->text))
      GST_DEBUG("viewer %s: ignored a desktop message of a viewer without control", id_.c_str());
  } else if (std::holds_alternative<KeyframeMessage>(message)) {
    if (peer_)
      picture_lost(peer_->video());
  } else if (std::holds_alternative<ControlRequestMessage>(message)) {
    server_.control_requested(*this);
  } else if (std::holds_alternative<ControlReleaseMessage>(message)) {
    server_.control_released(*this);
  } else if (const auto* shown = std::get_if<MediaShownMessage>(&message)) {
    if (shown->id == offer_id_)
      leaving_.reset();
  } else if (const auto* latency = std::get_if<LatencyMessage>(&message)) {
    latency_.take(latency->report, *frames_, peer_ ? to_string(peer_->ice_statistics().path) : "none", g_get_monotonic_time());
  } else if (const auto* microphone = std::get_if<MicrophoneMessage>(&message)) {
    server_.microphone_asked(*this, microphone->on);
  } else if (const auto* records = std::get_if<InputMessage>(&message)) {
    on_binary(records->records);
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
  if (!hello.offer.empty()) {
    std::string error;
    remote_offer_ = read_offer(hello.offer, error);
    if (!remote_offer_) {
      refuse("protocol", "offer: " + error, false);
      return;
    }
    hello_.codecs = codecs_of(*remote_offer_);
    hello_.webrtc = true;
    hello_.websocket = false;
  }
  // What has no payloader here goes by WebSocket alone.
  std::erase_if(hello_.codecs, [](const std::string& codec) { return !Peer::can_send(codec); });
  name_ = hello.name.empty() ? request_.identity.account : hello.name;
  GST_INFO("viewer %s from %s: hello from %s, role %s", id_.c_str(), request_.remote_address.c_str(),
           json_string(hello.client).c_str(), to_string(request_.identity.role));
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

void Viewer::handle(const RenegotiateMessage& renegotiate) {
  // An offer that failed before it was sent is not waited for.
  if (renegotiate.id && *renegotiate.id != offer_id_ && (peer_ || wants_offer_)) {
    GST_DEBUG("viewer %s: the offer that it asks for is on its way", id_.c_str());
    return;
  }
  const int64_t now_us = g_get_monotonic_time();
  if (now_us - renegotiated_us_ < kRenegotiateUs)
    return;
  renegotiated_us_ = now_us;
  offer_again("the browser asks for it", true);
}

void Viewer::offer_again(const char* why, bool gently) {
  if (closed_ || !said_hello_)
    return;
  if (!hello_.renegotiates && peer_) {
    refuse("media", why, true);
    return;
  }
  GST_INFO("viewer %s: new offer: %s", id_.c_str(), why);
  if (!gently)
    leaving_.reset();
  else if (peer_ && peer_->connected())
    leaving_ = std::move(peer_);
  peer_.reset();
  wants_offer_ = true;
  wants_ws_ = ws_ && (wants_ws_ || !gently);
  hello_us_ = g_get_monotonic_time();
  try_offer(hello_us_);
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

bool Viewer::may_talk() const { return !request_.external && request_.identity.role == Role::control && server_.host().takes_talk(); }

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
  if (may_talk())
    message.boolean("microphone", true);
  if (offers_websocket())
    message.text("token", token_);
  const FileSettings& files = server_.settings().files;
  if (!request_.external && request_.identity.role == Role::control && !(files.upload_folder.empty() && files.download_folder.empty()))
    message.raw("files", "{\"upload\":" + std::to_string(files.upload_folder.empty() ? 0 : files.largest_upload) +
                             ",\"download\":" + (files.download_folder.empty() ? "false" : "true") + "}");
  send(message.finish());
  server_.viewer_joined(*this);
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
  } else if (peer_ && answered_us_ != 0 && now_us - answered_us_ > kLiteUs && !lite_failed_ && hello_.renegotiates && peer_->network().lite() &&
             !peer_->network().heard() && server_.settings().network.ice_mode == IceMode::automatic &&
             server_.settings().network.turn.any()) {
    lite_failed_ = true;
    server_.reach_memory().failed(request_.remote_address, now_us);
    offer_again("nothing comes to the shared port; by libnice now", true);
  } else if (peer_ && !peer_->connected() && offered_us_ != 0 && now_us - offered_us_ > kConnectUs) {
    if (leaving_ && leaving_->connected())
      offer_again("no media connection came about beside the one that is up", true);
    else if (ws_)
      peer_.reset();
    else
      refuse("internal", "no media connection came about", true);
  } else if (peer_ && peer_->connected() && now_us - peer_->last_received_us() > kSilenceUs) {
    offer_again("the media connection is silent");
  } else {
    renew_relayed();
  }
  if (!closed_)
    tick_transports(now_us);
  if (!closed_)
    tick_keyframes(now_us);
  if (!closed_ && hello_.frames)
    tell_frames(now_us);
}

}  // namespace vitrine
