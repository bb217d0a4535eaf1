// SPDX-License-Identifier: LGPL-2.1-or-later
// stun:, stuns:, turn: and turns: URLs (RFC 7064, RFC 7065). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vitrine {

struct IceUrl {
  bool turn = false;
  bool tls = false;
  bool tcp = false;  // turns: always is
  std::string host;  // IPv6 without brackets
  int port = 0;
  bool operator==(const IceUrl&) const = default;
};

/// Parses one URL; without a scheme it counts as `default_scheme` ("stun" or "turn"). On nothing `error` says what is wrong, never
/// repeating what might be a credential.
std::optional<IceUrl> parse_ice_url(const std::string& text, const char* default_scheme, std::string& error);
/// "turn:host:port?transport=udp": what browsers take.
std::string to_string(const IceUrl& url);

/// The words of a list separated by commas or spaces.
std::vector<std::string> split_list(const std::string& text);
/// Text for the user part of a URI, RFC 3986 §2.1.
std::string percent_encoded(const std::string& text);

}  // namespace vitrine
