// SPDX-License-Identifier: LGPL-2.1-or-later
// RED around Opus: bytes by RFC 2198, its way through SDP, and when it is wanted.
#include <gtest/gtest.h>

#include <random>

#include "webrtc/audio-red.h"

namespace vitrine {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes packet(uint16_t sequence, uint32_t timestamp, const Bytes& payload, uint8_t type = kOpusPayload) {
  Bytes bytes = {0x80, type, static_cast<uint8_t>(sequence >> 8), static_cast<uint8_t>(sequence), static_cast<uint8_t>(timestamp >> 24),
                 static_cast<uint8_t>(timestamp >> 16), static_cast<uint8_t>(timestamp >> 8), static_cast<uint8_t>(timestamp), 1, 2, 3, 4};
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

TEST(RedPacker, CarriesWhatWentBefore) {
  RedPacker packer;
  EXPECT_FALSE(packer.pack(packet(1, 1000, {0xa1, 0xa2}), 2)) << "nothing went before";
  const auto second = packer.pack(packet(2, 1480, {0xb1}), 2);
  ASSERT_TRUE(second);
  // 480 << 10 | 2 bytes.
  EXPECT_EQ(*second, (Bytes{0x80, 63, 0, 2, 0, 0, 0x05, 0xc8, 1, 2, 3, 4, 0x80 | 111, 0x07, 0x80, 0x02, 111, 0xa1, 0xa2, 0xb1}));
  const auto third = packer.pack(packet(3, 1960, {0xc1}), 2);
  ASSERT_TRUE(third);
  EXPECT_EQ(Bytes(third->begin() + 12, third->end()),
            (Bytes{0x80 | 111, 0x0f, 0x00, 0x02, 0x80 | 111, 0x07, 0x80, 0x01, 111, 0xa1, 0xa2, 0xb1, 0xc1}));
  const auto fourth = packer.pack(packet(4, 2440, {0xd1}), 1);
  ASSERT_TRUE(fourth);
  EXPECT_EQ(Bytes(fourth->begin() + 12, fourth->end()), (Bytes{0x80 | 111, 0x07, 0x80, 0x01, 111, 0xc1, 0xd1})) << "one copy is the newest";
  EXPECT_FALSE(packer.pack(packet(5, 2920, {0xe1}), 0));
}

TEST(RedPacker, KeepsMarkerAndHeaderExtensions) {
  RedPacker packer;
  packer.pack(packet(1, 0, {0xa1}), 1);
  Bytes extended = packet(2, 480, {});
  extended[0] |= 0x10;
  extended[1] |= 0x80;
  const Bytes extension = {0xbe, 0xde, 0, 1, 0x30, 7, 0, 0};
  extended.insert(extended.end(), extension.begin(), extension.end());
  extended.push_back(0xb1);
  const auto red = packer.pack(extended, 1);
  ASSERT_TRUE(red);
  EXPECT_EQ((*red)[1], 0x80 | 63);
  EXPECT_EQ(Bytes(red->begin() + 12, red->begin() + 20), extension);
  EXPECT_EQ(red->back(), 0xb1);
}

TEST(RedPacker, LeavesOutWhatDoesNotFit) {
  RedPacker packer;
  packer.pack(packet(1, 0, {0xa1}), 1);
  EXPECT_FALSE(packer.pack(packet(2, RedPacker::kMostAge + 1, {0xb1}), 1)) << "too old";
  EXPECT_FALSE(packer.pack(packet(3, RedPacker::kMostAge + 1, {0xb1}), 1)) << "the same moment";
  packer.pack(packet(4, 20000, Bytes(RedPacker::kMostBytes + 1, 1)), 1);
  EXPECT_FALSE(packer.pack(packet(5, 20480, {0xc1}), 1)) << "a frame that was too large for the length";
  packer.pack(packet(6, 20960, Bytes(1000, 1)), 1);
  EXPECT_FALSE(packer.pack(packet(7, 21440, Bytes(300, 1)), 1)) << "too large a packet";
  const auto across = [&] {
    RedPacker other;
    other.pack(packet(1, 0xffffff00, {0xa1}), 1);
    return other.pack(packet(2, 0xe0, {0xb1}), 1);
  }();
  EXPECT_TRUE(across) << "timestamps wrap";
}

TEST(RedPacker, PassesOverWhatIsNoPacketOfTheStream) {
  RedPacker packer;
  packer.pack(packet(1, 0, {0xa1}), 1);
  EXPECT_FALSE(packer.pack(packet(2, 480, {0xb1}, 96), 1));
  EXPECT_FALSE(packer.pack({}, 1));
  Bytes lying = packet(2, 480, {});
  lying[0] |= 0x0f;
  EXPECT_FALSE(packer.pack(lying, 1)) << "more sources than there are bytes";
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    Bytes noise(random() % 40);
    for (auto& byte : noise)
      byte = static_cast<uint8_t>(random());
    if (noise.size() > 1) {
      noise[0] = static_cast<uint8_t>(0x80 | (noise[0] & 0x1f));
      noise[1] = kOpusPayload;
    }
    const auto red = packer.pack(noise, 2);
    EXPECT_LE(red ? red->size() : 0, RedPacker::kMostPacket);
  }
}

constexpr char kOffer[] =
    "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 x=1\r\n";

TEST(RedInSdp, IsOfferedBehindOpus) {
  EXPECT_EQ(offer_red(kOffer),
            "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=mid:1\r\na=rtpmap:111 OPUS/48000/2\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
            "a=fmtp:111 x=1\r\n");
  EXPECT_EQ(offer_red(offer_red(kOffer)), offer_red(kOffer));
  const std::string no_opus = "v=0\nm=audio 9 X 1110\na=rtpmap:1110 OPUS/48000/2\n";
  EXPECT_EQ(offer_red(no_opus), no_opus);
  EXPECT_EQ(offer_red(""), "");
}

TEST(RedInSdp, IsTakenOutOfTheAnswer) {
  bool taken = false;
  EXPECT_EQ(strip_red(offer_red(kOffer), taken), kOffer);
  EXPECT_TRUE(taken);
  EXPECT_EQ(strip_red(kOffer, taken), kOffer);
  EXPECT_FALSE(taken);
  EXPECT_EQ(strip_red("m=audio 63 X 63 111\na=rtpmap:63 red/48000/2\na=rtpmap:630 y\n", taken), "m=audio 63 X 111\na=rtpmap:630 y\n");
  EXPECT_TRUE(taken);
  strip_red("m=audio 0 X 111 63\n", taken);
  EXPECT_FALSE(taken) << "no sound at all";
  const std::string alone = "m=audio 9 X 63\na=rtpmap:63 red/48000/2\n";
  EXPECT_EQ(strip_red(alone, taken), alone);
  EXPECT_FALSE(taken);
}

}  // namespace
}  // namespace vitrine
