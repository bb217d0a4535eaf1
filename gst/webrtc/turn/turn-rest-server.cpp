// SPDX-License-Identifier: LGPL-2.1-or-later
// Answering TURN REST requests.
#include "webrtc/turn/turn-rest-server.h"

#include <algorithm>

#include "webrtc/http-exchange.h"

namespace vitrine {
namespace {

std::string parameter(SoupServerMessage* message, GHashTable* query, const char* name, const char* header_name) {
  const auto* value = query ? static_cast<const char*>(g_hash_table_lookup(query, name)) : nullptr;
  return value ? value : request_header(message, header_name);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return g_ascii_tolower(c); });
  return text;
}

/// What is wrong; empty if nothing.
std::string problem(const TurnRestSettings& settings) {
  const std::string of_turn = turn_settings_problem(settings.turn);
  if (!of_turn.empty())
    return of_turn;
  if (settings.turn.turn_servers.empty())
    return "turn-servers: is needed";
  return settings.require_auth && settings.accounts.empty() ? "password: is needed, or nobody could ask" : "";
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

bool TurnRestServer::change(const TurnRestSettings& wanted, std::string& error) {
  TurnRestSettings next = settings_;
  next.accounts = wanted.accounts;
  next.turn = wanted.turn;
  error = problem(next);
  const auto listen = error.empty() ? listen_change(settings_.listen, wanted.listen, error) : std::nullopt;
  if (!listen)
    return false;
  next.listen = listen->settings;
  settings_ = std::move(next);
  login_.change(settings_.accounts);
  listen->apply(server_.get());
  return true;
}

bool TurnRestServer::start(std::string& error) {
  error = problem(settings_);
  if (!error.empty())
    return false;
  server_ = Ref<SoupServer>::adopt(soup_server_new("server-header", "Vitrine", nullptr));
  limit_bodies(server_.get(), kMostUnwanted);
  soup_server_add_handler(server_.get(), nullptr, on_request, this, nullptr);
  return listen_on(server_.get(), settings_.listen, error);
}

void TurnRestServer::on_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable* query, gpointer self) {
  static_cast<TurnRestServer*>(self)->answer(message, path, query);
}

void TurnRestServer::answer(SoupServerMessage* message, const std::string& path, GHashTable* query) {
  const std::string method = soup_server_message_get_method(message);
  if (method != "GET" && method != "HEAD") {
    set_header(message, "Allow", "GET, HEAD");
    respond_now(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD are served\n");
    return;
  }
  if (path == "/health") {
    respond_now(message, SOUP_STATUS_OK, "application/json", "{\"status\":\"ok\"}\n");
    return;
  }
  const auto identity = login_.admit(message, {ip_of(soup_server_message_get_remote_address(message)), "", false});
  if (!identity)
    return;
  if (path != "/" && path != "/turn") {
    respond_now(message, SOUP_STATUS_NOT_FOUND, "text/plain", "not found; ask for /\n");
    return;
  }
  const TurnRestRequest request{parameter(message, query, "username", "x-auth-user"), parameter(message, query, "protocol", "x-turn-protocol"),
                                parameter(message, query, "tls", "x-turn-tls")};
  const auto all = static_configuration(settings_.turn, request.username.empty() && !login_.open_to_all() ? identity->account : request.username, g_get_real_time() / 1'000'000);
  respond_now(message, SOUP_STATUS_OK, "application/json", rtc_configuration_json(fitting_servers(all, request)) + "\n");
}

}  // namespace vitrine
