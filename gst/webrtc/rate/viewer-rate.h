// SPDX-License-Identifier: LGPL-2.1-or-later
// What one viewer's path carries: packets as they leave and feedback as it comes, for the controller.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "common/mutex.h"
#include "webrtc/rate/copy-choice.h"
#include "webrtc/rate/frame-feedback.h"
#include "webrtc/rate/rate-controller.h"
#include "webrtc/rate/send-log.h"

namespace vitrine {

/// One video frame as it left.
struct SentFrame {
  uint32_t rtp_timestamp = 0, packets = 0, bytes = 0;
  int64_t first_us = 0, last_us = 0;
};

/// Thread-safe. All times are monotonic µs.
class ViewerRate {
 public:
  /// Frames that the log keeps: four seconds at 60 per second.
  static constexpr size_t kFramesMax = 240;
  /// Acknowledgements of so long are one feedback.
  static constexpr int64_t kToldUs = 30'000;
  /// Chromium asks for a keyframe when it has seen no frame for 3 s, whether there was one or not.
  static constexpr int64_t kStillUs = 2'000'000;
  /// A path that is full for longer than this needs frames left out.
  static constexpr int64_t kStuckUs = 400'000;

  explicit ViewerRate(const RateLimits& limits) : controller_(make_rate_control(limits)) {}
  void set_limits(const RateLimits& limits);
  /// The video stream, and the id of the transport-wide sequence number in its one-byte header extensions.
  void set_video(uint32_t ssrc, uint8_t extension_id);

  /// The audio stream, which has no transport-wide numbers: its loss is what receiver reports say.
  void set_audio(uint32_t ssrc);

  // RTP:
  /// An (S)RTP packet leaves; `head` begins with its header. Whatever has no transport-wide sequence number is passed over.
  void packet_left(std::span<const uint8_t> head, uint32_t size, int64_t now_us);
  /// Padding is about to leave: so many packets of this stream, from this RTP sequence number on. It tells what the path carries, as a frame does.
  void padding_leaves(uint32_t ssrc, uint16_t sequence, uint32_t packets);
  /// Compound RTCP that came in, decrypted.
  void rtcp_came(std::span<const uint8_t> rtcp, int64_t now_us);
  /// No frame left for kStillUs, and all that left since `since_us` has arrived: a browser that asks for a keyframe now only waits for a picture.
  bool still_and_whole(int64_t since_us, int64_t now_us) const;
  // Anything else, as WebSocket frames:
  /// `now_us` is what its Delivery says of when it was sent.
  void left(uint32_t size, int64_t now_us);
  /// Feedback may be of a single frame: the controller is told of those of kToldUs together.
  void told(std::span<const Delivery> deliveries, int64_t now_us);
  /// Feedback on packets, which somebody else has matched with them; in the order of sending.
  void reported(std::span<const Delivery> deliveries, int64_t now_us);

  /// Questions that the viewer answers at once.
  void asked(uint64_t id, uint32_t bytes, int64_t now_us);
  void answered(uint64_t id, int64_t now_us);
  /// What is about to leave had better wait.
  bool late(int64_t now_us) const;

  /// Every 50 ms or so.
  void tick(int64_t now_us);
  double target_bps() const;
  /// In how long the packets of a frame of `bits` are to leave.
  int64_t spread_us(double bits) const;
  /// The path holds as much as it should.
  bool full(int64_t now_us) const;
  /// It has been so for kStuckUs.
  bool stuck(int64_t now_us) const;
  std::optional<RateProbe> probe(int64_t now_us);
  RateFacts facts() const;
  /// The share of packets, 0..1, that get lost, as far as it concerns sound.
  double sound_loss() const;
  /// How many copies are to go with a retransmission: a browser that does not know the round trip asks again only after 100 ms. None while a queue
  /// stands, which they would lengthen.
  size_t repair_copies(int64_t now_us);
  /// The share of what is sent, 0..1, that goes into repairs.
  double repair_share(int64_t now_us);
  /// Of any kind.
  FeedbackStatistics feedback() const;
  /// The frames that left of late, oldest first.
  std::vector<SentFrame> frames() const;

 private:
  void tell(int64_t now_us) REQUIRES(mutex_);

  mutable Mutex mutex_;
  const std::unique_ptr<RateControl> controller_ PT_GUARDED_BY(mutex_);
  SendLog log_ GUARDED_BY(mutex_);
  std::deque<SentFrame> frames_ GUARDED_BY(mutex_);
  CopyChoice repairs_ GUARDED_BY(mutex_);
  FrameFeedback frame_feedback_ GUARDED_BY(mutex_);
  std::vector<Delivery> told_ GUARDED_BY(mutex_);
  int64_t told_us_ GUARDED_BY(mutex_) = 0;  // when the controller was told last
  int64_t lost_us_ GUARDED_BY(mutex_) = 0;  // when the newest packet left that got lost
  uint64_t taken_ GUARDED_BY(mutex_) = 0;   // feedback that did not go through log_
  mutable int64_t full_since_us_ GUARDED_BY(mutex_) = 0;
  struct Padding {
    uint32_t ssrc = 0, packets = 0;
    uint16_t sequence = 0;
    uint64_t frame = 0;
  };
  uint64_t frame_ GUARDED_BY(mutex_) = 0;        // the newest number
  uint64_t video_frame_ GUARDED_BY(mutex_) = 0;  // that of frames_.back()
  Padding padding_ GUARDED_BY(mutex_);
  uint32_t ssrc_ GUARDED_BY(mutex_) = 0, audio_ssrc_ GUARDED_BY(mutex_) = 0;
  double audio_loss_ GUARDED_BY(mutex_) = 0;
  uint8_t extension_id_ GUARDED_BY(mutex_) = 0;
};

/// The 16-bit value of a one-byte header extension (RFC 8285) in the RTP packet that `head` begins; nothing if it has none.
std::optional<uint16_t> transport_sequence(std::span<const uint8_t> head, uint8_t extension_id);

}  // namespace vitrine
