// SPDX-License-Identifier: LGPL-2.1-or-later
// Between a viewer, which speaks session messages, and HTTP.
#include "webrtc/whep/whep-session.h"

#include "common/json-object.h"
#include "webrtc/accounts.h"
#include "webrtc/http-exchange.h"
#include "webrtc/message.h"

namespace vitrine {

/// The viewer's end.
class WhepSession::Channel : public ViewerChannel {
 public:
  explicit Channel(std::shared_ptr<WhepSession> session) : session_(std::move(session)) {}
  ~Channel() override { close(SOUP_WEBSOCKET_CLOSE_NORMAL, "gone"); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void listen(Handlers handlers) override { session_->viewer_ = std::move(handlers); }
  void send(const std::string& json) override { session_->on_server_text(json); }
  void close(gushort, const std::string&) override { session_->on_channel_closed(); }

 private:
  const std::shared_ptr<WhepSession> session_;
};

WhepSession::WhepSession(std::string id, std::string account, std::vector<std::string> links, std::function<void(const WhepSession&)> ended)
    : id_(std::move(id)),
      account_(std::move(account)),
      tag_("\"" + random_hex(8) + "\""),
      links_(std::move(links)),
      ended_(std::move(ended)) {}

WhepSession::~WhepSession() {
  stop_timer();
  let_go();
}

std::unique_ptr<ViewerChannel> WhepSession::channel() { return std::make_unique<Channel>(shared_from_this()); }

void WhepSession::wait(SoupServerMessage* message) {
  message_ = Ref<SoupServerMessage>::share(message);
  for (size_t i = 0; i < 2; i++)
    watches_[i] = g_signal_connect(message, i == 0 ? "finished" : "disconnected",
                                   G_CALLBACK(+[](SoupServerMessage*, gpointer self) { static_cast<WhepSession*>(self)->leave(); }), this);
  soup_server_message_pause(message);
}

void WhepSession::offer(const std::string& sdp) {
  if (over_)
    return;  // there was no room for it
  ufrag_ = ice_ufrag_of(sdp);
  const auto held = shared_from_this();
  viewer_.text(MessageWriter("hello").number("version", 1).raw("codecs", "[]").text("client", "WHEP").text("offer", sdp).finish());
}

/// Whoever asked has gone before there was an answer.
void WhepSession::leave() {
  const auto held = shared_from_this();
  for (gulong& watch : watches_)
    g_signal_handler_disconnect(message_.get(), std::exchange(watch, 0));
  message_.reset();
  end();
}

void WhepSession::end() {
  if (!over_)
    viewer_.closed();  // which closes the channel
}

void WhepSession::add(const IceFragment& fragment) {
  const auto held = shared_from_this();
  for (const auto& [candidate, mid] : fragment.candidates)
    if (!over_)
      viewer_.text(MessageWriter("candidate").text("candidate", candidate).text("mid", mid).finish());
}

void WhepSession::on_server_text(const std::string& json) {
  if (!message_)
    return;  // players are told nothing more
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(json, parser);
  const auto text = [object](const char* name) { return std::string(json_object_get_string_member_with_default(object, name, "")); };
  const std::string type = object ? text("type") : "";
  if (type == "error") {
    refuse(status_of_refusal(text("code")), text("message"));
  } else if (type == "answer") {
    sdp_ = text("sdp");
    if (gathered_ || sdp_.find("a=ice-lite\r\n") != std::string::npos) {
      answer();
      return;
    }
    timer_ = Ref<GSource>::adopt(g_timeout_source_new(kGatherMs));
    g_source_set_callback(
        timer_.get(),
        [](gpointer self) -> gboolean {
          static_cast<WhepSession*>(self)->answer();
          return G_SOURCE_REMOVE;
        },
        this, nullptr);
    g_source_attach(timer_.get(), g_main_context_get_thread_default());
  } else if (type == "candidate") {
    const std::string candidate = text("candidate");
    if (!candidate.empty())
      candidates_.push_back(candidate);
    gathered_ = gathered_ || candidate.empty();
    if (gathered_ && !sdp_.empty())
      answer();
  }
}

void WhepSession::answer() {
  stop_timer();
  if (!message_)
    return;
  SoupServerMessage* message = message_.get();
  // Relative to what was asked for: only the player knows by which path it came here.
  set_header(message, "Location", "whep/" + id_);
  set_header(message, "ETag", tag_);
  set_header(message, "Cache-Control", "no-store");
  set_header(message, "Accept-Patch", "application/trickle-ice-sdpfrag");
  for (const auto& link : links_)
    soup_message_headers_append(soup_server_message_get_response_headers(message), "Link", link.c_str());
  respond(message, SOUP_STATUS_CREATED, "application/sdp", complete_answer(sdp_, candidates_));
  answered_ = true;
  let_go();
}

void WhepSession::refuse(unsigned status, const std::string& why) {
  constexpr unsigned kTooManyRequests = 429;
  if (status == SOUP_STATUS_SERVICE_UNAVAILABLE || status == kTooManyRequests)
    set_header(message_.get(), "Retry-After", "5");
  set_header(message_.get(), "Cache-Control", "no-store");
  respond(message_.get(), status, "text/plain", why + "\n");
  let_go();
}

void WhepSession::let_go() {
  if (!message_)
    return;
  for (gulong& watch : watches_)
    if (watch)
      g_signal_handler_disconnect(message_.get(), std::exchange(watch, 0));
  const auto message = std::move(message_);
  if (!is_closed(message.get()))
    soup_server_message_unpause(message.get());
}

void WhepSession::stop_timer() {
  if (timer_)
    g_source_destroy(timer_.get());
  timer_.reset();
}

void WhepSession::on_channel_closed() {
  if (std::exchange(over_, true))
    return;
  stop_timer();
  if (message_)
    refuse(SOUP_STATUS_SERVICE_UNAVAILABLE, "the session ended before it was answered");
  ended_(*this);
}

}  // namespace vitrine
