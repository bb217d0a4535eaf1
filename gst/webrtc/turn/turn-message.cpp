// SPDX-License-Identifier: LGPL-2.1-or-later
// Writing TURN requests and reading the answers.
#include "webrtc/turn/turn-message.h"

#include <glib.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr uint16_t kAllocate = 0x0003, kRefresh = 0x0004;
constexpr uint16_t kClassMask = 0x0110, kSuccess = 0x0100, kError = 0x0110;
constexpr uint8_t kUdp = 17;
constexpr size_t kTextMax = 763;  // bytes of a realm or a nonce, RFC 8489 §14.9

std::vector<uint8_t> finished(std::vector<uint8_t> message, const TurnLogin* login) {
  if (login) {
    append_stun_text(message, StunAttribute::kUsername, login->username);
    append_stun_text(message, StunAttribute::kRealm, login->realm);
    append_stun_text(message, StunAttribute::kNonce, login->nonce);
    append_stun_integrity(message, login->key);
  }
  append_stun_fingerprint(message);
  return message;
}

std::optional<SocketAddress> read_xored(std::span<const uint8_t> packet, std::span<const uint8_t> value) {
  const size_t ip_size = value.size() == 8 && value[1] == 1 ? 4 : value.size() == 20 && value[1] == 2 ? 16 : 0;
  if (ip_size == 0)
    return std::nullopt;
  SocketAddress address;
  if (ip_size == 4)
    address.ip[10] = address.ip[11] = 0xff;
  for (size_t i = 0; i < ip_size; ++i)
    address.ip[16 - ip_size + i] = static_cast<uint8_t>(value[4 + i] ^ packet[4 + i]);
  address.port = static_cast<uint16_t>(read16(&value[2]) ^ (kStunMagicCookie >> 16));
  return address;
}

/// False if the attribute is malformed.
bool take(TurnAnswer& answer, std::span<const uint8_t> packet, uint16_t type, std::span<const uint8_t> value) {
  if (type == StunAttribute::kErrorCode) {
    if (value.size() < 4 || (value[2] & 7) < 3 || (value[2] & 7) > 6 || value[3] > 99)
      return false;
    answer.error = (value[2] & 7) * 100 + value[3];
  } else if (type == StunAttribute::kRealm || type == StunAttribute::kNonce) {
    if (value.size() > kTextMax)
      return false;
    (type == StunAttribute::kRealm ? answer.realm : answer.nonce).assign(value.begin(), value.end());
  } else if (type == StunAttribute::kXorRelayedAddress) {
    answer.relay = read_xored(packet, value);
    return answer.relay.has_value();
  }
  return true;
}

}  // namespace

TurnLogin turn_login(const std::string& username, const std::string& password, const std::string& realm, const std::string& nonce) {
  TurnLogin login{username, realm, nonce, std::string(16, '\0')};
  const std::string text = username + ":" + realm + ":" + password;
  GChecksum* md5 = g_checksum_new(G_CHECKSUM_MD5);
  g_checksum_update(md5, reinterpret_cast<const guchar*>(text.data()), static_cast<gssize>(text.size()));
  gsize length = login.key.size();
  g_checksum_get_digest(md5, reinterpret_cast<guint8*>(login.key.data()), &length);
  g_checksum_free(md5);
  return login;
}

std::vector<uint8_t> allocate_request(const StunTransaction& transaction, const TurnLogin* login) {
  auto message = stun_head(kAllocate, transaction);
  append_stun_attribute(message, StunAttribute::kRequestedTransport, std::array<uint8_t, 4>{kUdp, 0, 0, 0});
  return finished(std::move(message), login);
}

std::vector<uint8_t> release_request(const StunTransaction& transaction, const TurnLogin* login) {
  auto message = stun_head(kRefresh, transaction);
  append_stun_attribute(message, StunAttribute::kLifetime, std::array<uint8_t, 4>{});
  return finished(std::move(message), login);
}

std::optional<TurnAnswer> parse_turn_answer(std::span<const uint8_t> packet) {
  if (!looks_like_stun(packet))
    return std::nullopt;
  const uint16_t method = stun_type(packet) & static_cast<uint16_t>(~kClassMask), kind = stun_type(packet) & kClassMask;
  if ((method != kAllocate && method != kRefresh) || (kind != kSuccess && kind != kError))
    return std::nullopt;
  TurnAnswer answer;
  answer.transaction = stun_transaction(packet);
  const auto integrity =
      read_stun_attributes(packet, [&](uint16_t type, std::span<const uint8_t> value) { return take(answer, packet, type, value); });
  // A failure says which, a success says none, and has what was asked for.
  if (!integrity || (kind == kError) != (answer.error != 0) || (kind == kSuccess && method == kAllocate && !answer.relay))
    return std::nullopt;
  answer.integrity_offset = *integrity;
  return answer;
}

}  // namespace vitrine
