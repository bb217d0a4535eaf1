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
    for (const int64_t end = now + 4'000'000; now < end; now += 50'000)
      policy.update(now, viewers, kFullHd, 60, target);
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

TEST(EncoderPolicy, AFrameTakesALinkNoLongerThanItMay) {
  EncoderPolicy policy;
  EncoderTarget target;
  for (int64_t now = 0; now < 4'000'000; now += 50'000) {
    const ViewerDemand viewers[] = {{300e3, 0, true}};
    policy.update(now, viewers, kFullHd, 60, target);
  }
  EXPECT_LE(target.frame_bytes_max * 8, 300e3 * 1.5 / EncoderPolicy::kFramerateMin);
  EXPECT_GT(target.frame_bytes_max * 8, 300e3 * 0.1);
}

TEST(EncoderPolicy, AFrameIsNoLongQueueToThoseBehindIt) {
  const auto frame_s = [](double bps, unsigned framerate) {
    EncoderPolicy policy;
    EncoderTarget target;
    const ViewerDemand viewers[] = {{bps, 0, true}};
    policy.update(1, viewers, kFullHd, framerate, target);
    return target.frame_bytes_max * 8.0 / bps;
  };
  EXPECT_LE(frame_s(20e6, 30), 0.085);
  EXPECT_LE(frame_s(20e6, 60), 0.045);
  EXPECT_GT(frame_s(20e6, 60), 0.035);
  EXPECT_LE(frame_s(20e6, 5), 0.25);
  EXPECT_GT(frame_s(20e6, 5), 0.2) << "a picture has to fit";
  EXPECT_GT(frame_s(1.6e6, 60) * 1.6e6, 0.03 * kFullHd) << "something is to be seen of it";
}

TEST(EncoderPolicy, ADesktopOfFewPicturesStaysWholeWhereTheyFit) {
  EncoderPolicy policy;
  EncoderTarget target;
  const auto at = [&](int64_t from, double bps) {
    const ViewerDemand viewers[] = {{bps, 0, true}};
    for (int64_t now = from; now < from + 4'000'000; now += 50'000)
      policy.update(now, viewers, kFullHd, 5, target);
    return target;
  };
  EXPECT_EQ(at(0, 220e3).scale, 1) << "seven pictures per second fit, and there are five";
  const auto thin = at(4'000'000, 130e3);
  EXPECT_LT(thin.scale, 1);
  EXPECT_EQ(thin.framerate, 5u) << "no more than the desktop has";
}

constexpr double kFits = 30, kThin = 8, kThinner = 5;  // pictures per second that are affordable

TEST(ScaleLadder, TakesTimeBothWays) {
  ScaleLadder ladder(10);
  EXPECT_EQ(ladder.update(1'000'000, kThin), 1);
  EXPECT_EQ(ladder.update(1'900'000, kThin), 1);
  EXPECT_EQ(ladder.update(1'950'000, kFits), 1) << "it was a moment's";
  EXPECT_EQ(ladder.update(2'000'000, kThin), 1);
  EXPECT_EQ(ladder.update(3'000'000, kThin), 0.75);
  EXPECT_EQ(ladder.update(4'000'000, kThinner), 0.75);
  EXPECT_EQ(ladder.update(5'000'000, kThinner), 0.5);
  EXPECT_EQ(ladder.update(6'000'000, 11), 0.5) << "no room to spare for the whole; but for";
  EXPECT_EQ(ladder.update(8'000'000, 11), 0.75) << "the size between";
  EXPECT_EQ(ladder.update(9'000'000, kFits), 0.75);
  EXPECT_EQ(ladder.update(11'000'000, kFits), 1);
}

TEST(ScaleLadder, DoesNotFlap) {
  ScaleLadder ladder(10);
  int changes = 0;
  double last = 1;
  // A link that is fine for 3 s and thin for 3 s, ten minutes long.
  for (int64_t now = 1; now < 600'000'000; now += 50'000) {
    const double scale = ladder.update(now, now / 3'000'000 % 2 ? kFits : kThin);
    changes += scale != last;
    last = scale;
  }
  EXPECT_GE(changes, 1);
  EXPECT_LE(changes, 8);
}

TEST(FullSize, IsKnownWhateverTheScale) {
  FullSize size;
  int64_t now = 0;
  const auto seen = [&](double width, double height, double told) { return size.update(now += 500'000, width * height, told); };
  EXPECT_EQ(seen(1920, 1080, 1), kFullHd);
  EXPECT_EQ(seen(1920, 1080, 0.75), kFullHd) << "not done yet";
  EXPECT_EQ(seen(1440, 810, 0.75), kFullHd);
  EXPECT_EQ(seen(960, 540, 0.5), kFullHd);
  EXPECT_EQ(seen(640, 360, 0.5), 1280 * 720) << "the desktop has another size";
  EXPECT_EQ(seen(1280, 720, 1), 1280 * 720);
  for (int i = 0; i < 10; ++i)
    seen(1280, 720, 0.5);
  EXPECT_EQ(seen(1280, 720, 0.5), 1280 * 720) << "an application that does not scale";
  EXPECT_EQ(seen(800, 600, 0.5), 800 * 600);
}

TEST(FullSize, FindsItsWayBack) {
  FullSize size;
  size.update(1, kFullHd, 1);
  size.update(2, kFullHd / 4, 0.5);
  // Resized in the moment in which the scale came back.
  size.update(3, 1280 * 720, 1);
  EXPECT_EQ(size.update(3 + 2 * FullSize::kSettledUs, 1280 * 720, 1), 1280 * 720);
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
