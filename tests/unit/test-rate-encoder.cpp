// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <random>

#include "webrtc/rate/encoder-policy.h"
#include "webrtc/rate/viewer-rate.h"

namespace vitrine {
namespace {

constexpr double kFullHd = 1920.0 * 1080;

TEST(EncoderPolicy, SlowestViewerCountsWithinBounds) {
  const ViewerDemand fast{20e6, 0, true}, slow{12e6, 0, false}, hopeless{1e6, 0, false};
  EXPECT_EQ(EncoderPolicy::shared_bps({}), 0);
  const ViewerDemand two[] = {fast, slow}, three[] = {fast, slow, hopeless};
  EXPECT_DOUBLE_EQ(EncoderPolicy::shared_bps(two), 12e6);
  EXPECT_DOUBLE_EQ(EncoderPolicy::shared_bps(three), 10e6) << "half of what the holder's path carries";
  ViewerDemand holder_slow[] = {{20e6, 0, false}, {2e6, 0, true}};
  EXPECT_DOUBLE_EQ(EncoderPolicy::shared_bps(holder_slow), 2e6) << "the holder works with it";
}

TEST(EncoderPolicy, WhatIsLostIsSentAgain) {
  const ViewerDemand lossy[] = {{10e6, 0.1, true}};
  EXPECT_DOUBLE_EQ(EncoderPolicy::shared_bps(lossy), 9e6);
}

TEST(EncoderPolicy, FirstQualityThenFramerateThenScaleAndBack) {
  EncoderPolicy policy;
  EncoderTarget target;
  int64_t now = 0;
  double last_kbit = 1e9;
  unsigned last_framerate = 1000;
  double last_scale = 1;
  const auto at = [&](double bps) {
    const ViewerDemand viewers[] = {{bps, 0, true}};
    policy.update(now += 1'000'000, viewers, kFullHd, 60, target);
    return target;
  };
  EXPECT_EQ(at(20e6).framerate, 0u) << "no bound";
  for (const double bps : {20e6, 5e6, 2.5e6, 1.5e6, 1e6, 600e3, 350e3, 250e3}) {
    const auto now_target = at(bps);
    EXPECT_LT(now_target.bitrate_kbit, last_kbit);
    const unsigned framerate = now_target.framerate == 0 ? 60 : now_target.framerate;
    EXPECT_LE(framerate, last_framerate);
    EXPECT_LE(now_target.scale, last_scale);
    EXPECT_TRUE(now_target.scale == 1 || framerate == EncoderPolicy::kFramerateMin) << "scale comes last";
    last_kbit = now_target.bitrate_kbit;
    last_framerate = framerate;
    last_scale = now_target.scale;
  }
  EXPECT_LT(last_scale, 1);
  EXPECT_EQ(at(20e6).scale, 1);
  EXPECT_EQ(at(20e6).framerate, 0u);
}

TEST(EncoderPolicy, DoesNotTellEveryWhim) {
  EncoderPolicy policy;
  EncoderTarget target;
  int told = 0;
  for (int i = 0; i < 1000; ++i) {
    const ViewerDemand viewers[] = {{8e6 * (1 + 0.01 * (i % 3)), 0, true}};
    told += policy.update(i * 50'000, viewers, kFullHd, 60, target);
  }
  EXPECT_EQ(told, 1);
  const ViewerDemand fallen[] = {{4e6, 0, true}};
  EXPECT_TRUE(policy.update(1000 * 50'000 - 49'999, fallen, kFullHd, 60, target)) << "a fall at once";
}

std::vector<uint8_t> packet(uint16_t sequence, uint32_t timestamp, uint32_t ssrc) {
  const auto byte = [](uint32_t value, int shift) { return static_cast<uint8_t>(value >> shift); };
  return {0x90, 96, 0, 1, byte(timestamp, 24), byte(timestamp, 16), byte(timestamp, 8), byte(timestamp, 0), byte(ssrc, 24), byte(ssrc, 16),
          byte(ssrc, 8), byte(ssrc, 0), 0xbe, 0xde, 0, 2, 0x52, 0, 0, 0, 0x31, byte(sequence, 8), byte(sequence, 0), 0};
}

TEST(TransportSequence, IsFoundAmongOtherExtensions) {
  EXPECT_EQ(transport_sequence(packet(0x1234, 5, 7), 3), 0x1234);
  EXPECT_EQ(transport_sequence(packet(0x1234, 5, 7), 4), std::nullopt);
  auto other = packet(1, 5, 7);
  other[0] = 0x80;
  EXPECT_EQ(transport_sequence(other, 3), std::nullopt) << "no extension";
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    auto noise = packet(1, 5, 7);
    noise.resize(random() % (noise.size() + 1));
    for (int j = 0; j < 3 && !noise.empty(); ++j)
      noise[random() % noise.size()] = static_cast<uint8_t>(random());
    transport_sequence(noise, 3);
  }
}

TEST(ViewerRate, LogsFramesAsTheyLeave) {
  ViewerRate rate({300e3, 4e6, 50e6});
  rate.set_video(7, 3);
  for (uint16_t i = 0; i < 6; ++i)
    rate.packet_left(packet(i, 100u + i / 3u, 7), 1200, 1000 * i);
  rate.packet_left(packet(6, 55, 8), 200, 9000);  // another stream
  const auto frames = rate.frames();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].packets, 3u);
  EXPECT_EQ(frames[1].bytes, 3600u);
  EXPECT_EQ(frames[1].last_us - frames[1].first_us, 2000);
}

}  // namespace
}  // namespace vitrine
