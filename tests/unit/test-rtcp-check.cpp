// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/rtcp-check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace vitrine {
namespace {

std::vector<uint8_t> packet(uint8_t type, uint8_t count, std::vector<uint8_t> body) {
  std::vector<uint8_t> out(4 + body.size());
  out[0] = static_cast<uint8_t>(0x80 | count);
  out[1] = type;
  out[2] = static_cast<uint8_t>(body.size() / 4 >> 8);
  out[3] = static_cast<uint8_t>(body.size() / 4);
  std::copy(body.begin(), body.end(), out.begin() + 4);
  return out;
}
std::vector<uint8_t> zeros(size_t n) { return std::vector<uint8_t>(n, 0); }

/// Feedback about `count` packets in one run of `symbol`, with `deltas` bytes of deltas.
std::vector<uint8_t> transport_wide(uint16_t count, uint8_t symbol, size_t deltas) {
  std::vector<uint8_t> body = zeros(8);
  body.insert(body.end(), {0, 1, static_cast<uint8_t>(count >> 8), static_cast<uint8_t>(count), 0, 0, 0, 0});
  const uint16_t chunk = static_cast<uint16_t>(symbol << 13 | count);
  body.insert(body.end(), {static_cast<uint8_t>(chunk >> 8), static_cast<uint8_t>(chunk)});
  body.resize(body.size() + deltas);
  body.resize((body.size() + 3) & ~size_t{3});
  return packet(205, 15, body);
}

TEST(Rtcp, SoundPacketsPass) {
  EXPECT_TRUE(rtcp_is_sound(packet(200, 0, zeros(24))));
  EXPECT_TRUE(rtcp_is_sound(packet(201, 1, zeros(28))));
  EXPECT_TRUE(rtcp_is_sound(packet(206, 1, zeros(8))));   // PLI
  EXPECT_TRUE(rtcp_is_sound(packet(205, 1, zeros(12))));  // NACK
  EXPECT_TRUE(rtcp_is_sound(packet(203, 1, zeros(4))));
  EXPECT_TRUE(rtcp_is_sound(packet(202, 1, {0, 0, 0, 1, 1, 2, 'a', 'b', 0, 0, 0, 0})));
  EXPECT_TRUE(rtcp_is_sound(transport_wide(10, 1, 10)));
  auto compound = packet(201, 0, zeros(4));
  const auto pli = packet(206, 1, zeros(8));
  compound.insert(compound.end(), pli.begin(), pli.end());
  EXPECT_TRUE(rtcp_is_sound(compound));
}

TEST(Rtcp, FeedbackWithFewerDeltasThanItClaimsIsRefused) {
  EXPECT_FALSE(rtcp_is_sound(transport_wide(1000, 1, 10)));
  EXPECT_FALSE(rtcp_is_sound(transport_wide(100, 2, 100)));
  EXPECT_TRUE(rtcp_is_sound(transport_wide(1000, 0, 0)));
}

// A report block, description, feedback and goodbye as Chromium sends them.
TEST(Rtcp, ACompoundOfABrowserPasses) {
  const std::vector<std::vector<uint8_t>> parts = {
      packet(201, 1, {0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 2, 0, 0, 3, 0, 0, 0x1f, 0x90, 0, 0, 0, 9, 0xaa, 0xbb, 0xcc, 0xdd, 0, 1, 0, 0}),
      packet(202, 2, {0, 0, 0, 1, 1, 3, 'a', 'b', 'c', 0, 0, 0, 0, 0, 0, 2, 1, 4, 'a', 'b', 'c', 'd', 0, 0}),
      packet(205, 1, {0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 0x1f, 0x8a, 0, 5}),
      packet(206, 1, {0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78}),
      packet(206, 4, {0, 0, 0, 1, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 7, 0, 0, 0}),
      packet(206, 15, {0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1, 2, 3, 4, 0x12, 0x34, 0x56, 0x78}),
      packet(207, 0, {0, 0, 0, 1, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8}),
      packet(204, 1, {0, 0, 0, 1, 'n', 'a', 'm', 'e', 1, 2, 3, 4}),
      packet(203, 1, {0, 0, 0, 1, 3, 'b', 'y', 'e'}),
  };
  std::vector<uint8_t> compound;
  for (const auto& part : parts) {
    EXPECT_TRUE(rtcp_is_sound(part)) << static_cast<int>(part[1]);
    compound.insert(compound.end(), part.begin(), part.end());
  }
  EXPECT_TRUE(rtcp_is_sound(compound));
  // Cut anywhere but between two parts, it is refused.
  std::vector<size_t> ends;
  size_t end = 0;
  for (const auto& part : parts)
    ends.push_back(end += part.size());
  for (size_t size = 0; size < compound.size(); ++size)
    EXPECT_EQ(rtcp_is_sound(std::span(compound).first(size)), std::find(ends.begin(), ends.end(), size) != ends.end()) << size;
}

TEST(Rtcp, CountsBeyondTheLengthAreRefused) {
  EXPECT_FALSE(rtcp_is_sound(packet(203, 2, {0, 0, 0, 1})));
  EXPECT_FALSE(rtcp_is_sound(packet(203, 1, {0, 0, 0, 1, 4, 'b', 'y', 'e'}))) << "a reason that is too long";
  EXPECT_FALSE(rtcp_is_sound(packet(202, 3, {0, 0, 0, 1, 1, 2, 'a', 'b', 0, 0, 0, 0})));
  EXPECT_FALSE(rtcp_is_sound(packet(202, 1, {0, 0, 0, 1, 1, 2, 'a', 'b'}))) << "no end of the items";
  EXPECT_FALSE(rtcp_is_sound(packet(202, 1, {0, 0, 0, 1, 0, 0, 0, 1, 1})));
  EXPECT_FALSE(rtcp_is_sound(packet(204, 0, zeros(4))));
  EXPECT_FALSE(rtcp_is_sound(packet(205, 15, zeros(12))));
  EXPECT_FALSE(rtcp_is_sound(packet(206, 1, zeros(4))));
  EXPECT_TRUE(rtcp_is_sound(packet(202, 0, {})));
  auto version = packet(203, 0, {});
  version[0] = 0x40;
  EXPECT_FALSE(rtcp_is_sound(version));
}

TEST(Rtcp, PaddingIsAllowedAtTheEndOnly) {
  auto padded = packet(201, 0, {0, 0, 0, 1, 0, 0, 0, 4});
  padded[0] |= 0x20;
  EXPECT_TRUE(rtcp_is_sound(padded));
  for (const uint8_t wrong : {0, 3, 5, 8, 12, 255}) {
    auto other = padded;
    other.back() = wrong;
    EXPECT_FALSE(rtcp_is_sound(other)) << static_cast<int>(wrong);
  }
  auto followed = padded;
  followed.insert(followed.end(), padded.begin(), padded.end());
  EXPECT_FALSE(rtcp_is_sound(followed));
}

TEST(Rtcp, FeedbackByVectorsOfSymbolsIsCounted) {
  const auto feedback = [](uint16_t count, std::vector<uint8_t> rest) {
    std::vector<uint8_t> body = zeros(8);
    body.insert(body.end(), {0, 1, static_cast<uint8_t>(count >> 8), static_cast<uint8_t>(count), 0, 0, 0, 0});
    body.insert(body.end(), rest.begin(), rest.end());
    return packet(205, 15, body);
  };
  // 14 one-bit symbols, all received: 14 deltas.
  EXPECT_TRUE(rtcp_is_sound(feedback(14, {0xbf, 0xff, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})));
  EXPECT_FALSE(rtcp_is_sound(feedback(14, {0xbf, 0xff, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})));
  // 7 two-bit symbols, all with large deltas: 14 bytes.
  EXPECT_TRUE(rtcp_is_sound(feedback(7, {0xea, 0xaa, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})));
  EXPECT_FALSE(rtcp_is_sound(feedback(7, {0xea, 0xaa, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})));
  // Symbols beyond the count do not matter.
  EXPECT_TRUE(rtcp_is_sound(feedback(2, {0xbf, 0xff, 1, 1})));
  EXPECT_FALSE(rtcp_is_sound(feedback(20, {0xbf, 0xff, 1, 1}))) << "chunks are missing";
  EXPECT_FALSE(rtcp_is_sound(feedback(3, {0x20, 0x00, 1, 1}))) << "a run of none";
}

TEST(Rtcp, WrongLengthsAreRefused) {
  EXPECT_FALSE(rtcp_is_sound({}));
  EXPECT_FALSE(rtcp_is_sound(zeros(4)));
  EXPECT_FALSE(rtcp_is_sound(packet(200, 1, zeros(24))));
  EXPECT_FALSE(rtcp_is_sound(packet(201, 5, zeros(28))));
  EXPECT_FALSE(rtcp_is_sound(packet(202, 1, {0, 0, 0, 1, 1, 200, 'a', 'b'})));
  auto cut = packet(201, 1, zeros(28));
  cut.resize(cut.size() - 4);
  EXPECT_FALSE(rtcp_is_sound(cut));
  auto padded = packet(201, 0, zeros(4));
  padded[0] |= 0x20;
  EXPECT_FALSE(rtcp_is_sound(padded));
}

TEST(Rtcp, SurvivesNoise) {
  std::mt19937 random(4);
  for (int round = 0; round < 50000; ++round) {
    auto noise = random() % 2 ? transport_wide(20, 1, 20) : packet(static_cast<uint8_t>(200 + random() % 8), random() % 32, zeros(4 * (random() % 20)));
    for (int i = 0; i < 4; ++i)
      noise[random() % noise.size()] = static_cast<uint8_t>(random());
    rtcp_is_sound(noise);
  }
}

}  // namespace
}  // namespace vitrine
