// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/opus-check.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace vitrine {
namespace {

/// A packet with `size` bytes after those given.
std::vector<uint8_t> packet(std::vector<uint8_t> head, size_t size) {
  head.resize(head.size() + size);
  return head;
}
uint8_t toc(unsigned config, unsigned code) { return static_cast<uint8_t>(config << 3 | code); }

TEST(Opus, PacketsOfBrowsersPass) {
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(31, 0)}, 160)));            // CELT 20 ms
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(1, 0)}, 40)));              // SILK 20 ms
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(1, 0)}, 0)));               // nothing was said
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(15, 1)}, 100)));            // two equal frames
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(15, 2), 252, 1}, 300)));    // of 256 and 44 bytes
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(31, 3), 3}, 90)));          // three of 30
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(31, 3), 0x83, 10, 20}, 60)));
  EXPECT_TRUE(opus_packet_is_sound(packet({toc(31, 3), 0x41, 255, 10}, 264 + 20)));  // padding of 264
}

TEST(Opus, FramesThatAreNotThereAreRefused) {
  EXPECT_FALSE(opus_packet_is_sound({}));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 0)}, 1276)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 1)}, 3)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 2)}, 0)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 2), 252}, 0)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 2), 200}, 199)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 3)}, 0)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 3), 0}, 10)));         // no frame
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 3), 7}, 70)));         // 140 ms
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(3, 3), 3}, 30)));          // 180 ms
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 3), 3}, 10)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 3), 0x83, 10, 20}, 29)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 3), 0x41, 255}, 0)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 3), 0x41, 9}, 8)));
  EXPECT_FALSE(opus_packet_is_sound(packet({toc(31, 1)}, 1500)));
}

// With the sanitizers this looks for reads beyond the end.
TEST(Opus, NoiseIsReadWithinItsBounds) {
  std::mt19937 random(1);
  size_t sound = 0;
  for (int i = 0; i < 200000; ++i) {
    std::vector<uint8_t> bytes(random() % 24);
    for (auto& byte : bytes)
      byte = static_cast<uint8_t>(random());
    sound += opus_packet_is_sound(bytes);
  }
  EXPECT_GT(sound, 0U);
  EXPECT_LT(sound, 200000U);
}

}  // namespace
}  // namespace vitrine
