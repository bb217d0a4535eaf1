// SPDX-License-Identifier: LGPL-2.1-or-later
// What may be on its way by WebSocket, with a clock turned by hand; and parameter sets of H.264.
#include "webrtc/ws-window.h"

#include <gtest/gtest.h>

#include "webrtc/ws-parameter-sets.h"

namespace vitrine {
namespace {

constexpr int64_t kMs = 1000;

struct Path {
  WsWindow window;
  uint32_t id = 0;
  std::vector<Delivery> deliveries;

  bool send(uint32_t size, int64_t now_us, FrameKind kind = FrameKind::video) {
    if (!window.admits(size, now_us))
      return false;
    ++id;
    window.sent({kind, true, id, nonce(id), 0, 0, size}, now_us);
    return true;
  }
  static uint32_t nonce(uint32_t of) { return of * 2654435761u; }
  bool ack(uint32_t of, int64_t now_us, uint32_t received_us = 0, uint16_t queue = 0) {
    const FrameAck ack{of, nonce(of), received_us, queue};
    return window.acknowledged({&ack, 1}, now_us, deliveries);
  }
};

TEST(WsWindow, StopsAtTheBytesAndGoesOnWhenTheyAreGone) {
  Path path;
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(path.send(1024 * 1024, 0));
  EXPECT_FALSE(path.send(1, 0));
  EXPECT_EQ(path.window.bytes(), WsWindow::kBytesMax);
  for (uint32_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(path.ack(i, 10 * kMs));
    EXPECT_FALSE(path.send(1, 10 * kMs)) << "not before it has caught up";
  }
  EXPECT_TRUE(path.ack(4, 10 * kMs));
  EXPECT_TRUE(path.send(1, 10 * kMs));
}

TEST(WsWindow, OneFrameMayBeLargerThanTheWindow) {
  Path path;
  EXPECT_TRUE(path.send(8 * 1024 * 1024, 0));
  EXPECT_FALSE(path.send(1, 0));
  EXPECT_TRUE(path.ack(1, kMs));
  EXPECT_TRUE(path.send(1, kMs));
}

TEST(WsWindow, AQueueOnTheWayIsTimeNotBytes) {
  Path path;
  ASSERT_TRUE(path.send(100, 0));
  ASSERT_TRUE(path.ack(1, 40 * kMs));
  EXPECT_EQ(path.window.round_trip_us(), 40 * kMs);
  ASSERT_TRUE(path.send(20'000, 100 * kMs));
  ASSERT_TRUE(path.send(100, 280 * kMs)) << "40 ms are the path's own";
  EXPECT_FALSE(path.send(100, 300 * kMs));
  EXPECT_TRUE(path.ack(2, 310 * kMs));
  EXPECT_TRUE(path.send(100, 310 * kMs)) << "little is on the way now";
}

TEST(WsWindow, ALongPathIsNotASlowOne) {
  Path path;
  int64_t now_us = 0;
  uint32_t acknowledged = 0;
  // 600 ms there and back, 30 frames per second.
  for (; now_us < 3'000 * kMs; now_us += 33 * kMs) {
    EXPECT_TRUE(path.send(1000, now_us)) << now_us;
    while ((acknowledged + 1) <= path.id && static_cast<int64_t>(acknowledged) * 33 * kMs + 600 * kMs <= now_us)
      ASSERT_TRUE(path.ack(++acknowledged, now_us));
  }
}

TEST(WsWindow, ADecoderThatIsBehindGetsNothing) {
  Path path;
  ASSERT_TRUE(path.send(100, 0));
  ASSERT_TRUE(path.send(100, 0));
  ASSERT_TRUE(path.ack(1, kMs, 0, WsWindow::kDecodeQueue + 1));
  EXPECT_FALSE(path.send(100, kMs));
  ASSERT_TRUE(path.ack(2, 2 * kMs, 0, WsWindow::kDecodeQueue + 1));
  EXPECT_TRUE(path.send(100, 3 * kMs)) << "nobody would ever say that it has caught up";
}

TEST(WsWindow, AViewerThatNeverAnswersGetsABoundedNumberOfFrames) {
  Path path;
  size_t sent = 0;
  for (int64_t now_us = 0; now_us < 60'000 * kMs; now_us += 16 * kMs)
    sent += path.send(1000, now_us);
  EXPECT_LE(sent, 75u);  // the first second and a bit
  EXPECT_GT(path.window.age_us(60'000 * kMs), 50'000 * kMs);
}

TEST(WsWindow, MadeUpAcknowledgementsAreFoundOut) {
  const FrameAck unknown{1, 0, 0, 0};
  Path path;
  std::vector<Delivery> none;
  EXPECT_FALSE(path.window.acknowledged({&unknown, 1}, 0, none)) << "nothing was sent";
  ASSERT_TRUE(path.send(100, 0));
  ASSERT_TRUE(path.send(100, 0));
  const FrameAck guessed{1, Path::nonce(1) + 1, 0, 0};
  EXPECT_FALSE(path.window.acknowledged({&guessed, 1}, 0, none));
  EXPECT_FALSE(path.ack(2, 0)) << "the first one comes first";
  EXPECT_TRUE(path.ack(1, 0));
  EXPECT_FALSE(path.ack(1, 0)) << "once";
  EXPECT_EQ(path.deliveries.size(), 1u);
}

TEST(WsWindow, RateControlHearsOfEveryFrame) {
  Path path;
  ASSERT_TRUE(path.send(500, 1000));
  ASSERT_TRUE(path.send(100, 2000, FrameKind::audio));
  ASSERT_TRUE(path.send(700, 3000));
  // The viewer's clock goes over its end.
  ASSERT_TRUE(path.ack(1, 9000, 0xfffffff0u));
  ASSERT_TRUE(path.ack(2, 9000, 0xfffffffau));
  ASSERT_TRUE(path.ack(3, 9000, 10));
  ASSERT_EQ(path.deliveries.size(), 3u);
  EXPECT_EQ(path.deliveries[0].frame, 1u);
  EXPECT_EQ(path.deliveries[1].frame, 0u) << "audio";
  EXPECT_EQ(path.deliveries[2].frame, 2u);
  EXPECT_EQ(path.deliveries[2].size, 700u);
  EXPECT_EQ(path.deliveries[2].sent_us, 3000);
  EXPECT_EQ(path.deliveries[1].arrived_us - path.deliveries[0].arrived_us, 10);
  EXPECT_EQ(path.deliveries[2].arrived_us - path.deliveries[0].arrived_us, 26);
}

TEST(WsWindow, TheViewersClockGoesOnThroughHoursOfStillness) {
  Path path;
  constexpr int64_t kMinute = 60'000 * kMs, kOffset = 123'456'789;  // between the clocks
  int64_t now_us = kMinute;
  for (const int64_t pause_us : {int64_t{0}, 30 * kMinute, 40 * kMinute, 71 * kMinute, 72 * kMinute, 600 * kMinute}) {
    now_us += pause_us;
    ASSERT_TRUE(path.send(100, now_us));
    // Its clock is a little faster.
    ASSERT_TRUE(path.ack(path.id, now_us + 30 * kMs, static_cast<uint32_t>(now_us + 10 * kMs + kOffset + now_us / 20'000)));
  }
  for (size_t i = 1; i < path.deliveries.size(); ++i) {
    const Delivery &before = path.deliveries[i - 1], &after = path.deliveries[i];
    const int64_t sent_us = after.sent_us - before.sent_us;
    EXPECT_EQ(after.arrived_us - before.arrived_us, sent_us + after.sent_us / 20'000 - before.sent_us / 20'000) << i;
  }
}

using Bytes = std::vector<uint8_t>;

TEST(ParameterSets, AreKeptAndPutBeforeAKeyframeWithout) {
  ParameterSets sets;
  const Bytes bare{0, 0, 0, 1, 0x65, 9, 9};
  EXPECT_TRUE(sets.missing(bare).empty()) << "none are known";
  const Bytes full{0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65, 4};
  EXPECT_TRUE(sets.missing(full).empty());
  const Bytes kept = sets.missing(bare);
  // The zero before a start code of four bytes belongs to nobody.
  EXPECT_EQ(kept, (Bytes{0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3}));
  for (const Bytes& odd : {Bytes{}, Bytes{0, 0, 1}, Bytes{0, 0, 1, 0x67}, Bytes{1, 2, 3}})
    sets.missing(odd);
  EXPECT_EQ(sets.missing(bare), kept);
}

}  // namespace
}  // namespace vitrine
