// SPDX-License-Identifier: LGPL-2.1-or-later
// STUN binding requests and responses.
#include "webrtc/stun.h"

#include <arpa/inet.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr uint16_t kBindingRequest = 0x0001, kBindingResponse = 0x0101;
constexpr uint32_t kPeerReflexivePriority = 110u << 24 | 0xffffu << 8 | 0xff;  // RFC 8445 §5.1.2

void append_integrity_and_fingerprint(std::vector<uint8_t>& out, const std::string& password) {
  append_stun_integrity(out, password);
  append_stun_fingerprint(out);
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

std::optional<StunRequest> parse_binding_request(std::span<const uint8_t> packet) {
  if (!looks_like_stun(packet) || stun_type(packet) != kBindingRequest)
    return std::nullopt;
  StunRequest request;
  request.transaction = stun_transaction(packet);
  const auto integrity = read_stun_attributes(packet, [&](uint16_t type, std::span<const uint8_t> value) {
    if (type == StunAttribute::kUsername) {
      if (value.size() > 513)
        return false;
      request.username.assign(reinterpret_cast<const char*>(value.data()), value.size());
    } else if (type == StunAttribute::kPriority) {
      if (value.size() != 4)
        return false;
      request.priority = read32(value.data());
    } else if (type == StunAttribute::kUseCandidate) {
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
  if (!looks_like_stun(packet) || stun_type(packet) != kBindingResponse)
    return std::nullopt;
  StunResponse response;
  response.transaction = stun_transaction(packet);
  const auto integrity = read_stun_attributes(packet, [](uint16_t, std::span<const uint8_t>) { return true; });
  if (!integrity || *integrity == 0)
    return std::nullopt;
  response.integrity_offset = *integrity;
  return response;
}

std::vector<uint8_t> binding_response(const StunRequest& request, const SocketAddress& from,
                                      const std::string& password) {
  auto out = stun_head(kBindingResponse, request.transaction);
  const size_t ip_size = from.is_v4() ? 4 : 16;
  std::vector<uint8_t> address;
  append16(address, from.is_v4() ? 0x0001 : 0x0002);
  append16(address, from.port ^ (kStunMagicCookie >> 16));
  // The address is xored with the magic cookie and, for IPv6, the transaction id: the 16 bytes at offset 4 of the header.
  for (size_t i = 0; i < ip_size; ++i)
    address.push_back(static_cast<uint8_t>(from.ip[16 - ip_size + i] ^ out[4 + i]));
  append_stun_attribute(out, StunAttribute::kXorMappedAddress, address);
  append_integrity_and_fingerprint(out, password);
  return out;
}

std::vector<uint8_t> binding_request(const StunTransaction& transaction, const std::string& username, uint64_t tie_breaker,
                                     const std::string& password) {
  auto out = stun_head(kBindingRequest, transaction);
  append_stun_text(out, StunAttribute::kUsername, username);
  std::vector<uint8_t> priority, breaker;
  append32(priority, kPeerReflexivePriority);
  append_stun_attribute(out, StunAttribute::kPriority, priority);
  append32(breaker, static_cast<uint32_t>(tie_breaker >> 32));
  append32(breaker, static_cast<uint32_t>(tie_breaker));
  append_stun_attribute(out, StunAttribute::kIceControlled, breaker);
  append_integrity_and_fingerprint(out, password);
  return out;
}

}  // namespace vitrine
