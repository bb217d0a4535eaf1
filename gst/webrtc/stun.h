// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of STUN (RFC 8489) that an ICE-lite agent (RFC 8445) needs: check a binding request, answer it; and ask the other side one, which it
// answers at once. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "webrtc/stun-message.h"

namespace vitrine {

/// An IPv6 or v4-mapped address and a port, as seen by a dual-stack socket. Comparable, so it can key a map.
struct SocketAddress {
  std::array<uint8_t, 16> ip{};
  uint16_t port = 0;
  uint32_t scope = 0;
  auto operator<=>(const SocketAddress&) const = default;
  bool is_v4() const;
  std::string ip_text() const;
  /// "192.0.2.1:5000" or "[2001:db8::1]:5000".
  std::string text() const;
};

struct StunRequest {
  StunTransaction transaction{};
  std::string username;  // "<our ufrag>:<their ufrag>"
  uint32_t priority = 0;
  bool use_candidate = false;
  size_t integrity_offset = 0;  // of the MESSAGE-INTEGRITY attribute

  std::string local_ufrag() const;
  std::string remote_ufrag() const;
};

struct StunResponse {
  StunTransaction transaction{};
  size_t integrity_offset = 0;
};

/// Parses a binding request. Nothing on any other or malformed message, or on a wrong FINGERPRINT.
std::optional<StunRequest> parse_binding_request(std::span<const uint8_t> packet);

/// Parses a success response to one, likewise.
std::optional<StunResponse> parse_binding_response(std::span<const uint8_t> packet);

/// A success response with XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY and FINGERPRINT.
std::vector<uint8_t> binding_response(const StunRequest& request, const SocketAddress& from,
                                      const std::string& password);

/// A request of the controlled side. `username`: "<their ufrag>:<our ufrag>"; the password is theirs.
std::vector<uint8_t> binding_request(const StunTransaction& transaction, const std::string& username, uint64_t tie_breaker,
                                     const std::string& password);

}  // namespace vitrine
