// SPDX-License-Identifier: LGPL-2.1-or-later
// Which addresses a browser is told to connect to: those by which it reached the page. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vitrine {

struct HostPort {
  std::string host;  // IPv6 without brackets
  int port = 0;      // 0: none given
  bool operator==(const HostPort&) const = default;
};

/// Parses "host", "host:port", "[v6]", "[v6]:port". Nothing if malformed.
std::optional<HostPort> parse_host_port(const std::string& text);

bool is_ip_literal(const std::string& host);

struct CandidateInputs {
  std::string public_address;  // host[:port] that replaces all others, empty if not set
  std::string host_header;     // of the WebSocket request; browsers write it in lower case
  std::string local_address;   // IP on which that request arrived here
  /// Our other IPs, for a page that was reached by loopback: Firefox does not use loopback for media.
  std::vector<std::string> other_addresses;
  std::vector<std::string> resolved;  // IPs of host_header's name, if it is a name and was looked up
  int port = 0;                       // our port
  int default_http_port = 80;         // what a Host header without a port means
  bool udp = true, tcp = true;
};

/// ICE candidate attributes ("candidate:…", RFC 8839), best first, without duplicates. Addresses that a
/// browser cannot use are left out: unspecified, multicast, IPv6 link-local, and IPv4 link-local ones by which the page was not reached.
std::vector<std::string> make_candidates(const CandidateInputs& inputs);

}  // namespace vitrine
