// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of STUN messages (RFC 8489), whatever they are about: header, attributes, integrity, fingerprint. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vitrine {

inline constexpr size_t kStunHeader = 20;
inline constexpr uint32_t kStunMagicCookie = 0x2112A442;

using StunTransaction = std::array<uint8_t, 12>;

/// The attributes that are used here, of STUN, ICE and TURN.
struct StunAttribute {
  static constexpr uint16_t kUsername = 0x0006, kMessageIntegrity = 0x0008, kErrorCode = 0x0009, kLifetime = 0x000d, kRealm = 0x0014,
                            kNonce = 0x0015, kXorRelayedAddress = 0x0016, kRequestedTransport = 0x0019, kXorMappedAddress = 0x0020,
                            kPriority = 0x0024, kUseCandidate = 0x0025, kFingerprint = 0x8028, kIceControlled = 0x8029;
};

uint16_t read16(const uint8_t* data);
uint32_t read32(const uint8_t* data);
void append16(std::vector<uint8_t>& out, uint32_t value);
void append32(std::vector<uint8_t>& out, uint32_t value);

/// True if the bytes can only be STUN: first two bits 0, magic cookie, length right.
bool looks_like_stun(std::span<const uint8_t> packet);
/// Of what looks like STUN.
uint16_t stun_type(std::span<const uint8_t> packet);
StunTransaction stun_transaction(std::span<const uint8_t> packet);

/// Calls `take` for each attribute that counts; false, from it or for what is malformed, ends. The offset of MESSAGE-INTEGRITY, 0 without.
std::optional<size_t> read_stun_attributes(std::span<const uint8_t> packet,
                                           const std::function<bool(uint16_t type, std::span<const uint8_t> value)>& take);

/// Checks MESSAGE-INTEGRITY: HMAC-SHA1 with this key, which for short-term credentials is the password itself.
bool check_integrity(std::span<const uint8_t> packet, size_t integrity_offset, const std::string& key);

/// A message without attributes, and what comes behind: each sets the header's length anew.
std::vector<uint8_t> stun_head(uint16_t type, const StunTransaction& transaction);
void append_stun_attribute(std::vector<uint8_t>& out, uint16_t type, std::span<const uint8_t> value);
void append_stun_text(std::vector<uint8_t>& out, uint16_t type, const std::string& text);
void append_stun_integrity(std::vector<uint8_t>& out, const std::string& key);
void append_stun_fingerprint(std::vector<uint8_t>& out);

}  // namespace vitrine
