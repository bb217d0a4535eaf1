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
