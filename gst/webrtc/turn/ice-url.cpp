// SPDX-License-Identifier: LGPL-2.1-or-later
// URLs of STUN and TURN servers.
#include "webrtc/turn/ice-url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

namespace vitrine {
namespace {

bool is_v6(const std::string& host) {
  unsigned char buffer[16];
  return host.find('\0') == std::string::npos && inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

bool is_name_or_v4(const std::string& host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

/// "host", "host:port", "[v6]", "[v6]:port" into `url`.
bool read_authority(const std::string& text, IceUrl& url, std::string& error) {
  std::string port;
  bool has_port = false;
  if (text.starts_with("[")) {
    const size_t close = text.find(']');
    url.host = close == std::string::npos ? "" : text.substr(1, close - 1);
    const std::string rest = close == std::string::npos ? "" : text.substr(close + 1);
    has_port = rest.starts_with(":");
    port = has_port ? rest.substr(1) : "";
    if (!is_v6(url.host) || (!rest.empty() && !has_port)) {
      error = "its host is no IPv6 address in brackets";
      return false;
    }
  } else {
    const size_t colon = text.find(':');
    has_port = colon != std::string::npos;
    url.host = text.substr(0, colon);
    port = has_port ? text.substr(colon + 1) : "";
    if (!is_name_or_v4(url.host)) {
      error = text.find('@') != std::string::npos ? "user and password do not belong in the URL" : "it has no usable host name";
      return false;
    }
  }
  if (!has_port)
    return true;
  const bool digits = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c); });
  url.port = digits ? std::stoi(port) : 0;
  if (url.port < 1 || url.port > 65535) {
    error = "its port is not a number from 1 to 65535";
    return false;
  }
  return true;
}

}  // namespace

std::optional<IceUrl> parse_ice_url(const std::string& text, const char* default_scheme, std::string& error) {
  IceUrl url;
  std::string rest = text, scheme = default_scheme;
  for (const char* known : {"stun", "stuns", "turn", "turns"}) {
    const std::string prefix = std::string(known) + ":";
    if (text.starts_with(prefix)) {
      scheme = known;
      rest = text.substr(prefix.size());
      // GStreamer writes its own with slashes.
      if (rest.starts_with("//"))
        rest = rest.substr(2);
    }
  }
  url.turn = scheme.starts_with("turn");
  url.tls = scheme.ends_with("s");
  url.tcp = url.tls;
  const size_t query = rest.find('?');
  if (query != std::string::npos) {
    const std::string parameter = rest.substr(query + 1);
    rest = rest.substr(0, query);
    if (!url.turn || (parameter != "transport=udp" && parameter != "transport=tcp")) {
      error = "only turn: and turns: take a parameter, and only transport=udp or transport=tcp";
      return std::nullopt;
    }
    url.tcp = parameter == "transport=tcp";
    if (url.tls && !url.tcp) {
      error = "turns: with transport=udp (DTLS) is not supported";
      return std::nullopt;
    }
  }
  if (!read_authority(rest, url, error))
    return std::nullopt;
  if (!url.port)
    url.port = url.tls ? 5349 : 3478;
  return url;
}

std::string to_string(const IceUrl& url) {
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  std::string out = std::string(url.turn ? "turn" : "stun") + (url.tls ? "s:" : ":") + host + ":" + std::to_string(url.port);
  if (url.turn)
    out += url.tcp ? "?transport=tcp" : "?transport=udp";
  return out;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + ",") {
    if (c != ',' && c != ' ' && c != '\t' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  return words;
}

std::string percent_encoded(const std::string& text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += static_cast<char>(c);
    else
      (out += '%') += {hex[c >> 4], hex[c & 15]};
  }
  return out;
}

}  // namespace vitrine
