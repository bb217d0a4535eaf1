// SPDX-License-Identifier: LGPL-2.1-or-later
// Parser of transport-wide feedback.
#include "webrtc/rate/twcc.h"

namespace vitrine {
namespace {

constexpr uint8_t kRtpFeedback = 205, kTransportWideFormat = 15;
constexpr int64_t kDeltaUs = 250;

uint16_t read16(const uint8_t* data) { return static_cast<uint16_t>(data[0] << 8 | data[1]); }

enum Symbol : unsigned { kMissing, kSmallDelta, kLargeDelta, kReserved };

/// Reads status chunks into one symbol per packet; the number of bytes they took, or nothing.
std::optional<size_t> read_symbols(std::span<const uint8_t> chunks, size_t count, std::vector<uint8_t>& symbols) {
  size_t offset = 0;
  const auto add = [&](unsigned symbol, size_t times) {
    for (; times > 0 && symbols.size() < count; --times)
      symbols.push_back(static_cast<uint8_t>(symbol));
    return symbol != kReserved;
  };
  while (symbols.size() < count) {
    if (chunks.size() - offset < 2)
      return std::nullopt;
    const unsigned chunk = read16(&chunks[offset]);
    offset += 2;
    bool sound = true;
    if (!(chunk & 0x8000)) {
      const size_t run = chunk & 0x1fff;
      sound = run > 0 && add(chunk >> 13 & 3, run);
    } else if (chunk & 0x4000) {
      for (int i = 6; i >= 0; --i)
        sound &= symbols.size() >= count || add(chunk >> (2 * i) & 3, 1);
    } else {
      for (int i = 13; i >= 0; --i)
        add(chunk >> i & 1, 1);
    }
    if (!sound)
      return std::nullopt;
  }
  return offset;
}

}  // namespace

std::optional<TwccFeedback> parse_twcc(std::span<const uint8_t> fci) {
  if (fci.size() < 8)
    return std::nullopt;
  const uint16_t base = read16(&fci[0]);
  const size_t count = read16(&fci[2]);
  if (count == 0 || count > kTwccPacketsMax)
    return std::nullopt;
  TwccFeedback feedback;
  feedback.reference = static_cast<uint32_t>(fci[4] << 16 | fci[5] << 8 | fci[6]);
  feedback.count = fci[7];
  std::vector<uint8_t> symbols;
  symbols.reserve(count);
  const auto taken = read_symbols(fci.subspan(8), count, symbols);
  if (!taken)
    return std::nullopt;
  size_t offset = 8 + *taken;
  int64_t arrival_us = 0;
  feedback.packets.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    TwccStatus status;
    status.sequence = static_cast<uint16_t>(base + i);
    const size_t size = symbols[i] == kSmallDelta ? 1 : symbols[i] == kLargeDelta ? 2 : 0;
    if (fci.size() - offset < size)
      return std::nullopt;
    if (size > 0) {
      status.received = true;
      arrival_us += kDeltaUs * (size == 1 ? fci[offset] : static_cast<int16_t>(read16(&fci[offset])));
      status.arrival_us = arrival_us;
      offset += size;
    }
    feedback.packets.push_back(status);
  }
  return feedback;
}

void find_twcc(std::span<const uint8_t> rtcp, const std::function<void(std::span<const uint8_t>)>& found) {
  while (rtcp.size() >= 4 && rtcp[0] >> 6 == 2) {
    const size_t size = 4 + size_t{4} * read16(&rtcp[2]);
    if (size > rtcp.size())
      return;
    size_t padding = 0;
    if (rtcp[0] & 0x20) {
      padding = rtcp[size - 1];
      if (padding > size - 4)
        return;
    }
    if (rtcp[1] == kRtpFeedback && (rtcp[0] & 0x1f) == kTransportWideFormat && size >= 12 + padding)
      found(rtcp.subspan(12, size - 12 - padding));
    rtcp = rtcp.subspan(size);
  }
}

bool is_only_twcc(std::span<const uint8_t> rtcp) {
  return rtcp.size() >= 12 && rtcp[0] >> 6 == 2 && rtcp[1] == kRtpFeedback && (rtcp[0] & 0x1f) == kTransportWideFormat &&
         rtcp.size() == 4 + size_t{4} * read16(&rtcp[2]);
}

}  // namespace vitrine
