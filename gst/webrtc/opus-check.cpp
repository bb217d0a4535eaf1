// SPDX-License-Identifier: LGPL-2.1-or-later
// Framing of Opus packets; the requirements are numbered as in RFC 6716.
#include "webrtc/opus-check.h"

namespace vitrine {
namespace {

constexpr size_t kFrameMax = 1275;           // R2
constexpr unsigned kDurationMaxTenths = 1200;  // R5: 120 ms

/// Of one frame, in tenths of a millisecond.
unsigned frame_tenths(uint8_t toc) {
  const unsigned config = toc >> 3;
  static constexpr unsigned silk[] = {100, 200, 400, 600}, hybrid[] = {100, 200}, celt[] = {25, 50, 100, 200};
  return config < 12 ? silk[config & 3] : config < 16 ? hybrid[config & 1] : celt[config & 3];
}

/// Takes a frame's length off the front (section 3.2.1); false if it is cut short.
bool take_length(std::span<const uint8_t>& bytes, size_t& length) {
  const size_t size = bytes.empty() ? 0 : bytes[0] < 252 ? 1 : 2;
  if (size == 0 || bytes.size() < size)
    return false;
  length = bytes[0] + (size == 2 ? size_t{4} * bytes[1] : 0);
  bytes = bytes.subspan(size);
  return true;
}

/// Code 3: any number of frames, with padding.
bool many_are_sound(uint8_t toc, std::span<const uint8_t> bytes) {
  if (bytes.empty())
    return false;
  const bool varied = bytes[0] & 0x80, padded = bytes[0] & 0x40;
  const unsigned count = bytes[0] & 0x3f;
  bytes = bytes.subspan(1);
  if (count == 0 || count * frame_tenths(toc) > kDurationMaxTenths)
    return false;
  for (bool more = padded; more;) {
    if (bytes.empty())
      return false;
    more = bytes[0] == 255;
    const size_t padding = more ? 254 : bytes[0];
    bytes = bytes.subspan(1);
    if (padding > bytes.size())
      return false;
    bytes = bytes.first(bytes.size() - padding);
  }
  if (!varied)
    return bytes.size() % count == 0 && bytes.size() / count <= kFrameMax;
  size_t all = 0;
  for (unsigned i = 1; i < count; ++i) {
    size_t length = 0;
    if (!take_length(bytes, length))
      return false;
    all += length;
  }
  return all <= bytes.size() && bytes.size() - all <= kFrameMax;
}

}  // namespace

bool opus_packet_is_sound(std::span<const uint8_t> packet) {
  if (packet.empty() || packet.size() > kOpusPacketMax)
    return false;
  const uint8_t toc = packet[0];
  auto bytes = packet.subspan(1);
  size_t length = 0;
  switch (toc & 3) {
    case 0:
      return bytes.size() <= kFrameMax;
    case 1:
      return bytes.size() % 2 == 0 && bytes.size() / 2 <= kFrameMax;
    case 2:
      return take_length(bytes, length) && length <= bytes.size() && bytes.size() - length <= kFrameMax;
    default:
      return many_are_sound(toc, bytes);
  }
}

}  // namespace vitrine
