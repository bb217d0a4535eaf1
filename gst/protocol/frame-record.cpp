// SPDX-License-Identifier: LGPL-2.1-or-later
// Frame headers and acknowledgements, big-endian.
#include "protocol/frame-record.h"

namespace vitrine {
namespace {

constexpr uint8_t kAckType = 3;
constexpr uint8_t kTalkType = 4;

template <typename T>
void put(uint8_t* at, T value) {
  for (size_t i = sizeof(T); i-- > 0; value = static_cast<T>(static_cast<uint64_t>(value) >> 8))
    at[i] = static_cast<uint8_t>(value);
}

/// The caller has checked the length.
template <typename T>
T get(const uint8_t* at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = value << 8 | at[i];
  return static_cast<T>(value);
}

}  // namespace

std::array<uint8_t, kFrameHeaderSize> encode_frame_header(const FrameHeader& header) {
  std::array<uint8_t, kFrameHeaderSize> out{};
  out[0] = kFrameVersion;
  out[1] = static_cast<uint8_t>(header.kind);
  put<uint16_t>(&out[2], header.key ? 1 : 0);
  put<uint32_t>(&out[4], header.id);
  put<uint32_t>(&out[8], header.nonce);
  put<uint32_t>(&out[12], header.rtp_time);
  put<uint64_t>(&out[16], header.capture_us);
  put<uint32_t>(&out[24], header.size);
  return out;
}

std::optional<FrameHeader> decode_frame(std::span<const uint8_t> message) {
  if (message.size() < kFrameHeaderSize || message[0] != kFrameVersion)
    return std::nullopt;
  const uint8_t* at = message.data();
  const auto kind = static_cast<FrameKind>(at[1]);
  const auto flags = get<uint16_t>(at + 2);
  if ((kind != FrameKind::video && kind != FrameKind::audio) || flags > 1 || get<uint32_t>(at + 28) != 0)
    return std::nullopt;
  FrameHeader header{kind, flags == 1, get<uint32_t>(at + 4), get<uint32_t>(at + 8), get<uint32_t>(at + 12), get<uint64_t>(at + 16),
                     get<uint32_t>(at + 24)};
  if (header.id == 0 || header.size == 0 || header.size > kFrameMax || header.size != message.size() - kFrameHeaderSize ||
      (kind == FrameKind::audio && !header.key))
    return std::nullopt;
  return header;
}

std::optional<std::vector<FrameAck>> decode_acks(std::span<const uint8_t> message) {
  if (message.size() < kAckHeaderSize || message[0] != kFrameVersion || message[1] != kAckType)
    return std::nullopt;
  const size_t count = get<uint16_t>(&message[2]);
  if (count == 0 || count > kAcksMax || message.size() != kAckHeaderSize + count * kAckSize)
    return std::nullopt;
  std::vector<FrameAck> acks;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* at = &message[kAckHeaderSize + i * kAckSize];
    if (get<uint16_t>(at + 14) != 0 || get<uint32_t>(at) == 0)
      return std::nullopt;
    acks.push_back({get<uint32_t>(at), get<uint32_t>(at + 4), get<uint32_t>(at + 8), get<uint16_t>(at + 12)});
  }
  return acks;
}

std::optional<std::span<const uint8_t>> decode_talk(std::span<const uint8_t> message) {
  if (message.size() <= kTalkHeaderSize || message[0] != kFrameVersion || message[1] != kTalkType || message[2] != 0 || message[3] != 0)
    return std::nullopt;
  return message.subspan(kTalkHeaderSize);
}

std::vector<uint8_t> encode_acks(std::span<const FrameAck> acks) {
  std::vector<uint8_t> out(kAckHeaderSize + acks.size() * kAckSize);
  out[0] = kFrameVersion;
  out[1] = kAckType;
  put<uint16_t>(&out[2], static_cast<uint16_t>(acks.size()));
  uint8_t* at = &out[kAckHeaderSize];
  for (const FrameAck& ack : acks) {
    put<uint32_t>(at, ack.id);
    put<uint32_t>(at + 4, ack.nonce);
    put<uint32_t>(at + 8, ack.received_us);
    put<uint16_t>(at + 12, ack.queue);
    at += kAckSize;
  }
  return out;
}

}  // namespace vitrine
