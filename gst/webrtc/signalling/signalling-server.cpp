// SPDX-License-Identifier: LGPL-2.1-or-later
// Connections of peers.
#include "webrtc/signalling/signalling-server.h"

#include <algorithm>
#include <vector>

#include "webrtc/http-exchange.h"
#include "webrtc/signalling/demo-line.h"
#include "webrtc/socket-guard.h"
#include "webrtc/web-page.h"

namespace vitrine {
namespace {

std::string address_of(SoupServerMessage* message) { return ip_of(soup_server_message_get_remote_address(message)); }

}  // namespace

struct SignallingServer::Connection {
  SignallingServer& server;
  const SignallingHub::Key key;
  const Ref<SoupWebsocketConnection> socket;
  const std::string address;
  int64_t heard_us = g_get_monotonic_time();
  gulong handlers[3] = {0, 0, 0};

  Connection(SignallingServer& owner, SignallingHub::Key number, SoupWebsocketConnection* connection, std::string from)
      : server(owner), key(number), socket(Ref<SoupWebsocketConnection>::share(connection)), address(std::move(from)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    for (const gulong handler : handlers)
      g_signal_handler_disconnect(socket.get(), handler);
  }
  bool open() const { return soup_websocket_connection_get_state(socket.get()) == SOUP_WEBSOCKET_STATE_OPEN; }
};

SignallingServer::SignallingServer(SignallingServerSettings settings)
    : settings_(std::move(settings)),
      login_({"Signalling", settings_.require_auth, settings_.accounts, "vitrine_signalling_" + std::to_string(settings_.listen.port), "/", nullptr}),
      hub_(settings_.limits, {[this](auto key, const std::string& text) {
                                const auto found = connections_.find(key);
                                if (found != connections_.end() && found->second->open())
                                  soup_websocket_connection_send_text(found->second->socket.get(), text.c_str());
                              },
                              [this](auto key, int code, const std::string& reason) {
                                const auto found = connections_.find(key);
                                if (found == connections_.end() || !found->second->open())
                                  return;
                                const auto socket = found->second->socket.copy();  // which may be told closed at once
                                soup_websocket_connection_close(socket.get(), static_cast<gushort>(code), reason.c_str());
                              }}) {}

SignallingServer::~SignallingServer() {
  if (timer_)
    g_source_destroy(timer_.get());
  for (const auto& [key, connection] : connections_)
    if (connection->open())
      soup_websocket_connection_close(connection->socket.get(), SOUP_WEBSOCKET_CLOSE_GOING_AWAY, "the server ends");
  connections_.clear();
  if (server_)
    soup_server_disconnect(server_.get());
}

std::optional<AllowedOrigins> SignallingServer::checked(const SignallingServerSettings& settings, std::string& error) {
  if (settings.require_auth && settings.accounts.empty()) {
    error = "password: is needed, or nobody could come";
    return std::nullopt;
  }
  auto allowed = AllowedOrigins::parse(settings.allowed_origins, error);
  if (!allowed)
    error = "allowed-origins: " + error;
  return allowed;
}

bool SignallingServer::change(const SignallingServerSettings& wanted, std::string& error) {
  SignallingServerSettings next = settings_;
  next.accounts = wanted.accounts;
  next.allowed_origins = wanted.allowed_origins;
  auto allowed = checked(next, error);
  const auto listen = allowed ? listen_change(settings_.listen, wanted.listen, error) : std::nullopt;
  if (!listen)
    return false;
  next.listen = listen->settings;
  settings_ = std::move(next);
  allowed_origins_ = std::move(*allowed);
  login_.change(settings_.accounts);
  listen->apply(server_.get());
  return true;
}

bool SignallingServer::start(std::string& error) {
  auto allowed = checked(settings_, error);
  if (!allowed)
    return false;
  allowed_origins_ = std::move(*allowed);
  web_root_ = settings_.web_root.empty() ? default_web_root() : settings_.web_root;
  server_ = Ref<SoupServer>::adopt(soup_server_new("server-header", "Vitrine", nullptr));
  limit_bodies(server_.get(), kMostUnwanted);
  soup_server_add_early_handler(
      server_.get(), nullptr,
      [](SoupServer*, SoupServerMessage* message, const char*, GHashTable*, gpointer self) { static_cast<SignallingServer*>(self)->check(message); },
      this, nullptr);
  soup_server_add_handler(
      server_.get(), nullptr,
      [](SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer self) {
        static_cast<SignallingServer*>(self)->serve(message, path);
      },
      this, nullptr);
  soup_server_add_websocket_handler(
      server_.get(), nullptr, nullptr, nullptr,
      [](SoupServer*, SoupServerMessage* message, const char*, SoupWebsocketConnection* socket, gpointer self) {
        static_cast<SignallingServer*>(self)->accept(socket, message);
      },
      this, nullptr);
  timer_ = Ref<GSource>::adopt(g_timeout_source_new_seconds(1));
  g_source_set_callback(
      timer_.get(),
      [](gpointer self) -> gboolean {
        static_cast<SignallingServer*>(self)->tick();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(timer_.get(), g_main_context_get_thread_default());
  return listen_on(server_.get(), settings_.listen, error);
}

bool SignallingServer::origin_may(SoupServerMessage* message) const {
  const std::string origin = request_header(message, "Origin");
  // Programs send none. Where no password is asked for a page gains nothing by another's visitors.
  return origin.empty() || login_.open_to_all() || is_own_origin(origin, request_header(message, "Host")) || allowed_origins_.allows(origin);
}

void SignallingServer::serve(SoupServerMessage* message, const std::string& path) {
  // libsoup asks us first also for what becomes a WebSocket, and makes none of what has an answer.
  if (soup_message_headers_header_contains(soup_server_message_get_request_headers(message), "Upgrade", "websocket"))
    return;
  if (!serve_page_file(message, web_root_, path))
    respond_now(message, SOUP_STATUS_NOT_FOUND, "text/plain", "not found; every path is a WebSocket too\n");
}

void SignallingServer::check(SoupServerMessage* message) {
  set_page_headers(message);
  const char* method = soup_server_message_get_method(message);
  if (g_strcmp0(method, "GET") != 0 && g_strcmp0(method, "HEAD") != 0) {
    set_header(message, "Allow", "GET, HEAD");
    respond_now(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD are served\n");
    return;
  }
  // Answered here, since what has no answer yet and asks for a WebSocket gets one.
  if (g_strcmp0(g_uri_get_path(soup_server_message_get_uri(message)), "/health") == 0) {
    respond_now(message, SOUP_STATUS_OK, "application/json", "{\"status\":\"ok\"}\n");
    return;
  }
  if (!login_.admit(message, {address_of(message), request_header(message, "Host"), settings_.listen.secure()}))
    return;
  const std::string address = address_of(message);
  const auto same = std::count_if(connections_.begin(), connections_.end(), [&](const auto& entry) { return entry.second->address == address; });
  if (!origin_may(message))
    respond_now(message, SOUP_STATUS_FORBIDDEN, "text/plain", "pages of this origin may not connect (allowed-origins)\n");
  else if (static_cast<size_t>(same) >= kPerAddressMax)
    respond_now(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "text/plain", "too many connections from this address\n");
}

void SignallingServer::accept(SoupWebsocketConnection* socket, SoupServerMessage* message) {
  soup_websocket_connection_set_max_incoming_payload_size(socket, kSignallingLineMax);
  soup_websocket_connection_set_keepalive_interval(socket, kPingS);
  guard_socket(socket);
  auto connection = std::make_unique<Connection>(*this, ++last_key_, socket, address_of(message));
  Connection* added = connection.get();
  added->handlers[0] = g_signal_connect(
      socket, "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint type, GBytes* bytes, gpointer data) {
        auto* self = static_cast<Connection*>(data);
        self->heard_us = g_get_monotonic_time();
        gsize size = 0;
        const auto* start = static_cast<const char*>(g_bytes_get_data(bytes, &size));
        if (type == SOUP_WEBSOCKET_DATA_TEXT)
          self->server.hub_.text(self->key, {start, size}, self->heard_us);
      }),
      added);
  added->handlers[1] = g_signal_connect(socket, "closed", G_CALLBACK(+[](SoupWebsocketConnection*, gpointer data) {
                                          auto* self = static_cast<Connection*>(data);
                                          self->server.forget(self->key);
                                        }),
                                        added);
  added->handlers[2] = g_signal_connect(socket, "pong", G_CALLBACK(+[](SoupWebsocketConnection*, GBytes*, gpointer data) {
                                          static_cast<Connection*>(data)->heard_us = g_get_monotonic_time();
                                        }),
                                        added);
  const auto key = added->key;
  connections_.emplace(key, std::move(connection));
  hub_.opened(key, g_get_monotonic_time());
}

void SignallingServer::forget(SignallingHub::Key key) {
  connections_.erase(key);
  hub_.closed(key);
}

void SignallingServer::tick() {
  const int64_t now_us = g_get_monotonic_time();
  hub_.tick(now_us);
  std::vector<SignallingHub::Key> silent;
  for (const auto& [key, connection] : connections_)
    if (now_us - connection->heard_us > kSilentS * G_USEC_PER_SEC)
      silent.push_back(key);
  // Not by a closing handshake: nobody would answer it.
  for (const auto key : silent)
    if (const auto found = connections_.find(key); found != connections_.end()) {
      const auto socket = found->second->socket.copy();
      forget(key);
      g_io_stream_close_async(soup_websocket_connection_get_io_stream(socket.get()), G_PRIORITY_DEFAULT, nullptr, nullptr, nullptr);
    }
}

}  // namespace vitrine
