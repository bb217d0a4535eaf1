// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading and writing STUN messages.
#include "webrtc/stun-message.h"

#include <glib.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t kIntegritySize = 24;   // attribute header and HMAC-SHA1
constexpr size_t kFingerprintSize = 8;  // attribute header and CRC
constexpr uint32_t kFingerprintXor = 0x5354554e;

void set_length(std::vector<uint8_t>& message, size_t length) {
  message[2] = static_cast<uint8_t>(length >> 8);
  message[3] = static_cast<uint8_t>(length);
}

uint32_t crc32(std::span<const uint8_t> data) {
  uint32_t crc = ~0u;
  for (const uint8_t byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
  }
  return ~crc;
}

std::array<uint8_t, 20> hmac_sha1(const std::string& key, std::span<const uint8_t> data) {
  std::array<uint8_t, 20> digest{};
  gsize length = digest.size();
  GHmac* hmac = g_hmac_new(G_CHECKSUM_SHA1, reinterpret_cast<const guchar*>(key.data()), key.size());
  g_hmac_update(hmac, data.data(), static_cast<gssize>(data.size()));
  g_hmac_get_digest(hmac, digest.data(), &length);
  g_hmac_unref(hmac);
  return digest;
}

/// HMAC over everything before the attribute, with the header's length counting up to the attribute's end (RFC 8489 §14.5).
std::array<uint8_t, 20> integrity_of(std::span<const uint8_t> before, const std::string& key) {
  std::vector<uint8_t> covered(before.begin(), before.end());
  set_length(covered, before.size() - kStunHeader + kIntegritySize);
  return hmac_sha1(key, covered);
}

}  // namespace

uint16_t read16(const uint8_t* data) { return static_cast<uint16_t>(data[0] << 8 | data[1]); }

uint32_t read32(const uint8_t* data) { return static_cast<uint32_t>(read16(data)) << 16 | read16(data + 2); }

void append16(std::vector<uint8_t>& out, uint32_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void append32(std::vector<uint8_t>& out, uint32_t value) {
  append16(out, value >> 16);
  append16(out, value);
}

bool looks_like_stun(std::span<const uint8_t> packet) {
  return packet.size() >= kStunHeader && packet[0] < 4 && read32(&packet[4]) == kStunMagicCookie &&
         read16(&packet[2]) == packet.size() - kStunHeader && packet.size() % 4 == 0;
}

uint16_t stun_type(std::span<const uint8_t> packet) { return read16(packet.data()); }

StunTransaction stun_transaction(std::span<const uint8_t> packet) {
  StunTransaction transaction;
  std::copy_n(packet.begin() + 8, transaction.size(), transaction.begin());
  return transaction;
}

std::optional<size_t> read_stun_attributes(std::span<const uint8_t> packet,
                                           const std::function<bool(uint16_t type, std::span<const uint8_t> value)>& take) {
  size_t integrity_offset = 0;
  for (size_t offset = kStunHeader; offset < packet.size();) {
    if (packet.size() - offset < 4)
      return std::nullopt;
    const uint16_t type = read16(&packet[offset]);
    const size_t length = read16(&packet[offset + 2]);
    const size_t padded = (length + 3) & ~size_t{3};
    if (packet.size() - offset - 4 < padded)
      return std::nullopt;
    const uint8_t* value = packet.data() + offset + 4;
    if (type == StunAttribute::kFingerprint) {
      // The last attribute; its CRC covers everything before it.
      if (length != 4 || offset + kFingerprintSize != packet.size() || read32(value) != (crc32(packet.first(offset)) ^ kFingerprintXor))
        return std::nullopt;
    } else if (integrity_offset != 0) {
      // Attributes after MESSAGE-INTEGRITY are not covered by it and must be ignored (RFC 8489 §14.5).
    } else if (type == StunAttribute::kMessageIntegrity) {
      if (length != 20)
        return std::nullopt;
      integrity_offset = offset;
    } else if (!take(type, std::span(value, length))) {
      return std::nullopt;
    }
    offset += 4 + padded;
  }
  return integrity_offset;
}

bool check_integrity(std::span<const uint8_t> packet, size_t integrity_offset, const std::string& key) {
  if (integrity_offset + kIntegritySize > packet.size())
    return false;
  const auto expected = integrity_of(packet.first(integrity_offset), key);
  uint8_t difference = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    difference |= static_cast<uint8_t>(expected[i] ^ packet[integrity_offset + 4 + i]);
  return difference == 0;
}

std::vector<uint8_t> stun_head(uint16_t type, const StunTransaction& transaction) {
  std::vector<uint8_t> out;
  append16(out, type);
  append16(out, 0);
  append32(out, kStunMagicCookie);
  out.insert(out.end(), transaction.begin(), transaction.end());
  return out;
}

void append_stun_attribute(std::vector<uint8_t>& out, uint16_t type, std::span<const uint8_t> value) {
  append16(out, type);
  append16(out, static_cast<uint32_t>(value.size()));
  out.insert(out.end(), value.begin(), value.end());
  out.resize((out.size() + 3) & ~size_t{3});
  set_length(out, out.size() - kStunHeader);
}

void append_stun_text(std::vector<uint8_t>& out, uint16_t type, const std::string& text) {
  append_stun_attribute(out, type, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void append_stun_integrity(std::vector<uint8_t>& out, const std::string& key) {
  append_stun_attribute(out, StunAttribute::kMessageIntegrity, integrity_of(out, key));
}

void append_stun_fingerprint(std::vector<uint8_t>& out) {
  set_length(out, out.size() - kStunHeader + kFingerprintSize);
  std::vector<uint8_t> crc;
  append32(crc, crc32(out) ^ kFingerprintXor);
  append_stun_attribute(out, StunAttribute::kFingerprint, crc);
}

}  // namespace vitrine
