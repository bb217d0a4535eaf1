// SPDX-License-Identifier: LGPL-2.1-or-later
// Life of a registration.
#include "webrtc/signalling/external-signaller.h"

#include <algorithm>

#include "webrtc/debug.h"

namespace vitrine {

/// What a viewer that came by the server holds.
class ExternalSignaller::Call : public ViewerChannel {
 public:
  explicit Call(ExternalSignaller& owner) : owner_(&owner) {}
  ~Call() override { close(SOUP_WEBSOCKET_CLOSE_NORMAL, "gone"); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void listen(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(const std::string& json) override {
    if (!owner_)
      return;
    if (const auto text = owner_->dialect_.to_peer(json))
      owner_->say(*text);
  }
  void close(gushort, const std::string& reason) override {
    if (ExternalSignaller* owner = std::exchange(owner_, nullptr)) {
      owner->call_ = nullptr;
      // The server ends a session with the connection of one of its two. What ended at once would end so again.
      owner->drop(reason, g_get_monotonic_time() - began_us_ < kShortCallUs ? kCallAgainMs : kAfterCallMs);
    }
  }
  void text(const std::string& json) { handlers_.text(json); }
  void lost() {
    owner_ = nullptr;
    handlers_.closed();
  }

 private:
  ExternalSignaller* owner_;  // null once the call is over
  const int64_t began_us_ = g_get_monotonic_time();
  Handlers handlers_;
};

ExternalSignaller::ExternalSignaller(const SignallerSettings& settings, SignallerPlace place, AddViewer add_viewer)
    : settings_(settings),
      place_(std::move(place)),
      add_viewer_(std::move(add_viewer)),
      session_(Ref<SoupSession>::adopt(soup_session_new_with_options("timeout", 0u, "user-agent", "Vitrine", nullptr))) {
  if (!settings_.ca_file.empty()) {
    ErrorSlot error;
    auto database = Ref<GTlsDatabase>::adopt(g_tls_file_database_new(settings_.ca_file.c_str(), error.out()));
    if (database)
      soup_session_set_tls_database(session_.get(), database.get());
    else
      GST_WARNING("signalling-ca-file: %s", error.message());
  }
  connect();
}

ExternalSignaller::~ExternalSignaller() {
  stop_waiting();
  if (call_)
    std::exchange(call_, nullptr)->lost();
  let_go();
  soup_session_abort(session_.get());
}

void ExternalSignaller::stop_waiting() {
  if (timer_)
    g_source_destroy(timer_.get());
  timer_.reset();
}

void ExternalSignaller::after(int64_t ms, void (ExternalSignaller::*method)()) {
  stop_waiting();
  struct Task {
    ExternalSignaller* self;
    void (ExternalSignaller::*method)();
  };
  timer_ = Ref<GSource>::adopt(g_timeout_source_new(static_cast<guint>(ms)));
  g_source_set_callback(
      timer_.get(),
      [](gpointer data) -> gboolean {
        const auto task = *static_cast<Task*>(data);
        (task.self->*task.method)();  // may set another timer, which ends this one
        return G_SOURCE_REMOVE;
      },
      new Task{this, method}, [](gpointer data) { delete static_cast<Task*>(data); });
  g_source_attach(timer_.get(), g_main_context_get_thread_default());
}

void ExternalSignaller::connect() {
  state_ = State::connecting;
  auto message = Ref<SoupMessage>::adopt(soup_message_new("GET", settings_.url.c_str()));
  if (!message) {
    failed("the address cannot be used");
    return;
  }
  if (!settings_.user.empty()) {
    const std::string both = settings_.user + ":" + settings_.password;
    GCharPtr encoded(g_base64_encode(reinterpret_cast<const guchar*>(both.data()), both.size()));
    soup_message_headers_replace(soup_message_get_request_headers(message.get()), "Authorization", (std::string("Basic ") + encoded.get()).c_str());
  }
  cancel_ = Ref<GCancellable>::adopt(g_cancellable_new());
  soup_session_websocket_connect_async(
      session_.get(), message.get(), nullptr, nullptr, G_PRIORITY_DEFAULT, cancel_.get(),
      [](GObject* session, GAsyncResult* result, gpointer data) {
        ErrorSlot error;
        auto connection = Ref<SoupWebsocketConnection>::adopt(soup_session_websocket_connect_finish(SOUP_SESSION(session), result, error.out()));
        if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_CANCELLED))
          return;  // we are gone, or have given this try up
        auto* self = static_cast<ExternalSignaller*>(data);
        if (connection)
          self->on_connected(std::move(connection));
        else
          self->failed(error.message());
      },
      this);
  after(kGreetingS * 1000, &ExternalSignaller::check_life);
}

void ExternalSignaller::on_connected(Ref<SoupWebsocketConnection> connection) {
  connection_ = std::move(connection);
  state_ = State::greeting;
  heard_us_ = g_get_monotonic_time();
  soup_websocket_connection_set_max_incoming_payload_size(connection_.get(), kSignallingLineMax);
  soup_websocket_connection_set_keepalive_interval(connection_.get(), kPingS);
  handlers_[0] = g_signal_connect(
      connection_.get(), "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint type, GBytes* bytes, gpointer data) {
        gsize size = 0;
        const auto* start = static_cast<const char*>(g_bytes_get_data(bytes, &size));
        if (type == SOUP_WEBSOCKET_DATA_TEXT)
          static_cast<ExternalSignaller*>(data)->on_text({start, size});
      }),
      this);
  handlers_[1] = g_signal_connect(connection_.get(), "closed", G_CALLBACK(+[](SoupWebsocketConnection* closed, gpointer data) {
                                    const char* reason = soup_websocket_connection_get_close_data(closed);
                                    auto* self = static_cast<ExternalSignaller*>(data);
                                    const std::string why = reason && *reason ? reason : "the server ends it";
                                    // The peer of a call has gone, and the server with it: that is how a call ends.
                                    if (self->state_ == State::in_call)
                                      self->drop(why, kAfterCallMs);
                                    else
                                      self->failed(why);
                                  }),
                                  this);
  handlers_[2] = g_signal_connect(connection_.get(), "pong", G_CALLBACK(+[](SoupWebsocketConnection*, GBytes*, gpointer data) {
                                    static_cast<ExternalSignaller*>(data)->heard_us_ = g_get_monotonic_time();
                                  }),
                                  this);
  say("HELLO " + place_.id);
  after(kGreetingS * 1000, &ExternalSignaller::check_life);
}

void ExternalSignaller::say(const std::string& text) {
  if (soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN)  // it may be closing
    soup_websocket_connection_send_text(connection_.get(), text.c_str());
}

void ExternalSignaller::check_life() {
  if (state_ == State::connecting || state_ == State::greeting)
    failed("it does not answer");
  else if (g_get_monotonic_time() - heard_us_ > kSilentS * G_USEC_PER_SEC)
    failed("it has fallen silent");
  else
    after(kPingS * 1000, &ExternalSignaller::check_life);
}

void ExternalSignaller::on_text(std::string_view text) {
  heard_us_ = g_get_monotonic_time();
  if (!lines_.take(heard_us_)) {
    failed("too many messages");
    return;
  }
  const auto line = parse_signalling_line(text);
  if (state_ == State::registered || state_ == State::in_call) {
    on_registered_line(line, text);
  } else if (std::holds_alternative<line::Hello>(line)) {
    GST_INFO("registered as '%s' at the signalling server", place_.id.c_str());
    state_ = State::registered;
    registered_us_ = heard_us_;
    dialect_ = {};
    if (place_.peer.empty())
      after(kPingS * 1000, &ExternalSignaller::check_life);
    else
      call_peer();
  } else if (const auto* error = std::get_if<line::Error>(&line)) {
    failed(error->text);
  }
}

void ExternalSignaller::call_peer() {
  // While we call this timer stands in for check_life().
  if (g_get_monotonic_time() - heard_us_ > kSilentS * G_USEC_PER_SEC) {
    failed("it has fallen silent");
    return;
  }
  say("SESSION " + place_.peer);
  after(kCallAgainMs, &ExternalSignaller::call_peer);
}

void ExternalSignaller::on_registered_line(const SignallingLine& line, std::string_view text) {
  if (const auto* error = std::get_if<line::Error>(&line)) {
    // Of a call: the peer is not there yet, or talks to somebody else. The timer calls again.
    GST_DEBUG("signalling server: %s", error->text.c_str());
  } else if (std::holds_alternative<line::SessionOk>(line)) {
    if (state_ == State::registered && !place_.peer.empty()) {
      begin_call();
      if (call_)
        call_->text(dialect_.call());
    }
  } else {
    pass_on(line, text);
  }
}

void ExternalSignaller::pass_on(const SignallingLine& line, std::string_view text) {
  if (state_ == State::registered && !place_.peer.empty())
    return;  // nobody has answered our call
  const auto json = dialect_.from_peer(line, text);
  if (!json)
    return;
  if (state_ == State::registered)
    begin_call();
  if (call_)
    call_->text(*json);
}

void ExternalSignaller::begin_call() {
  state_ = State::in_call;
  after(kPingS * 1000, &ExternalSignaller::check_life);
  ViewerRequest request;
  request.identity = {"signalling:" + place_.id, settings_.control ? Role::control : Role::view};
  request.remote_address = "signalling";
  request.external = true;
  auto call = std::make_unique<Call>(*this);
  call_ = call.get();
  add_viewer_(std::move(call), request);  // which may refuse it
}

void ExternalSignaller::let_go() {
  if (cancel_)
    g_cancellable_cancel(cancel_.get());
  cancel_.reset();
  if (!connection_)
    return;
  for (gulong& handler : handlers_)
    g_signal_handler_disconnect(connection_.get(), std::exchange(handler, 0));
  if (soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close(connection_.get(), SOUP_WEBSOCKET_CLOSE_NORMAL, nullptr);
  connection_.reset();
}

void ExternalSignaller::drop(const std::string& why, int64_t ms) {
  GST_INFO("leaves the signalling server: %s", why.c_str());
  state_ = State::away;
  let_go();
  if (call_)
    std::exchange(call_, nullptr)->lost();
  after(ms, &ExternalSignaller::connect);
}

void ExternalSignaller::failed(const std::string& why) {
  // Who was registered for a while starts anew with short waits.
  if (registered_us_ != 0 && g_get_monotonic_time() - registered_us_ > kBackoffMostMs * 1000)
    backoff_ms_ = kBackoffFirstMs;
  registered_us_ = 0;
  // Not all desktops at the same moment when a server comes back.
  const int64_t wait_ms = backoff_ms_ + g_random_int_range(0, static_cast<gint32>(backoff_ms_ / 4));
  GST_WARNING("signalling-server: %s; trying again in %" G_GINT64_FORMAT " ms", why.c_str(), wait_ms);
  backoff_ms_ = std::min(backoff_ms_ * 2, kBackoffMostMs);
  drop(why, wait_ms);
}

}  // namespace vitrine
