// SPDX-License-Identifier: LGPL-2.1-or-later
// ICE candidates of a server with one port.
#include "webrtc/candidates.h"

#include <arpa/inet.h>
#include <cctype>

#include <algorithm>
#include <cstdint>

namespace vitrine {
namespace {

bool usable(const std::string& ip) {
  return !ip.empty() && ip != "0.0.0.0" && ip != "::" && !ip.starts_with("fe80:") && !ip.starts_with("169.254.");
}

/// RFC 8445 §5.1.2.1: type preference 126 (host); for TCP RFC 6544 lowers the local preference.
uint32_t priority(bool udp, size_t index) {
  const uint32_t type = udp ? 126 : 90;
  const uint32_t local = static_cast<uint32_t>(65535 - index);
  return type << 24 | local << 8 | 255;
}

}  // namespace

std::optional<HostPort> parse_host_port(const std::string& text) {
  HostPort result;
  std::string port;
  if (text.starts_with("[")) {
    const size_t close = text.find(']');
    if (close == std::string::npos)
      return std::nullopt;
    result.host = text.substr(1, close - 1);
    const std::string rest = text.substr(close + 1);
    if (!rest.empty() && (rest[0] != ':' || rest.size() == 1))
      return std::nullopt;
    port = rest.empty() ? "" : rest.substr(1);
    if (!is_ip_literal(result.host))
      return std::nullopt;
  } else {
    const size_t colon = text.find(':');
    if (colon != std::string::npos && text.find(':', colon + 1) != std::string::npos) {
      result.host = text;  // a bare IPv6 address
      if (!is_ip_literal(result.host))
        return std::nullopt;
      return result;
    }
    result.host = text.substr(0, colon);
    if (colon != std::string::npos) {
      port = text.substr(colon + 1);
      if (port.empty())
        return std::nullopt;
    }
    const auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_'; };
    if (result.host.empty() || result.host.size() > 253 || !std::all_of(result.host.begin(), result.host.end(), allowed))
      return std::nullopt;
  }
  if (!port.empty()) {
    if (port.size() > 5 || !std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c); }))
      return std::nullopt;
    result.port = std::stoi(port);
    if (result.port < 1 || result.port > 65535)
      return std::nullopt;
  }
  return result;
}

bool is_ip_literal(const std::string& host) {
  unsigned char buffer[16];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 || inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

std::vector<std::string> make_candidates(const CandidateInputs& inputs) {
  std::vector<HostPort> targets;
  const auto add = [&targets](const std::string& host, int port) {
    const HostPort target{host, port};
    if (std::find(targets.begin(), targets.end(), target) == targets.end())
      targets.push_back(target);
  };
  if (const auto fixed = parse_host_port(inputs.public_address); fixed && !inputs.public_address.empty()) {
    add(fixed->host, fixed->port ? fixed->port : inputs.port);
  } else {
    if (const auto asked = parse_host_port(inputs.host_header)) {
      const int port = asked->port ? asked->port : inputs.default_http_port;
      if (is_ip_literal(asked->host)) {
        add(asked->host, port);
      } else if (asked->host == "localhost") {
        add("127.0.0.1", port);
        add("::1", port);
      } else {
        for (const auto& ip : inputs.resolved)
          add(ip, port);
      }
    }
    add(inputs.local_address, inputs.port);
    for (const auto& ip : inputs.other_addresses)
      add(ip, inputs.port);
  }

  std::vector<std::string> candidates;
  size_t index = 0;
  for (const auto& target : targets) {
    if (is_ip_literal(target.host) ? !usable(target.host) : target.host.empty())
      continue;
    const std::string where = target.host + " " + std::to_string(target.port);
    // Foundation: the same for candidates that share type, base and protocol (RFC 8445 §5.1.1.3).
    if (inputs.udp)
      candidates.push_back("candidate:" + std::to_string(2 * index + 1) + " 1 UDP " +
                           std::to_string(priority(true, index)) + " " + where + " typ host");
    if (inputs.tcp)
      candidates.push_back("candidate:" + std::to_string(2 * index + 2) + " 1 TCP " +
                           std::to_string(priority(false, index)) + " " + where + " typ host tcptype passive");
    ++index;
  }
  return candidates;
}

}  // namespace vitrine
