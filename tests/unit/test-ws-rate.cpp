// SPDX-License-Identifier: LGPL-2.1-or-later
// Acknowledgements of WebSocket frames as feedback: a thin link gets a lower bitrate, not a queue and lost frames. Simulated TCP, no clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "webrtc/rate/viewer-rate.h"
#include "webrtc/ws-window.h"

namespace vitrine {
namespace {

constexpr int64_t kPictureUs = 33'000, kSoundUs = 10'000, kOneWayUs = 10'000;

/// A viewer behind a link that loses nothing, keeps all that is sent, and serves one byte after the other: TCP.
class Session {
 public:
  /// The viewer reads frames up to `noise_us` late: a busy machine.
  explicit Session(double link_bps, int64_t noise_us = 0) : link_bps_(link_bps), noise_(0, noise_us) {}

  void set_link(double bps) { link_bps_ = bps; }

  void run(int64_t until_us) {
    for (; now_us_ < until_us; now_us_ += 1000) {
      acknowledge();
      if (now_us_ % 50'000 == 0)
        rate_.tick(now_us_);
      if (now_us_ % kSoundUs == 0)
        send(FrameKind::audio, 120);
      if (now_us_ % kPictureUs == 0) {
        queues_.push_back(std::max<int64_t>(0, free_us_ - now_us_));
        if (rate_.full(now_us_))
          ++held_;
        else
          send(FrameKind::video, static_cast<uint32_t>(rate_.target_bps() / 8 * kPictureUs / 1e6 * spread_(random_)));
      }
    }
  }

  /// Of those since the last time, at the moments of pictures.
  int64_t queue_p95() {
    std::sort(queues_.begin(), queues_.end());
    const int64_t value = queues_[queues_.size() * 95 / 100];
    queues_.clear();
    return value;
  }
  /// Ours and the viewer's clocks are apart by so much more from now on.
  void jump(int64_t us) { offset_us_ += us; }
  double target_bps() const { return rate_.target_bps(); }
  size_t take_refused() { return std::exchange(refused_, 0); }
  size_t take_held() { return std::exchange(held_, 0); }

 private:
  struct Flying {
    FrameAck ack;
    int64_t acknowledged_us;
  };

  void send(FrameKind kind, uint32_t size) {
    if (!window_.admits(size, now_us_)) {
      ++refused_;
      return;
    }
    FrameHeader header{kind, true, ++last_id_, last_id_, 0, 0, size};
    window_.sent(header, now_us_);
    rate_.left(size, now_us_);
    free_us_ = std::max(free_us_, now_us_) + static_cast<int64_t>(size * 8e6 / link_bps_);
    const int64_t received_us = std::max(read_us_, free_us_ + kOneWayUs + noise_(random_));
    read_us_ = received_us;
    flying_.push_back({{last_id_, last_id_, static_cast<uint32_t>(received_us + offset_us_), 0}, received_us + kOneWayUs});
  }

  void acknowledge() {
    for (; !flying_.empty() && flying_.front().acknowledged_us <= now_us_; flying_.pop_front()) {
      std::vector<Delivery> deliveries;
      ASSERT_TRUE(window_.acknowledged({&flying_.front().ack, 1}, now_us_, deliveries));
      rate_.told(deliveries, now_us_);
    }
  }

  double link_bps_;
  std::uniform_int_distribution<int64_t> noise_;
  int64_t now_us_ = 1'000'000, free_us_ = 0, read_us_ = 0, offset_us_ = 3'000'000'000;
  uint32_t last_id_ = 0;
  WsWindow window_;
  ViewerRate rate_{RateLimits{300e3, 8e6, 50e6}};
  std::deque<Flying> flying_;
  std::vector<int64_t> queues_;
  size_t refused_ = 0, held_ = 0;
  std::mt19937 random_{1};
  std::uniform_real_distribution<double> spread_{0.7, 1.3};
};

TEST(WsRate, AThinLinkGetsALowerBitrateAndKeepsASmallQueue) {
  Session session(4e6);
  session.run(4'000'000);
  session.take_refused();
  session.take_held();
  session.queue_p95();
  session.run(14'000'000);
  EXPECT_LT(session.queue_p95(), 60'000);
  EXPECT_LT(session.target_bps(), 4.4e6);
  EXPECT_GT(session.target_bps(), 2.4e6);
  EXPECT_EQ(session.take_refused(), 0u);
  EXPECT_LT(session.take_held(), 60u) << "of 300";
}

TEST(WsRate, ABusyViewerIsNotTakenForAThinLink) {
  Session session(4e6, 25'000);
  session.run(8'000'000);
  session.queue_p95();
  session.run(30'000'000);
  EXPECT_LT(session.queue_p95(), 80'000);
  EXPECT_GT(session.target_bps(), 2.4e6);
  session.set_link(20e6);
  session.run(60'000'000);
  EXPECT_GT(session.target_bps(), 8e6);
  EXPECT_LT(session.queue_p95(), 80'000);
}

TEST(WsRate, FollowsALinkThatChanges) {
  Session session(20e6);
  session.run(9'000'000);
  EXPECT_GT(session.target_bps(), 12e6);
  EXPECT_LT(session.queue_p95(), 60'000);
  session.set_link(4e6);
  session.run(12'000'000);
  session.queue_p95();
  session.run(18'000'000);
  EXPECT_LT(session.queue_p95(), 60'000);
  EXPECT_LT(session.target_bps(), 4.4e6);
  EXPECT_GT(session.target_bps(), 2.0e6);
  session.set_link(20e6);
  session.run(30'000'000);
  EXPECT_GT(session.target_bps(), 10e6);
}

/// A link becomes thin after something has happened to a clock: the rate follows as if nothing had.
void follows_after_a_jump(int64_t jump_us) {
  Session session(20e6);
  session.run(9'000'000);
  ASSERT_GT(session.target_bps(), 12e6);
  session.jump(jump_us);
  session.run(12'000'000);
  EXPECT_GT(session.target_bps(), 10e6) << "nothing has happened to the path";
  session.set_link(4e6);
  session.run(15'000'000);
  session.queue_p95();
  session.run(21'000'000);
  EXPECT_LT(session.queue_p95(), 60'000);
  EXPECT_LT(session.target_bps(), 4.4e6);
  EXPECT_GT(session.target_bps(), 2.0e6);
}

TEST(WsRate, AClockThatIsSetBackBlindsNobody) { follows_after_a_jump(-600'000'000); }
TEST(WsRate, AServerThatWasPausedIsNotALatePath) { follows_after_a_jump(600'000'000); }

TEST(FrameFeedback, AJumpOfAClockIsNoQueue) {
  for (const int64_t jump_us : {int64_t{-3'600'000'000}, int64_t{3'600'000'000}, int64_t{2'000'000}}) {
    FrameFeedback feedback;
    std::vector<Delivery> packets;
    int64_t offset_us = 77'000'000'000;
    for (uint64_t i = 1; i <= 20; ++i) {
      if (i == 11)
        offset_us += jump_us;
      const auto sent_us = static_cast<int64_t>(1'000'000 + i * 33'000);
      const Delivery frame{i, 1000, sent_us, sent_us + 10'000 + offset_us};
      packets.clear();
      feedback.add({&frame, 1}, sent_us + 20'000, packets);
      ASSERT_EQ(packets.size(), 2u);
      EXPECT_EQ(packets[0].arrived_us, frame.arrived_us) << "frame " << i << " came alone, " << jump_us;
      EXPECT_EQ(packets[1].frame, 0u) << "and tells no rate";
      EXPECT_EQ(packets[1].arrived_us, frame.arrived_us);
    }
  }
}

}  // namespace
}  // namespace vitrine
