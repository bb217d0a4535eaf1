// SPDX-License-Identifier: LGPL-2.1-or-later
// Cutting a stream into TURN messages.
#include "webrtc/turn/turn-framing.h"

namespace vitrine {
namespace {

constexpr size_t kStunHeader = 20, kChannelHeader = 4;

struct Lengths {
  size_t message = 0;  // without padding; 0: these bytes are no TURN
  size_t stream = 0;
};

/// Of the message that starts with these at least 4 bytes.
Lengths lengths_of(const uint8_t* bytes) {
  const size_t length = static_cast<size_t>(bytes[2]) << 8 | bytes[3];
  if ((bytes[0] & 0xc0) == 0x00)
    return length % 4 == 0 ? Lengths{kStunHeader + length, kStunHeader + length} : Lengths{};
  if ((bytes[0] & 0xf0) == 0x40)
    return {kChannelHeader + length, kChannelHeader + (length + 3) / 4 * 4};
  return {};
}

}  // namespace

std::string turn_stream_frame(std::span<const uint8_t> datagram) {
  if (datagram.size() < kChannelHeader)
    return "";
  const Lengths lengths = lengths_of(datagram.data());
  if (lengths.message == 0 || datagram.size() < lengths.message)
    return "";
  std::string out(reinterpret_cast<const char*>(datagram.data()), lengths.message);
  out.resize(lengths.stream, '\0');
  return out;
}

bool TurnStreamReader::take(std::span<const uint8_t> bytes, const std::function<void(std::span<const uint8_t>)>& message) {
  pending_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_t at = 0;
  while (pending_.size() - at >= kChannelHeader) {
    const auto* start = reinterpret_cast<const uint8_t*>(pending_.data()) + at;
    const Lengths lengths = lengths_of(start);
    if (lengths.message == 0)
      return false;
    if (pending_.size() - at < lengths.stream)
      break;
    message({start, lengths.message});
    at += lengths.stream;
  }
  pending_.erase(0, at);
  return true;
}

}  // namespace vitrine
