// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of TURN settings, and the servers that they name themselves.
#include "webrtc/turn/turn-settings.h"

namespace vitrine {
namespace {

std::string list_problem(const char* property, const std::string& list, bool turn) {
  const auto words = split_list(list);
  if (words.size() > RtcConfiguration::kUrlsMax)
    return std::string(property) + ": more than " + std::to_string(RtcConfiguration::kUrlsMax) + " servers";
  for (size_t i = 0; i < words.size(); ++i) {
    std::string problem;
    const auto url = parse_ice_url(words[i], turn ? "turn" : "stun", problem);
    if (url && url->turn != turn)
      problem = turn ? "it is a STUN server's" : "it is a TURN server's";
    if (url && !turn && url->tls)
      problem = "stuns: is not supported";
    if (!problem.empty())
      return std::string(property) + ": URL " + std::to_string(i + 1) + " cannot be used: " + problem;
  }
  return "";
}

std::string credentials_problem(const TurnSettings& s) {
  const bool user = !s.user.empty(), password = !s.password.empty(), secret = !s.shared_secret.empty();
  if (s.turn_servers.empty()) {
    const char* lone = password ? "turn-password" : secret ? "turn-shared-secret" : user ? "turn-user" : nullptr;
    return lone ? std::string(lone) + ": needs turn-servers too" : "";
  }
  if (secret && password)
    return "turn-shared-secret: cannot go together with turn-password";
  if (secret)
    return "";
  if (!user && !password)
    return "turn-servers: needs turn-user and turn-password, or turn-shared-secret";
  if (user != password)
    return std::string(user ? "turn-user: needs turn-password" : "turn-password: needs turn-user") + " too";
  return "";
}

}  // namespace

std::string turn_settings_problem(const TurnSettings& s) {
  for (const auto& problem : {list_problem("stun-server", s.stun_servers, false), list_problem("turn-servers", s.turn_servers, true),
                              credentials_problem(s)})
    if (!problem.empty())
      return problem;
  const int ways = !s.turn_servers.empty() + !s.rest_uri.empty() + !s.rtc_config_file.empty();
  if (ways > 1)
    return std::string(s.rest_uri.empty() ? "rtc-config-file" : "turn-rest-uri") + ": cannot go together with " +
           (s.turn_servers.empty() ? "rtc-config-file" : "turn-servers");
  if (!s.rest_uri.empty() && !s.rest_uri.starts_with("http://") && !s.rest_uri.starts_with("https://"))
    return "turn-rest-uri: is no http: or https: address";
  if (s.rest_protocol != "udp" && s.rest_protocol != "tcp")
    return "turn-rest-protocol: is neither udp nor tcp";
  if (s.lifetime_s < kTurnLifetimeMin || s.lifetime_s > kTurnLifetimeMax)
    return "turn-lifetime: is not from " + std::to_string(kTurnLifetimeMin) + " to " + std::to_string(kTurnLifetimeMax) + " seconds";
  if (s.relay_only && !s.any_turn())
    return "ice-transport-policy: relay needs turn-servers, turn-rest-uri or rtc-config-file";
  return "";
}

RtcConfiguration static_configuration(const TurnSettings& settings, const std::string& name, int64_t now_s) {
  RtcConfiguration configuration;
  configuration.relay_only = settings.relay_only;
  IceServer stun, turn;
  std::string unused;
  for (const auto& word : split_list(settings.stun_servers))
    if (const auto url = parse_ice_url(word, "stun", unused))
      stun.urls.push_back(*url);
  for (const auto& word : split_list(settings.turn_servers))
    if (const auto url = parse_ice_url(word, "turn", unused))
      turn.urls.push_back(*url);
  if (!settings.shared_secret.empty()) {
    auto made = make_turn_credentials(settings.shared_secret, name, now_s, settings.lifetime_s);
    turn.username = std::move(made.username);
    turn.credential = std::move(made.credential);
    configuration.lifetime_s = settings.lifetime_s;
  } else {
    turn.username = settings.user;
    turn.credential = settings.password;
  }
  for (auto* server : {&stun, &turn})
    if (!server->urls.empty())
      configuration.servers.push_back(std::move(*server));
  return configuration;
}

}  // namespace vitrine
