// SPDX-License-Identifier: LGPL-2.1-or-later
// ICE candidates of a server with one port.
#include "webrtc/candidates.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace vitrine {
namespace {

/// RFC 6761 §6.3: also the names below it, which browsers resolve to loopback themselves.
bool is_localhost(const std::string& name) {
  return name == "localhost" || name.ends_with(".localhost");
}

/// The usual text of an IP, as IPv4 if it is a v4-mapped one; empty if it is none, or none that anybody can connect to. Browsers have
/// no way to name the interface of an IPv6 link-local address.
std::string usable_ip(const std::string& text) {
  in6_addr v6;
  in_addr v4;
  char out[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
    if (!IN6_IS_ADDR_V4MAPPED(&v6))
      return IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_MULTICAST(&v6)
                 ? ""
                 : inet_ntop(AF_INET6, &v6, out, sizeof out);
    std::copy_n(v6.s6_addr + 12, 4, reinterpret_cast<uint8_t*>(&v4));
  } else if (inet_pton(AF_INET, text.c_str(), &v4) != 1) {
    return "";
  }
  return v4.s_addr == INADDR_ANY || IN_MULTICAST(ntohl(v4.s_addr)) ? "" : inet_ntop(AF_INET, &v4, out, sizeof out);
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
  return host.find('\0') == std::string::npos &&
         (inet_pton(AF_INET, host.c_str(), buffer) == 1 || inet_pton(AF_INET6, host.c_str(), buffer) == 1);
}

std::vector<std::string> make_candidates(const CandidateInputs& inputs) {
  std::vector<HostPort> targets;
  const auto add = [&targets](const std::string& ip, int port) {
    const HostPort target{usable_ip(ip), port};
    if (!target.host.empty() && std::find(targets.begin(), targets.end(), target) == targets.end())
      targets.push_back(target);
  };
  if (const auto fixed = parse_host_port(inputs.public_address); fixed && !inputs.public_address.empty()) {
    const int port = fixed->port ? fixed->port : inputs.port;
    if (is_ip_literal(fixed->host))
      add(fixed->host, port);
    else
      targets.push_back({fixed->host, port});
  } else {
    if (const auto asked = parse_host_port(inputs.host_header)) {
      const int port = asked->port ? asked->port : inputs.default_http_port;
      if (is_ip_literal(asked->host)) {
        add(asked->host, port);
      } else if (is_localhost(asked->host)) {
        add("127.0.0.1", port);
        add("::1", port);
      } else {
        for (const auto& ip : inputs.resolved)
          add(ip, port);
      }
    }
    add(inputs.local_address, inputs.port);
    for (const auto& ip : inputs.other_addresses)
      if (!ip.starts_with("169.254."))
        add(ip, inputs.port);
  }

  std::vector<std::string> candidates;
  size_t index = 0;
  for (const auto& target : targets) {
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
