// SPDX-License-Identifier: LGPL-2.1-or-later
// TURN messages in a stream of bytes (RFC 8656 §3.1 and §12.5): the same as in datagrams, but that ChannelData is padded. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace vitrine {

/// The datagram as it goes into a stream; empty if it is neither a STUN message nor ChannelData.
std::string turn_stream_frame(std::span<const uint8_t> datagram);

/// Takes messages out of a stream, whatever pieces it comes in.
class TurnStreamReader {
 public:
  static constexpr size_t kMessageMax = 65536 + 24;

  /// Calls `message` with each whole message, without padding. False if the bytes are no TURN: the stream cannot be used any more.
  bool take(std::span<const uint8_t> bytes, const std::function<void(std::span<const uint8_t>)>& message);

 private:
  std::string pending_;
};

}  // namespace vitrine
