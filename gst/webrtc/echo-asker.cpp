// SPDX-License-Identifier: LGPL-2.1-or-later
// Counting bytes.
#include "webrtc/echo-asker.h"

namespace vitrine {
namespace {
constexpr size_t kVideoMin = 300;  // audio is smaller
}

int EchoAsker::left(std::span<const uint8_t> packet) {
  // RTP, not RTCP (RFC 5761); its header is in the clear.
  const bool rtp = packet.size() >= 12 && packet[0] >> 6 == 2 && ((packet[1] & 0x7f) < 64 || (packet[1] & 0x7f) > 95);
  if (!rtp)
    return 0;
  if (ended_) {
    ended_ = false;
    frame_ = 0;
  }
  const bool ends = packet[1] & 0x80;
  if (packet.size() < kVideoMin && !ends)
    return 0;
  unasked_ += static_cast<uint32_t>(packet.size());
  frame_ += static_cast<uint32_t>(packet.size());
  ended_ = ends;
  const bool large = frame_ >= 2 * kEveryBytes;
  if (unasked_ < (ends && large ? kEveryBytes / 2 : kEveryBytes))
    return 0;
  unasked_ = 0;
  // Nothing comes behind a frame's end that would make up for a loss.
  return ends && large ? 2 : 1;
}

EchoAsker::Transaction EchoAsker::transaction(uint64_t id) const {
  Transaction out{};
  for (size_t i = 0; i < 8; ++i)
    out[i] = static_cast<uint8_t>((id ^ secret_) >> (8 * i));
  for (size_t i = 8; i < out.size(); ++i)
    out[i] = static_cast<uint8_t>(secret_ >> (8 * (i - 8)));
  return out;
}

std::optional<uint64_t> EchoAsker::answers(const Transaction& transaction) const {
  uint64_t id = 0;
  for (size_t i = 0; i < 8; ++i)
    id |= uint64_t{transaction[i]} << (8 * i);
  id ^= secret_;
  return id > answered_ && id <= asked_ && this->transaction(id) == transaction ? std::optional(id) : std::nullopt;
}

}  // namespace vitrine
