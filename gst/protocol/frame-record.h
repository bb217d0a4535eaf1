// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames and their acknowledgements on the WebSocket transport (docs/protocol.md, section 6). Pure: no I/O, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vitrine {

inline constexpr uint8_t kFrameVersion = 1;
inline constexpr size_t kFrameHeaderSize = 32;
inline constexpr size_t kFrameMax = 16 * 1024 * 1024;  // payload bytes
inline constexpr size_t kAckHeaderSize = 4;
inline constexpr size_t kAckSize = 16;
inline constexpr size_t kAcksMax = 64;  // in one message
inline constexpr size_t kTalkHeaderSize = 4;

enum class FrameKind : uint8_t { video = 1, audio = 2 };

/// What goes before the encoded bytes of one access unit or audio packet.
struct FrameHeader {
  FrameKind kind = FrameKind::video;
  bool key = false;          // needs no earlier frame; always so of audio
  uint32_t id = 0;           // 1 for the first frame of a media socket, then + 1, video and audio together
  uint32_t nonce = 0;        // unguessable: an acknowledgement repeats it, so only what was read can be acknowledged
  uint32_t rtp_time = 0;     // 90 kHz (video) or 48 kHz (audio), modulo 2^32
  uint64_t capture_us = 0;   // server's monotonic clock; 0 if unknown
  uint32_t size = 0;         // payload bytes
  bool operator==(const FrameHeader&) const = default;
};

std::array<uint8_t, kFrameHeaderSize> encode_frame_header(const FrameHeader& header);
/// Reads a whole message: header and as many payload bytes as it says. Nothing if any field is out of its range.
std::optional<FrameHeader> decode_frame(std::span<const uint8_t> message);

struct FrameAck {
  uint32_t id = 0;
  uint32_t nonce = 0;
  uint32_t received_us = 0;  // the viewer's clock, modulo 2^32
  uint16_t queue = 0;        // frames that wait for its decoder
  bool operator==(const FrameAck&) const = default;
};

/// Reads one message of acknowledgements; nothing if it is malformed in any part.
std::optional<std::vector<FrameAck>> decode_acks(std::span<const uint8_t> message);
/// The Opus packet in a message of the viewer's microphone; nothing if it is no such message.
std::optional<std::span<const uint8_t>> decode_talk(std::span<const uint8_t> message);
/// For tests and clients in C++. At most kAcksMax.
std::vector<uint8_t> encode_acks(std::span<const FrameAck> acks);

}  // namespace vitrine
