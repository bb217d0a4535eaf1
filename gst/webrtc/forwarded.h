// SPDX-License-Identifier: LGPL-2.1-or-later
// Who really asked: X-Forwarded-* headers, believed only when a trusted proxy sent them. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vitrine {

/// Addresses and networks of proxies whose word counts.
class TrustedProxies {
 public:
  /// "10.0.0.0/8, ::1, 192.0.2.7". Nothing, with `error`, if a word is no address or network.
  static std::optional<TrustedProxies> parse(const std::string& list, std::string& error);
  bool trusts(const std::string& ip) const;
  bool empty() const { return networks_.empty(); }

 private:
  struct Network {
    std::array<uint8_t, 16> address;  // IPv4 as v4-mapped
    int bits;
  };
  std::vector<Network> networks_;
};

struct ForwardedHeaders {
  std::string forwarded_for, proto, host, port;  // X-Forwarded-For, -Proto, -Host, -Port; all lines joined by commas
};

struct RequestOrigin {
  std::string remote;  // IP of the viewer
  std::string host;    // by which the viewer reached the page, as in a Host header
  bool secure = false;
};

/// `direct` is what the connection itself says.
RequestOrigin request_origin(const TrustedProxies& proxies, const RequestOrigin& direct, const ForwardedHeaders& headers);

}  // namespace vitrine
