// SPDX-License-Identifier: LGPL-2.1-or-later
// RTC configurations in JSON.
#include "webrtc/turn/rtc-configuration.h"

#include <algorithm>
#include <cstdlib>

#include "common/json-object.h"

namespace vitrine {
namespace {

/// A string member; nothing if it is there and is none.
std::optional<std::string> text_of(JsonObject* object, const char* name) {
  JsonNode* node = json_object_get_member(object, name);
  if (!node)
    return "";
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
    return std::nullopt;
  const std::string text = json_node_get_string(node);
  if (text.size() > RtcConfiguration::kCredentialMax)
    return std::nullopt;
  return text;
}

/// A string or an array of strings.
std::optional<std::vector<std::string>> texts_of(JsonNode* node) {
  std::vector<std::string> out;
  const auto add = [&out](JsonNode* value) {
    if (!JSON_NODE_HOLDS_VALUE(value) || json_node_get_value_type(value) != G_TYPE_STRING)
      return false;
    out.emplace_back(json_node_get_string(value));
    return out.back().size() <= 512;
  };
  if (!JSON_NODE_HOLDS_ARRAY(node))
    return add(node) ? std::optional(out) : std::nullopt;
  JsonArray* array = json_node_get_array(node);
  const guint length = json_array_get_length(array);
  if (length > RtcConfiguration::kUrlsMax)
    return std::nullopt;
  for (guint i = 0; i < length; ++i)
    if (!add(json_array_get_element(array, i)))
      return std::nullopt;
  return out;
}

/// Seconds out of 86400, "86400" or "86400s"; nothing if it is none.
std::optional<int64_t> seconds_of(JsonNode* node) {
  if (!JSON_NODE_HOLDS_VALUE(node))
    return std::nullopt;
  double seconds = 0;
  if (json_node_get_value_type(node) == G_TYPE_STRING) {
    const std::string text = json_node_get_string(node);
    char* end = nullptr;
    seconds = g_ascii_strtod(text.c_str(), &end);
    if (end == text.c_str() || (*end && std::string_view(end) != "s"))
      return std::nullopt;
  } else if (json_node_get_value_type(node) == G_TYPE_INT64 || json_node_get_value_type(node) == G_TYPE_DOUBLE) {
    seconds = json_node_get_double(node);
  } else {
    return std::nullopt;
  }
  if (!(seconds >= 0 && seconds <= 10.0 * 365 * 86400))
    return std::nullopt;
  return static_cast<int64_t>(seconds);
}

/// Turns URLs and credentials into a server; false, with `error`, if they cannot go together.
bool add_server(RtcConfiguration& configuration, const std::string& where, const std::vector<std::string>& urls,
                const std::string& username, const std::string& credential, std::string& error) {
  IceServer server;
  bool turn = false;
  for (const auto& text : urls) {
    std::string problem;
    if (!text.starts_with("stun") && !text.starts_with("turn"))
      continue;
    const auto url = parse_ice_url(text, "stun", problem);
    if (!url) {
      error = where + ": a URL cannot be used: " + problem;
      return false;
    }
    turn |= url->turn;
    server.urls.push_back(*url);
  }
  if (server.urls.empty())
    return true;
  if (turn) {
    if (username.empty() || credential.empty()) {
      error = where + ": a TURN server needs username and credential";
      return false;
    }
    server.username = username;
    server.credential = credential;
  }
  configuration.servers.push_back(std::move(server));
  return true;
}

bool read_ice_servers(JsonArray* array, RtcConfiguration& configuration, std::string& error) {
  const guint length = json_array_get_length(array);
  if (length > RtcConfiguration::kServersMax) {
    error = "iceServers: more than " + std::to_string(RtcConfiguration::kServersMax) + " entries";
    return false;
  }
  for (guint i = 0; i < length; ++i) {
    const std::string where = "iceServers[" + std::to_string(i) + "]";
    JsonNode* node = json_array_get_element(array, i);
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
      error = where + " is not an object";
      return false;
    }
    JsonObject* entry = json_node_get_object(node);
    // "url" is what browsers took before "urls".
    JsonNode* urls_node = json_object_get_member(entry, json_object_has_member(entry, "urls") ? "urls" : "url");
    const auto urls = urls_node ? texts_of(urls_node) : std::nullopt;
    const auto username = text_of(entry, "username"), credential = text_of(entry, "credential");
    if (!urls || !username || !credential) {
      error = where + "." + (!urls ? "urls" : !username ? "username" : "credential") + " is missing, has the wrong kind or is too long";
      return false;
    }
    if (!add_server(configuration, where, *urls, *username, *credential, error))
      return false;
  }
  return true;
}

bool read_rest(JsonObject* object, RtcConfiguration& configuration, std::string& error) {
  const auto uris = texts_of(json_object_get_member(object, "uris"));
  const auto username = text_of(object, "username"), password = text_of(object, "password");
  if (!uris || !username || !password) {
    error = std::string(!uris ? "uris" : !username ? "username" : "password") + " has the wrong kind or is too long";
    return false;
  }
  return add_server(configuration, "uris", *uris, *username, *password, error);
}

}  // namespace

bool RtcConfiguration::has_turn() const {
  return std::any_of(servers.begin(), servers.end(), [](const IceServer& server) {
    return std::any_of(server.urls.begin(), server.urls.end(), [](const IceUrl& url) { return url.turn; });
  });
}

std::optional<RtcConfiguration> parse_rtc_configuration(std::string_view text, std::string& error) {
  JsonParserPtr parser;
  JsonObject* object = text.size() <= RtcConfiguration::kTextMax ? parse_json_object(text, parser) : nullptr;
  if (!object) {
    error = "it is not a JSON object of at most " + std::to_string(RtcConfiguration::kTextMax) + " bytes";
    return std::nullopt;
  }
  RtcConfiguration configuration;
  JsonNode* servers = json_object_get_member(object, "iceServers");
  if (servers && JSON_NODE_HOLDS_ARRAY(servers)) {
    if (!read_ice_servers(json_node_get_array(servers), configuration, error))
      return std::nullopt;
  } else if (!servers && json_object_has_member(object, "uris")) {
    if (!read_rest(object, configuration, error))
      return std::nullopt;
  } else {
    error = servers ? "iceServers is not an array" : "it has neither iceServers nor uris";
    return std::nullopt;
  }
  for (const char* name : {"lifetimeDuration", "ttl"}) {
    JsonNode* node = json_object_get_member(object, name);
    const auto seconds = node ? seconds_of(node) : std::optional<int64_t>(configuration.lifetime_s);
    if (!seconds) {
      error = std::string(name) + " is no time in seconds";
      return std::nullopt;
    }
    configuration.lifetime_s = *seconds;
  }
  if (JsonNode* node = json_object_get_member(object, "iceTransportPolicy")) {
    const auto policy = text_of(object, "iceTransportPolicy");
    if (JSON_NODE_HOLDS_NULL(node) || !policy || (*policy != "all" && *policy != "relay")) {
      error = "iceTransportPolicy is neither \"all\" nor \"relay\"";
      return std::nullopt;
    }
    configuration.relay_only = *policy == "relay";
  }
  return configuration;
}

std::string ice_servers_json(const RtcConfiguration& configuration) {
  std::string out;
  for (const auto& server : configuration.servers) {
    std::string urls;
    for (const auto& url : server.urls)
      urls += (urls.empty() ? "" : ",") + json_string(to_string(url));
    out += std::string(out.empty() ? "" : ",") + "{\"urls\":[" + urls + "]";
    if (!server.username.empty())
      out += ",\"username\":" + json_string(server.username) + ",\"credential\":" + json_string(server.credential);
    out += "}";
  }
  return "[" + out + "]";
}

std::string rtc_configuration_json(const RtcConfiguration& configuration) {
  std::string out = "{";
  if (configuration.lifetime_s > 0)
    out += "\"lifetimeDuration\":\"" + std::to_string(configuration.lifetime_s) + "s\",";
  return out + "\"iceServers\":" + ice_servers_json(configuration) + ",\"blockStatus\":\"NOT_BLOCKED\",\"iceTransportPolicy\":\"" +
         (configuration.relay_only ? "relay" : "all") + "\"}";
}

}  // namespace vitrine
