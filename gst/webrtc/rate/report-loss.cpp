// SPDX-License-Identifier: LGPL-2.1-or-later
// Report blocks of sender and receiver reports.
#include "webrtc/rate/report-loss.h"

namespace vitrine {
namespace {

constexpr uint8_t kSenderReport = 200, kReceiverReport = 201;
constexpr size_t kBlock = 24;

}  // namespace

std::optional<double> reported_loss(std::span<const uint8_t> rtcp, uint32_t ssrc) {
  std::optional<double> loss;
  while (rtcp.size() >= 4 && rtcp[0] >> 6 == 2) {
    const size_t size = 4 + size_t{4} * (size_t{rtcp[2]} << 8 | rtcp[3]);
    if (size > rtcp.size())
      break;
    const auto packet = rtcp.first(size);
    // The reporter's SSRC, and what a sender says of itself.
    size_t at = packet[1] == kSenderReport ? 28 : packet[1] == kReceiverReport ? 8 : size;
    for (unsigned left = packet[0] & 0x1f; left > 0 && at + kBlock <= size; --left, at += kBlock) {
      const uint32_t about = uint32_t{packet[at]} << 24 | uint32_t{packet[at + 1]} << 16 | uint32_t{packet[at + 2]} << 8 | packet[at + 3];
      if (about == ssrc)
        loss = packet[at + 4] / 256.0;
    }
    rtcp = rtcp.subspan(size);
  }
  return loss;
}

}  // namespace vitrine
