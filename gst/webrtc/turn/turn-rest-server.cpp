// SPDX-License-Identifier: LGPL-2.1-or-later
// Answering TURN REST requests.
#include "webrtc/turn/turn-rest-server.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr guint kTooManyRequests = 429;

void respond(SoupServerMessage* message, guint status, const char* type, const std::string& body) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), "Cache-Control", "no-store");
  soup_server_message_set_status(message, status, nullptr);
  soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body.data(), body.size());
}

std::string header(SoupServerMessage* message, const char* name) {
  const char* value = soup_message_headers_get_one(soup_server_message_get_request_headers(message), name);
  return value ? value : "";
}

std::string parameter(SoupServerMessage* message, GHashTable* query, const char* name, const char* header_name) {
  const auto* value = query ? static_cast<const char*>(g_hash_table_lookup(query, name)) : nullptr;
  return value ? value : header(message, header_name);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return g_ascii_tolower(c); });
  return text;
}

}  // namespace

RtcConfiguration fitting_servers(RtcConfiguration configuration, const TurnRestRequest& request) {
  const std::string protocol = lower(request.protocol), tls = lower(request.tls);
  const bool wants_tls = tls == "true" || tls == "1" || tls == "yes";
  RtcConfiguration fitting = configuration;
  for (auto& server : fitting.servers)
    std::erase_if(server.urls, [&](const IceUrl& url) {
      if (!url.turn)
        return false;
      if (!tls.empty() && url.tls != wants_tls)
        return true;
      return !url.tls && (protocol == "udp" || protocol == "tcp") && url.tcp != (protocol == "tcp");
    });
  std::erase_if(fitting.servers, [](const IceServer& server) { return server.urls.empty(); });
  return configuration.has_turn() && !fitting.has_turn() ? configuration : fitting;
}

TurnRestServer::~TurnRestServer() {
  if (server_)
    soup_server_disconnect(server_.get());
}

bool TurnRestServer::start(std::string& error) {
  error = turn_settings_problem(settings_.turn);
  if (error.empty() && settings_.turn.turn_servers.empty())
    error = "turn-servers: is needed";
  if (error.empty() && settings_.require_auth && settings_.accounts.empty())
    error = "password: is needed, or nobody could ask";
  if (!error.empty())
    return false;
  server_ = Ref<SoupServer>::adopt(soup_server_new("server-header", "Vitrine", nullptr));
  ErrorSlot failure;
  if (!settings_.tls_certificate.empty()) {
    auto certificate = Ref<GTlsCertificate>::adopt(
        g_tls_certificate_new_from_files(settings_.tls_certificate.c_str(), settings_.tls_key.c_str(), failure.out()));
    if (!certificate) {
      error = std::string("tls-cert: ") + failure.message();
      return false;
    }
    soup_server_set_tls_certificate(server_.get(), certificate.get());
  }
  soup_server_add_handler(server_.get(), nullptr, on_request, this, nullptr);
  const auto options = settings_.tls_certificate.empty() ? SoupServerListenOptions(0) : SOUP_SERVER_LISTEN_HTTPS;
  bool listening;
  if (settings_.listen_address.empty()) {
    listening = soup_server_listen_all(server_.get(), static_cast<guint>(settings_.port), options, failure.out());
  } else {
    auto address = Ref<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(settings_.listen_address.c_str(), static_cast<guint>(settings_.port)));
    if (!address) {
      error = "listen: '" + settings_.listen_address + "' is not an IP address";
      return false;
    }
    listening = soup_server_listen(server_.get(), address.get(), options, failure.out());
  }
  if (!listening)
    error = "port " + std::to_string(settings_.port) + ": " + failure.message();
  return listening;
}

bool TurnRestServer::admit(SoupServerMessage* message, std::string& account) {
  if (!settings_.require_auth)
    return true;
  const int64_t now_us = g_get_monotonic_time();
  GCharPtr text(g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(soup_server_message_get_remote_address(message)))));
  const std::string address = text.get();
  if (const int wait = throttle_.wait_seconds(address, now_us)) {
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Retry-After", std::to_string(wait).c_str());
    respond(message, kTooManyRequests, "text/plain", "too many failed attempts; try again later\n");
    return false;
  }
  const std::string authorization = header(message, "Authorization");
  if (g_ascii_strncasecmp(authorization.c_str(), "Basic ", 6) == 0) {
    std::string token = sessions_.token_of(authorization, now_us);
    gsize length = 0;
    guchar* decoded = g_base64_decode(authorization.c_str() + 6, &length);
    const std::string both(reinterpret_cast<char*>(decoded), length);
    g_free(decoded);
    const size_t colon = both.find(':');
    if (token.empty() && colon != std::string::npos)
      if (const auto identity = settings_.accounts.check(both.substr(0, colon), both.substr(colon + 1)))
        token = sessions_.open(*identity, authorization, now_us);
    if (const auto session = sessions_.find(token, now_us)) {
      account = session->account;
      return true;
    }
    throttle_.failed(address, now_us);
  }
  soup_message_headers_replace(soup_server_message_get_response_headers(message), "WWW-Authenticate", "Basic realm=\"TURN\", charset=\"UTF-8\"");
  respond(message, SOUP_STATUS_UNAUTHORIZED, "text/plain", "user and password are needed\n");
  return false;
}

void TurnRestServer::on_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable* query, gpointer self) {
  static_cast<TurnRestServer*>(self)->answer(message, path, query);
}

void TurnRestServer::answer(SoupServerMessage* message, const std::string& path, GHashTable* query) {
  const std::string method = soup_server_message_get_method(message);
  if (method != "GET" && method != "HEAD") {
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow", "GET, HEAD");
    respond(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD are served\n");
    return;
  }
  if (path == "/health") {
    respond(message, SOUP_STATUS_OK, "application/json", "{\"status\":\"ok\"}\n");
    return;
  }
  std::string account;
  if (!admit(message, account))
    return;
  if (path != "/" && path != "/turn") {
    respond(message, SOUP_STATUS_NOT_FOUND, "text/plain", "not found; ask for /\n");
    return;
  }
  const TurnRestRequest request{parameter(message, query, "username", "x-auth-user"), parameter(message, query, "protocol", "x-turn-protocol"),
                                parameter(message, query, "tls", "x-turn-tls")};
  const auto all = static_configuration(settings_.turn, request.username.empty() ? account : request.username, g_get_real_time() / 1'000'000);
  respond(message, SOUP_STATUS_OK, "application/json", rtc_configuration_json(fitting_servers(all, request)) + "\n");
}

}  // namespace vitrine
