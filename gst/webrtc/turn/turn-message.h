// SPDX-License-Identifier: LGPL-2.1-or-later
// The messages by which a relay is asked for and given back (RFC 8656: Allocate, Refresh). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "webrtc/stun-message.h"
#include "webrtc/stun.h"

namespace vitrine {

/// Long-term credentials (RFC 8489 §9.2) with what the server said of them.
struct TurnLogin {
  std::string username, realm, nonce;
  std::string key;
};
TurnLogin turn_login(const std::string& username, const std::string& password, const std::string& realm, const std::string& nonce);

/// For a relay by UDP, of the address family that the server prefers. Without a login: to be told realm and nonce.
std::vector<uint8_t> allocate_request(const StunTransaction& transaction, const TurnLogin* login);
/// Gives the relay back.
std::vector<uint8_t> release_request(const StunTransaction& transaction, const TurnLogin* login);

struct TurnAnswer {
  StunTransaction transaction{};
  int error = 0;  // 300…699; 0: success
  std::string realm, nonce;
  std::optional<SocketAddress> relay;
  size_t integrity_offset = 0;  // 0: not signed
};

/// The answer to one of these; nothing on any other or malformed message.
std::optional<TurnAnswer> parse_turn_answer(std::span<const uint8_t> packet);

}  // namespace vitrine
