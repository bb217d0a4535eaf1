// SPDX-License-Identifier: LGPL-2.1-or-later
// RTCP validation (RFC 3550 §6, RFC 4585 §6, transport-wide congestion control feedback).
#include "webrtc/rtcp-check.h"

namespace vitrine {
namespace {

enum PacketType : uint8_t { kSenderReport = 200, kReceiverReport, kSdes, kBye, kApp, kRtpFeedback, kPayloadFeedback };
constexpr uint8_t kTransportWideFormat = 15;

uint16_t read16(const uint8_t* data) { return static_cast<uint16_t>(data[0] << 8 | data[1]); }

/// FCI: base sequence, status count, 24-bit reference time, feedback count, status chunks, receive deltas.
bool transport_wide_is_sound(std::span<const uint8_t> fci) {
  if (fci.size() < 8)
    return false;
  const size_t count = read16(&fci[2]);
  size_t offset = 8, seen = 0, deltas = 0;
  while (seen < count) {
    if (fci.size() - offset < 2)
      return false;
    const uint16_t chunk = read16(&fci[offset]);
    offset += 2;
    const auto add = [&](unsigned symbol, size_t times) {
      if (times > count - seen)
        times = count - seen;
      seen += times;
      deltas += times * (symbol == 1 ? 1 : symbol == 2 ? 2 : 0);
    };
    if (!(chunk & 0x8000)) {
      const size_t run = chunk & 0x1fff;
      if (run == 0)
        return false;
      add(chunk >> 13 & 3, run);
    } else if (chunk & 0x4000) {
      for (int i = 6; i >= 0; --i)
        add(chunk >> (2 * i) & 3, 1);
    } else {
      for (int i = 13; i >= 0; --i)
        add(chunk >> i & 1, 1);
    }
  }
  return fci.size() - offset >= deltas;
}

bool packet_is_sound(uint8_t type, uint8_t count, std::span<const uint8_t> body) {
  switch (type) {
    case kSenderReport:
      return body.size() >= 24 + size_t{24} * count;
    case kReceiverReport:
      return body.size() >= 4 + size_t{24} * count;
    case kSdes: {
      size_t offset = 0;
      for (int chunk = 0; chunk < count; ++chunk) {
        if (body.size() - offset < 4)
          return false;
        offset += 4;
        for (;;) {
          if (offset >= body.size())
            return false;
          if (body[offset] == 0)
            break;
          if (body.size() - offset < 2 || body.size() - offset - 2 < body[offset + 1])
            return false;
          offset += size_t{2} + body[offset + 1];
        }
        offset = (offset + 4) & ~size_t{3};  // the null item and padding to the next word
        if (offset > body.size())
          return false;
      }
      return true;
    }
    case kBye:
      return body.size() >= size_t{4} * count &&
             (body.size() == size_t{4} * count || body.size() - size_t{4} * count > body[size_t{4} * count]);
    case kApp:
      return body.size() >= 8;
    case kRtpFeedback:
    case kPayloadFeedback:
      if (body.size() < 8)
        return false;
      return type != kRtpFeedback || count != kTransportWideFormat || transport_wide_is_sound(body.subspan(8));
    default:
      return true;  // rtpsession skips what it does not know
  }
}

}  // namespace

bool rtcp_is_sound(std::span<const uint8_t> packet) {
  if (packet.size() < 4 || packet.size() % 4 != 0)
    return false;
  while (!packet.empty()) {
    if (packet.size() < 4 || packet[0] >> 6 != 2)
      return false;
    const bool padded = packet[0] & 0x20;
    const size_t size = 4 + size_t{4} * read16(&packet[2]);
    if (size > packet.size())
      return false;
    size_t body = size - 4;
    if (padded) {
      // Padding is allowed on the last packet only, and counts itself.
      const uint8_t padding = packet[size - 1];
      if (size != packet.size() || padding == 0 || padding % 4 != 0 || padding > body)
        return false;
      body -= padding;
    }
    if (!packet_is_sound(packet[1], packet[0] & 0x1f, packet.subspan(4, body)))
      return false;
    packet = packet.subspan(size);
  }
  return true;
}

}  // namespace vitrine
