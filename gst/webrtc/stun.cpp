// SPDX-License-Identifier: LGPL-2.1-or-later
// STUN binding requests and responses.
#include "webrtc/stun.h"

#include <arpa/inet.h>
#include <glib.h>

#include <algorithm>
#include <cstring>

namespace vitrine {
namespace {

constexpr size_t kHeader = 20;
constexpr size_t kIntegritySize = 24;    // attribute header and HMAC-SHA1
constexpr size_t kFingerprintSize = 8;   // attribute header and CRC
constexpr uint32_t kMagicCookie = 0x2112A442;
constexpr uint32_t kFingerprintXor = 0x5354554e;
constexpr uint16_t kBindingRequest = 0x0001, kBindingResponse = 0x0101;
constexpr uint32_t kPeerReflexivePriority = 110u << 24 | 0xffffu << 8 | 0xff;  // RFC 8445 §5.1.2

enum Attribute : uint16_t {
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
};

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
std::array<uint8_t, 20> integrity_of(std::span<const uint8_t> before, const std::string& password) {
  std::vector<uint8_t> covered(before.begin(), before.end());
  set_length(covered, before.size() - kHeader + kIntegritySize);
  return hmac_sha1(password, covered);
}

}  // namespace

bool SocketAddress::is_v4() const {
  static constexpr uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(prefix, prefix + 12, ip.begin());
}

std::string SocketAddress::ip_text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v4())
    inet_ntop(AF_INET, ip.data() + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, ip.data(), text, sizeof text);
  return text;
}

std::string SocketAddress::text() const {
  return (is_v4() ? ip_text() : "[" + ip_text() + "]") + ":" + std::to_string(port);
}

std::string StunRequest::local_ufrag() const { return username.substr(0, username.find(':')); }
std::string StunRequest::remote_ufrag() const {
  const size_t colon = username.find(':');
  return colon == std::string::npos ? "" : username.substr(colon + 1);
}

bool looks_like_stun(std::span<const uint8_t> packet) {
  return packet.size() >= kHeader && packet[0] < 4 && read32(&packet[4]) == kMagicCookie &&
         read16(&packet[2]) == packet.size() - kHeader && packet.size() % 4 == 0;
}

namespace {

/// Calls `take` for each attribute that counts; false, from it or for what is malformed, ends. The offset of MESSAGE-INTEGRITY, 0 without.
template <class Take>
std::optional<size_t> read_attributes(std::span<const uint8_t> packet, Take take) {
  size_t integrity_offset = 0;
  for (size_t offset = kHeader; offset < packet.size();) {
    if (packet.size() - offset < 4)
      return std::nullopt;
    const uint16_t type = read16(&packet[offset]);
    const size_t length = read16(&packet[offset + 2]);
    const size_t padded = (length + 3) & ~size_t{3};
    if (packet.size() - offset - 4 < padded)
      return std::nullopt;
    const uint8_t* value = packet.data() + offset + 4;
    if (type == kFingerprint) {
      // The last attribute; its CRC covers everything before it.
      if (length != 4 || offset + kFingerprintSize != packet.size() ||
          read32(value) != (crc32(packet.first(offset)) ^ kFingerprintXor))
        return std::nullopt;
    } else if (integrity_offset != 0) {
      // Attributes after MESSAGE-INTEGRITY are not covered by it and must be ignored (RFC 8489 §14.5).
    } else if (type == kMessageIntegrity) {
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

void append_integrity_and_fingerprint(std::vector<uint8_t>& out, const std::string& password) {
  const auto integrity = integrity_of(out, password);
  append16(out, kMessageIntegrity);
  append16(out, 20);
  out.insert(out.end(), integrity.begin(), integrity.end());
  set_length(out, out.size() - kHeader + kFingerprintSize);
  const uint32_t crc = crc32(out) ^ kFingerprintXor;
  append16(out, kFingerprint);
  append16(out, 4);
  append32(out, crc);
}

std::vector<uint8_t> message_head(uint16_t type, const std::array<uint8_t, 12>& transaction) {
  std::vector<uint8_t> out;
  append16(out, type);
  append16(out, 0);
  append32(out, kMagicCookie);
  out.insert(out.end(), transaction.begin(), transaction.end());
  return out;
}

}  // namespace

std::optional<StunRequest> parse_binding_request(std::span<const uint8_t> packet) {
  if (!looks_like_stun(packet) || read16(&packet[0]) != kBindingRequest)
    return std::nullopt;
  StunRequest request;
  std::copy_n(packet.begin() + 8, 12, request.transaction.begin());
  const auto integrity = read_attributes(packet, [&](uint16_t type, std::span<const uint8_t> value) {
    if (type == kUsername) {
      if (value.size() > 513)
        return false;
      request.username.assign(reinterpret_cast<const char*>(value.data()), value.size());
    } else if (type == kPriority) {
      if (value.size() != 4)
        return false;
      request.priority = read32(value.data());
    } else if (type == kUseCandidate) {
      request.use_candidate = true;
    }
    return true;
  });
  if (!integrity || *integrity == 0 || request.username.empty())
    return std::nullopt;
  request.integrity_offset = *integrity;
  return request;
}

std::optional<StunResponse> parse_binding_response(std::span<const uint8_t> packet) {
  if (!looks_like_stun(packet) || read16(&packet[0]) != kBindingResponse)
    return std::nullopt;
  StunResponse response;
  std::copy_n(packet.begin() + 8, 12, response.transaction.begin());
  const auto integrity = read_attributes(packet, [](uint16_t, std::span<const uint8_t>) { return true; });
  if (!integrity || *integrity == 0)
    return std::nullopt;
  response.integrity_offset = *integrity;
  return response;
}

bool check_integrity(std::span<const uint8_t> packet, size_t integrity_offset, const std::string& password) {
  if (integrity_offset + kIntegritySize > packet.size())
    return false;
  const auto expected = integrity_of(packet.first(integrity_offset), password);
  uint8_t difference = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    difference |= static_cast<uint8_t>(expected[i] ^ packet[integrity_offset + 4 + i]);
  return difference == 0;
}

std::vector<uint8_t> binding_response(const StunRequest& request, const SocketAddress& from,
                                      const std::string& password) {
  auto out = message_head(kBindingResponse, request.transaction);
  append16(out, kXorMappedAddress);
  const size_t ip_size = from.is_v4() ? 4 : 16;
  append16(out, static_cast<uint32_t>(4 + ip_size));
  append16(out, from.is_v4() ? 0x0001 : 0x0002);
  append16(out, from.port ^ (kMagicCookie >> 16));
  // The address is xored with the magic cookie and, for IPv6, the transaction id: the 16 bytes at offset 4 of the header.
  for (size_t i = 0; i < ip_size; ++i)
    out.push_back(static_cast<uint8_t>(from.ip[16 - ip_size + i] ^ out[4 + i]));
  append_integrity_and_fingerprint(out, password);
  return out;
}

std::vector<uint8_t> binding_request(const std::array<uint8_t, 12>& transaction, const std::string& username, uint64_t tie_breaker,
                                     const std::string& password) {
  auto out = message_head(kBindingRequest, transaction);
  append16(out, kUsername);
  append16(out, static_cast<uint32_t>(username.size()));
  out.insert(out.end(), username.begin(), username.end());
  out.resize((out.size() + 3) & ~size_t{3});
  append16(out, kPriority);
  append16(out, 4);
  append32(out, kPeerReflexivePriority);
  append16(out, kIceControlled);
  append16(out, 8);
  append32(out, static_cast<uint32_t>(tie_breaker >> 32));
  append32(out, static_cast<uint32_t>(tie_breaker));
  append_integrity_and_fingerprint(out, password);
  return out;
}

}  // namespace vitrine
