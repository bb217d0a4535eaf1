// SPDX-License-Identifier: LGPL-2.1-or-later
// What a viewer's packets and feedback, byte by byte, come to.
#include "webrtc/rate/viewer-rate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vitrine {
namespace {

constexpr uint32_t kVideo = 7, kRtx = 8;
constexpr uint8_t kExtension = 3;
constexpr double kLinkBps = 20e6;

uint8_t byte(uint64_t value, int shift) { return static_cast<uint8_t>(value >> shift); }

/// A desktop on which little happens, behind a link; told of as browsers do.
class Session {
 public:
  Session() { rate_.set_video(kVideo, kExtension); }

  /// Small frames, ten per second, until a probe is due. Its size; 0 if none is until `until_us`.
  uint32_t run(int64_t until_us) {
    for (; now_us_ < until_us; now_us_ += 1000) {
      if (now_us_ % 50'000 == 0) {
        tell();
        rate_.tick(now_us_);
        if (const auto probe = rate_.probe(now_us_))
          return probe->bytes;
      }
      if (now_us_ % 100'000 == 0)
        send(kVideo, ++media_sequence_, 400);
    }
    return 0;
  }
  void send(uint32_t ssrc, uint16_t sequence, uint32_t size) {
    const uint32_t timestamp = static_cast<uint32_t>(now_us_);
    const std::vector<uint8_t> head = {0x90, 96, byte(sequence, 8), byte(sequence, 0), byte(timestamp, 24), byte(timestamp, 16), byte(timestamp, 8),
                                       byte(timestamp, 0), byte(ssrc, 24), byte(ssrc, 16), byte(ssrc, 8), byte(ssrc, 0), 0xbe, 0xde, 0, 1,
                                       kExtension << 4 | 1, byte(transport_sequence_, 8), byte(transport_sequence_, 0), 0};
    ++transport_sequence_;
    rate_.packet_left(head, size, now_us_);
    free_us_ = std::max(free_us_, now_us_) + static_cast<int64_t>(size * 8e6 / kLinkBps);
    arrived_us_.push_back(free_us_ + 10'000);
  }
  ViewerRate& rate() { return rate_; }

 private:
  void tell() {
    if (arrived_us_.empty())
      return;
    const size_t count = arrived_us_.size();
    const uint16_t base = static_cast<uint16_t>(transport_sequence_ - count);
    const int64_t reference = arrived_us_.front() / 64'000;
    // One run of large deltas.
    std::vector<uint8_t> fci = {byte(base, 8), byte(base, 0), byte(count, 8), byte(count, 0), byte(static_cast<uint64_t>(reference), 16),
                                byte(static_cast<uint64_t>(reference), 8), byte(static_cast<uint64_t>(reference), 0), 0,
                                static_cast<uint8_t>(0x40 | count >> 8), byte(count, 0)};
    int64_t ticks = reference * 256;
    for (const int64_t at_us : arrived_us_) {
      const auto delta = static_cast<uint64_t>(at_us / 250 - ticks);
      ticks = at_us / 250;
      fci.push_back(byte(delta, 8));
      fci.push_back(byte(delta, 0));
    }
    arrived_us_.clear();
    const size_t odd = fci.size() % 4;
    if (odd != 0) {
      fci.resize(fci.size() + 4 - odd);
      fci.back() = static_cast<uint8_t>(4 - odd);
    }
    std::vector<uint8_t> rtcp = {static_cast<uint8_t>(odd ? 0xaf : 0x8f), 205, 0, static_cast<uint8_t>(2 + fci.size() / 4), 0, 0, 0, 1, 0, 0, 0, 7};
    rtcp.insert(rtcp.end(), fci.begin(), fci.end());
    rate_.rtcp_came(rtcp, now_us_);
  }

  ViewerRate rate_{RateLimits{300e3, 4e6, 50e6}};
  int64_t now_us_ = 1'000'000, free_us_ = 0;
  uint16_t transport_sequence_ = 0, media_sequence_ = 0;
  std::vector<int64_t> arrived_us_;
};

TEST(ViewerRate, PaddingTellsWhatThePathCarries) {
  Session session;
  const uint32_t bytes = session.run(20'000'000);
  ASSERT_GT(bytes, 0u);
  const double before_bps = session.rate().target_bps();
  EXPECT_EQ(session.rate().facts().capacity_bps, 0) << "small frames tell nothing";
  const auto packets = static_cast<uint16_t>(bytes / 1200 + 1);
  session.rate().padding_leaves(kRtx, 65534, packets);
  for (uint16_t i = 0; i < packets; ++i)
    session.send(kRtx, static_cast<uint16_t>(65534 + i), 1200);
  session.run(25'000'000);
  EXPECT_NEAR(session.rate().facts().capacity_bps, kLinkBps, 0.1 * kLinkBps);
  EXPECT_GT(session.rate().target_bps(), before_bps);
}

TEST(ViewerRate, WhatIsSentAgainIsNoTrain) {
  Session session;
  ASSERT_GT(session.run(20'000'000), 0u);
  session.rate().padding_leaves(kRtx, 100, 10);
  for (uint16_t i = 0; i < 10; ++i)
    session.send(kRtx, static_cast<uint16_t>(50 + i), 1200);
  session.run(24'000'000);
  EXPECT_EQ(session.rate().facts().capacity_bps, 0);
}

TEST(ViewerRate, KnowsAStillDesktopOfWhichNothingIsMissing) {
  Session session;
  session.run(2'000'000);
  session.send(kVideo, 1000, 400);
  session.run(2'050'001);  // and tells
  const int64_t last_us = 2'000'000, long_after_us = last_us + 2 * ViewerRate::kStillUs;
  ViewerRate& rate = session.rate();
  EXPECT_FALSE(rate.still_and_whole(1'000'000, last_us + 100'000)) << "it moves";
  EXPECT_TRUE(rate.still_and_whole(1'000'000, long_after_us));
  session.send(kVideo, 1001, 400);
  EXPECT_FALSE(rate.still_and_whole(1'000'000, long_after_us)) << "nobody knows whether the last one has come";
}

TEST(ViewerRate, CountsFeedbackOfEachKind) {
  const Delivery delivery{1, 1000, 1'000'000, 1'010'000};
  ViewerRate frames({300e3, 8e6, 50e6}), packets({300e3, 8e6, 50e6});
  frames.told({&delivery, 1}, 1'020'000);
  EXPECT_EQ(frames.feedback().taken, 1u) << "acknowledgements of frames";
  packets.reported({&delivery, 1}, 1'020'000);
  EXPECT_EQ(packets.feedback().taken, 1u) << "what rtpsession has matched";
  packets.reported({}, 1'030'000);
  EXPECT_EQ(packets.feedback().taken, 1u);
  Session session;
  session.run(2'000'000);
  EXPECT_GE(session.rate().feedback().taken, 9u) << "and transport-wide feedback";
}

TEST(ViewerRate, WhatIsSentAgainGoesWithCopiesWherePacketsGetLostAndNoQueueStands) {
  ViewerRate rate(RateLimits{});
  int64_t now_us = 1'000'000;
  uint64_t frame = 0;
  // Fifty pictures per second of four packets, one packet in `lost_every` lost, behind a queue.
  const auto run = [&](int64_t us, unsigned lost_every, int64_t queue_us) {
    for (const int64_t end_us = now_us + us; now_us < end_us; now_us += 20'000) {
      std::vector<Delivery> deliveries;
      ++frame;
      for (unsigned i = 0; i < 4; ++i) {
        const bool lost = lost_every != 0 && (frame * 4 + i) % lost_every == 0;
        deliveries.push_back({frame, 1200, now_us, lost ? Delivery::kLost : now_us + 10'000 + queue_us + i * 500});
        rate.left(1200, now_us);
      }
      rate.reported(deliveries, now_us + 20'000 + queue_us);
    }
  };
  run(3'000'000, 0, 0);
  EXPECT_EQ(rate.repair_copies(now_us), 0u);
  EXPECT_EQ(rate.repair_share(now_us), 0);
  run(3'000'000, 20, 0);
  EXPECT_EQ(rate.repair_copies(now_us), 2u);
  EXPECT_NEAR(rate.repair_share(now_us), 3 * 0.05, 0.02) << "what the encoder is not told to fill";
  run(400'000, 20, 60'000);
  EXPECT_EQ(rate.repair_copies(now_us), 0u) << "losses of a full path are not to be made more";
}

TEST(CopyChoice, FollowsLossAndForgetsItSlowly) {
  CopyChoice choice;
  EXPECT_EQ(choice.copies(0.005, 0), 0u);
  EXPECT_EQ(choice.copies(0.02, 1), 1u);
  EXPECT_EQ(choice.copies(0.05, 2), 2u);
  EXPECT_EQ(choice.copies(0, 3), 2u);
  EXPECT_EQ(choice.copies(0.02, 2 + CopyChoice::kHoldUs), 1u);
  EXPECT_EQ(choice.copies(0, 3 + CopyChoice::kHoldUs), 1u);
  EXPECT_EQ(choice.copies(0, 2 + 2 * CopyChoice::kHoldUs), 0u);
}

}  // namespace
}  // namespace vitrine
