// SPDX-License-Identifier: LGPL-2.1-or-later
// Sniffing and RFC 4571 framing.
#include "webrtc/tcp-framing.h"

#include <algorithm>

namespace vitrine {

FirstBytes classify_first_bytes(std::span<const uint8_t> bytes) {
  if (bytes.empty())
    return FirstBytes::more;
  if (bytes[0] == 0x16)
    return FirstBytes::tls;
  // A framed STUN binding request: 16-bit length, message type 0x0001, 16-bit length, magic cookie. Requests of browsers are
  // below 1280 bytes, so the first byte is at most 5 and no HTTP method starts like that.
  static constexpr int expected[kFirstBytesNeeded] = {-1, -1, 0x00, 0x01, -1, -1, 0x21, 0x12, 0xA4, 0x42};
  if (bytes[0] > 5)
    return FirstBytes::http;
  for (size_t i = 0; i < kFirstBytesNeeded; ++i) {
    if (i >= bytes.size())
      return FirstBytes::more;
    if (expected[i] >= 0 && bytes[i] != expected[i])
      return FirstBytes::http;
  }
  return FirstBytes::stun;
}

bool FrameReader::push(std::span<const uint8_t> bytes,
                       const std::function<void(std::span<const uint8_t>)>& packet) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  size_t offset = 0;
  while (pending_.size() - offset >= 2) {
    const size_t length = static_cast<size_t>(pending_[offset]) << 8 | pending_[offset + 1];
    if (length == 0)
      return false;
    if (pending_.size() - offset - 2 < length)
      break;
    packet(std::span<const uint8_t>(pending_).subspan(offset + 2, length));
    offset += 2 + length;
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(offset));
  return true;
}

}  // namespace vitrine
