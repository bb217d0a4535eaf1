// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests: who may, and what they get.
#include "webrtc/http-server.h"

#include "webrtc/debug.h"
#include "webrtc/http-exchange.h"
#include "webrtc/socket-guard.h"
#include "webrtc/web-page.h"

namespace vitrine {
namespace {

constexpr char kIdentityKey[] = "vitrine-identity";
constexpr guint kUpgradeRequired = 426;  // RFC 9110; libsoup has no name for it
constexpr guint kSocketTimeoutSeconds = 30;  // WebSocket pings keep living connections busy

/// libsoup knows no socket of streams that it was given, but keeps their addresses.
constexpr char kSocketKey[] = "vitrine-socket";

GSocket* socket_of(SoupServerMessage* message) {
  GSocketAddress* remote = soup_server_message_get_remote_address(message);
  return remote ? static_cast<GSocket*>(g_object_get_data(G_OBJECT(remote), kSocketKey)) : nullptr;
}

/// Who was let in; nobody, who may look, before that.
Identity identity_of(SoupServerMessage* message) {
  const auto* identity = static_cast<const Identity*>(g_object_get_data(G_OBJECT(message), kIdentityKey));
  return identity ? *identity : Identity();
}

/// All lines of a header, joined by commas.
std::string header_list(SoupServerMessage* message, const char* name) {
  const char* value = soup_message_headers_get_list(soup_server_message_get_request_headers(message), name);
  return value ? value : "";
}

/// A connection that owns the socket and gives up on a peer that stays silent; null if the socket is gone already, or there are too many.
Ref<GSocketConnection> connection_of(UniqueFd fd, const std::shared_ptr<ConnectionLimit>& limit) {
  auto socket = Ref<GSocket>::adopt(g_socket_new_from_fd(fd.get(), nullptr));
  if (!socket)
    return nullptr;
  fd.release();
  g_socket_set_timeout(socket.get(), kSocketTimeoutSeconds);
  const auto remote = Ref<GSocketAddress>::adopt(g_socket_get_remote_address(socket.get(), nullptr));
  const std::string address = ip_of(remote.get());
  if (!limit->take(address)) {
    GST_INFO("refused a connection from %s: there are %zu already", address.c_str(), limit->all());
    return nullptr;
  }
  auto connection = Ref<GSocketConnection>::adopt(g_socket_connection_factory_create_connection(socket.get()));
  // It may outlive the server, so the limit does too.
  using Taken = std::pair<std::shared_ptr<ConnectionLimit>, std::string>;
  g_object_weak_ref(
      G_OBJECT(connection.get()),
      [](gpointer data, GObject*) {
        const std::unique_ptr<Taken> taken(static_cast<Taken*>(data));
        taken->first->give(taken->second);
      },
      new Taken(limit, address));
  return connection;
}

/// A browser sends Origin with every WebSocket request; others than the page's own are refused. Programs send none.
bool same_origin(SoupServerMessage* message, const std::string& host) {
  const std::string origin = request_header(message, "Origin");
  return origin.empty() || is_own_origin(origin, host);
}

/// Files are asked for by the page itself, or typed in, or by programs. Browsers tell which (Fetch Metadata), and send Origin with what
/// writes.
bool from_page(SoupServerMessage* message, const std::string& host) {
  const std::string site = request_header(message, "Sec-Fetch-Site");
  return (site.empty() || site == "same-origin" || site == "none") && same_origin(message, host);
}

}  // namespace

struct HttpServer::Scheme {
  HttpServer* owner;
  bool secure;
  Ref<SoupServer> server;
};

HttpServer::HttpServer(HttpSettings settings, HttpHandlers handlers)
    : settings_(std::move(settings)),
      handlers_(std::move(handlers)),
      login_({"Vitrine", settings_.require_auth, settings_.accounts, "vitrine_session_" + std::to_string(settings_.port), settings_.base_path + "/",
              [](const std::string& address) { GST_WARNING("wrong user or password from %s", address.c_str()); }}),
      files_(settings_.files),
      whep_(settings_.allowed_origins, handlers_.whep) {
  plain_ = make_scheme(false);
  if (settings_.certificate) {
    g_object_ref(settings_.certificate);
    secure_ = make_scheme(true);
  }
}

HttpServer::~HttpServer() {
  for (auto* scheme : {&plain_, &secure_})
    if (*scheme)
      soup_server_disconnect((*scheme)->server.get());
  if (settings_.certificate)
    g_object_unref(settings_.certificate);
}

void HttpServer::change(const HttpSettings& settings) {
  login_.change(settings.accounts);
  settings_.accounts = settings.accounts;
  settings_.proxies = settings.proxies;
  files_.set_largest_upload(settings.files.largest_upload);
  if (settings_.certificate && settings.certificate) {
    g_object_ref(settings.certificate);
    g_object_unref(std::exchange(settings_.certificate, settings.certificate));
  }
}

template <auto handler>
void HttpServer::add_websocket(Scheme& scheme, const std::string& path, const char* protocol) {
  char* protocols[] = {const_cast<char*>(protocol), nullptr};
  soup_server_add_websocket_handler(
      scheme.server.get(), path.c_str(), nullptr, protocols,
      [](SoupServer*, SoupServerMessage* message, const char*, SoupWebsocketConnection* connection, gpointer data) {
        auto* self = static_cast<Scheme*>(data);
        if (!g_object_get_data(G_OBJECT(message), kIdentityKey))
          return;
        guard_socket(connection);
        (self->owner->handlers_.*handler)(connection, self->owner->viewer_request(message, self->secure));
      },
      &scheme, nullptr);
}

std::unique_ptr<HttpServer::Scheme> HttpServer::make_scheme(bool secure) {
  auto scheme = std::make_unique<Scheme>(Scheme{this, secure, Ref<SoupServer>::adopt(soup_server_new(
                                                                  "server-header", "Vitrine", nullptr))});
  SoupServer* server = scheme->server.get();
  limit_bodies(server, kMostUnwanted);
  // libsoup calls the early handler of the one entry that fits the path best, so each entry needs it.
  const std::string ws = settings_.base_path + "/ws", media = settings_.base_path + "/media";
  for (const char* path : {static_cast<const char*>(nullptr), ws.c_str(), media.c_str()})
    soup_server_add_early_handler(
        server, path,
        [](SoupServer*, SoupServerMessage* message, const char*, GHashTable*, gpointer data) {
          auto* self = static_cast<Scheme*>(data);
          self->owner->check_request(message, self->secure);
        },
        scheme.get(), nullptr);
  soup_server_add_handler(
      server, nullptr,
      [](SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer data) {
        auto* self = static_cast<Scheme*>(data);
        self->owner->serve(message, path, self->secure);
      },
      scheme.get(), nullptr);
  add_websocket<&HttpHandlers::websocket>(*scheme, ws, "vitrine.1");
  add_websocket<&HttpHandlers::media_socket>(*scheme, media, "vitrine-media.1");
  // Compressing already compressed or tiny messages costs time and gains nothing.
  soup_server_remove_websocket_extension(server, SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
  return scheme;
}

void HttpServer::accept_stream(Scheme& scheme, GIOStream* stream, GSocket* socket) {
  auto local = Ref<GSocketAddress>::adopt(g_socket_get_local_address(socket, nullptr));
  auto remote = Ref<GSocketAddress>::adopt(g_socket_get_remote_address(socket, nullptr));
  if (remote)
    g_object_set_data_full(G_OBJECT(remote.get()), kSocketKey, g_object_ref(socket), g_object_unref);
  ErrorSlot error;
  if (!local || !remote ||
      !soup_server_accept_iostream(scheme.server.get(), stream, local.get(), remote.get(), error.out()))
    GST_INFO("dropped a connection: %s", error ? error.message() : "its socket is gone");
}

void HttpServer::accept_plain(UniqueFd fd) {
  if (const auto connection = connection_of(std::move(fd), connections_))
    accept_stream(*plain_, G_IO_STREAM(connection.get()), g_socket_connection_get_socket(connection.get()));
}

void HttpServer::accept_tls(UniqueFd fd) {
  if (!secure_) {
    GST_INFO("refused a TLS connection: no certificate is set (properties tls-certificate and tls-key)");
    return;
  }
  const auto base = connection_of(std::move(fd), connections_);
  if (!base)
    return;
  ErrorSlot error;
  auto tls = Ref<GIOStream>::adopt(
      g_tls_server_connection_new(G_IO_STREAM(base.get()), settings_.certificate, error.out()));
  if (!tls) {
    GST_WARNING("TLS is not available: %s", error.message());
    return;
  }
  // The handshake goes on with the first read.
  accept_stream(*secure_, tls.get(), g_socket_connection_get_socket(base.get()));
}

RequestOrigin HttpServer::origin_of(SoupServerMessage* message, bool secure) const {
  const RequestOrigin direct{ip_of(soup_server_message_get_remote_address(message)), request_header(message, "Host"), secure};
  if (settings_.proxies.empty())
    return direct;
  return request_origin(settings_.proxies, direct,
                        {header_list(message, "X-Forwarded-For"), header_list(message, "X-Forwarded-Proto"),
                         header_list(message, "X-Forwarded-Host"), header_list(message, "X-Forwarded-Port")});
}

std::optional<std::string> HttpServer::local_path(const std::string& path) const {
  if (path == "/health" || settings_.base_path.empty())
    return path;
  if (!path.starts_with(settings_.base_path + "/"))
    return std::nullopt;
  return path.substr(settings_.base_path.size());
}

void HttpServer::check_request(SoupServerMessage* message, bool secure) {
  set_page_headers(message);
  const std::string asked = g_uri_get_path(soup_server_message_get_uri(message));
  const auto path = local_path(asked);
  const bool files = path && is_file_path(*path);
  const auto whep = path ? whep_path(*path) : std::nullopt;
  const char* method = soup_server_message_get_method(message);
  if (!files && !whep && g_strcmp0(method, "GET") != 0 && g_strcmp0(method, "HEAD") != 0) {
    set_header(message, "Allow", "GET, HEAD");
    respond(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD are served\n");
    return;
  }
  const RequestOrigin origin = origin_of(message, secure);
  if (!path) {
    // To the page from where it might be looked for; relative, since only the browser knows where it really is.
    const bool page = asked == "/" || asked == settings_.base_path;
    if (page)
      set_header(message, "Location", settings_.base_path + "/");
    respond(message, page ? SOUP_STATUS_FOUND : SOUP_STATUS_NOT_FOUND, "text/plain",
            "everything is below " + settings_.base_path + "/ here (base-path)\n");
    return;
  }
  if (*path == "/health")
    return;
  // libsoup gives a WebSocket's handler all that begins like its path.
  if (*path != "/ws" && *path != "/media" &&
      soup_message_headers_header_contains(soup_server_message_get_request_headers(message), "Upgrade", "websocket")) {
    respond(message, SOUP_STATUS_NOT_FOUND, "text/plain", "not found\n");
    return;
  }
  if (secure_ && !origin.secure) {
    // The path is decoded: a line break in it must not become one of the header.
    GCharPtr escaped(g_uri_escape_string(asked.c_str(), G_URI_RESERVED_CHARS_ALLOWED_IN_PATH, FALSE));
    set_header(message, "Location", "https://" + origin.host + escaped.get());
    respond(message, SOUP_STATUS_PERMANENT_REDIRECT, "text/plain", "this server speaks https\n");
    return;
  }
  if (whep && !whep_.greet(message, *whep, same_origin(message, origin.host)))
    return;
  if (!authenticate(message, origin))
    return;
  if (whep) {
    whep_.check(message, *whep);
    return;
  }
  if ((*path == "/ws" || *path == "/media") && !same_origin(message, origin.host)) {
    GST_WARNING("refused a WebSocket from %s: its Origin is another site's", origin.remote.c_str());
    respond(message, SOUP_STATUS_FORBIDDEN, "text/plain",
            "the WebSocket's Origin is not this site; a proxy in between has to pass Host on, or X-Forwarded-Host with its address in "
            "trusted-proxies\n");
    return;
  }
  if (files && !from_page(message, origin.host)) {
    GST_WARNING("refused a request for files from %s: it is another site's", origin.remote.c_str());
    respond(message, SOUP_STATUS_FORBIDDEN, "text/plain",
            "only this site's own page may ask for files; a proxy in between has to pass Host on, or X-Forwarded-Host with its address in "
            "trusted-proxies\n");
    return;
  }
  if (files)
    files_.check(message, *path, identity_of(message).role);
}

bool HttpServer::authenticate(SoupServerMessage* message, const RequestOrigin& origin) {
  if (login_.nobody_passes()) {
    respond(message, SOUP_STATUS_FORBIDDEN, "text/plain",
            "No password is set, so nothing is served. Set the property password or accounts-file of webrtcsignallerbin, or "
            "auth=none to let everybody in.\n");
    return false;
  }
  const auto identity = login_.admit(message, origin);
  if (identity)
    g_object_set_data_full(G_OBJECT(message), kIdentityKey, new Identity(*identity),
                           [](gpointer data) { delete static_cast<Identity*>(data); });
  return identity.has_value();
}

ViewerRequest HttpServer::viewer_request(SoupServerMessage* message, bool secure) const {
  const RequestOrigin origin = origin_of(message, secure);
  ViewerRequest request;
  request.identity = identity_of(message);
  request.host = origin.host;
  request.user_agent = request_header(message, "User-Agent");
  request.remote_address = origin.remote;
  request.local_address = ip_of(soup_server_message_get_local_address(message));
  request.secure = origin.secure;
  return request;
}

void HttpServer::serve(SoupServerMessage* message, const char* path, bool secure) {
  const std::string asked = local_path(path).value_or("");
  if (const auto whep = whep_path(asked)) {
    whep_.serve(message, *whep, viewer_request(message, secure));
    return;
  }
  if (is_file_path(asked)) {
    files_.serve(message, socket_of(message), origin_of(message, secure).remote);
    return;
  }
  if (asked == "/health") {
    respond_now(message, SOUP_STATUS_OK, "application/json", "{\"status\":\"ok\"}\n");
    return;
  }
  if (asked == "/metrics") {
    respond_now(message, SOUP_STATUS_OK, "text/plain; version=0.0.4; charset=utf-8", handlers_.metrics());
    return;
  }
  if (asked == "/stats.json") {
    respond_now(message, SOUP_STATUS_OK, "application/json", handlers_.statistics() + "\n");
    return;
  }
  const auto* identity = static_cast<const Identity*>(g_object_get_data(G_OBJECT(message), kIdentityKey));
  if (asked == "/account") {
    respond_now(message, SOUP_STATUS_OK, "application/json",
            std::string("{\"role\":\"") + to_string(identity ? identity->role : Role::view) + "\"}\n");
    return;
  }
  if (asked == "/turn") {
    respond_now(message, SOUP_STATUS_OK, "application/json", handlers_.rtc_configuration(identity_of(message).account) + "\n");
    return;
  }
  if (asked == "/ws" || asked == "/media") {
    set_header(message, "Upgrade", "websocket");
    respond(message, kUpgradeRequired, "text/plain",
            asked == "/ws" ? "this is a WebSocket, subprotocol vitrine.1\n" : "this is a WebSocket, subprotocol vitrine-media.1\n");
    return;
  }
  if (serve_page_file(message, settings_.web_root, asked))
    return;
  const bool page_missing = asked == "/";
  respond(message, SOUP_STATUS_NOT_FOUND, "text/plain",
          page_missing ? "The page is not installed: the property web-root of webrtcsignallerbin names no folder with an "
                         "index.html.\n"
                       : "not found\n");
}

}  // namespace vitrine
