// SPDX-License-Identifier: LGPL-2.1-or-later
// One viewer's packets and feedback.
#include "webrtc/rate/viewer-rate.h"

#include <algorithm>

#include "webrtc/rate/report-loss.h"

namespace vitrine {
namespace {
uint32_t read32(const uint8_t* data) { return uint32_t{data[0]} << 24 | uint32_t{data[1]} << 16 | uint32_t{data[2]} << 8 | data[3]; }
}  // namespace

std::optional<uint16_t> transport_sequence(std::span<const uint8_t> head, uint8_t extension_id) {
  if (head.size() < 12 || head[0] >> 6 != 2 || !(head[0] & 0x10))
    return std::nullopt;
  size_t at = 12 + size_t{4} * (head[0] & 0x0f);
  if (head.size() < at + 4 || head[at] != 0xbe || head[at + 1] != 0xde)
    return std::nullopt;
  const size_t end = std::min(head.size(), at + 4 + size_t{4} * static_cast<size_t>(head[at + 2] << 8 | head[at + 3]));
  for (at += 4; at < end;) {
    const uint8_t id = head[at] >> 4;
    if (id == 0) {
      ++at;
      continue;
    }
    const size_t size = size_t{1} + (head[at] & 0x0f);
    if (id == 15 || at + 1 + size > end)
      return std::nullopt;
    if (id == extension_id && size == 2)
      return static_cast<uint16_t>(head[at + 1] << 8 | head[at + 2]);
    at += 1 + size;
  }
  return std::nullopt;
}

void ViewerRate::set_limits(const RateLimits& limits) {
  MutexLock lock(mutex_);
  controller_->set_limits(limits);
}

void ViewerRate::set_video(uint32_t ssrc, uint8_t extension_id) {
  MutexLock lock(mutex_);
  ssrc_ = ssrc;
  extension_id_ = extension_id;
}

void ViewerRate::packet_left(std::span<const uint8_t> head, uint32_t size, int64_t now_us) {
  MutexLock lock(mutex_);
  const auto sequence = transport_sequence(head, extension_id_);
  if (!sequence)
    return;
  const uint32_t timestamp = read32(&head[4]);
  const uint32_t ssrc = read32(&head[8]);
  uint64_t frame = 0;
  if (ssrc == ssrc_) {
    if (frames_.empty() || frames_.back().rtp_timestamp != timestamp) {
      video_frame_ = ++frame_;
      frames_.push_back({timestamp, 0, 0, now_us, now_us});
      if (frames_.size() > kFramesMax)
        frames_.pop_front();
    }
    SentFrame& sent = frames_.back();
    ++sent.packets;
    sent.bytes += size;
    sent.last_us = now_us;
    frame = video_frame_;
  } else if (ssrc == padding_.ssrc && static_cast<uint16_t>((head[2] << 8 | head[3]) - padding_.sequence) < padding_.packets) {
    frame = padding_.frame;
  }
  log_.sent(*sequence, frame, size, now_us);
  controller_->sent(now_us, size);
}

void ViewerRate::padding_leaves(uint32_t ssrc, uint16_t sequence, uint32_t packets) {
  MutexLock lock(mutex_);
  padding_ = {ssrc, packets, sequence, ++frame_};
}

void ViewerRate::rtcp_came(std::span<const uint8_t> rtcp, int64_t now_us) {
  find_twcc(rtcp, [&](std::span<const uint8_t> fci) {
    MutexLock lock(mutex_);
    const auto deliveries = log_.take(fci, now_us);
    for (const Delivery& delivery : deliveries)
      if (delivery.lost())
        lost_us_ = std::max(lost_us_, delivery.sent_us);
    controller_->feedback(now_us, deliveries);
  });
  MutexLock lock(mutex_);
  if (const auto loss = reported_loss(rtcp, audio_ssrc_); loss && audio_ssrc_ != 0)
    audio_loss_ = *loss;
}

bool ViewerRate::still_and_whole(int64_t since_us, int64_t now_us) const {
  MutexLock lock(mutex_);
  return !frames_.empty() && now_us - frames_.back().last_us > kStillUs && lost_us_ < since_us && log_.all_told(since_us);
}

void ViewerRate::set_audio(uint32_t ssrc) {
  MutexLock lock(mutex_);
  audio_ssrc_ = ssrc;
}

double ViewerRate::sound_loss() const {
  MutexLock lock(mutex_);
  return std::max(audio_loss_, controller_->facts().loss);
}

size_t ViewerRate::repair_copies(int64_t now_us) {
  MutexLock lock(mutex_);
  const RateFacts facts = controller_->facts();
  const size_t copies = repairs_.copies(facts.loss, now_us);
  return facts.queue_us > RateController::kQueueMinUs || controller_->full(now_us) ? 0 : copies;
}

double ViewerRate::repair_share(int64_t now_us) {
  MutexLock lock(mutex_);
  const double loss = controller_->facts().loss;
  return loss * static_cast<double>(1 + repairs_.copies(loss, now_us));
}

void ViewerRate::left(uint32_t size, int64_t now_us) {
  MutexLock lock(mutex_);
  controller_->sent(now_us, size);
}

void ViewerRate::told(std::span<const Delivery> deliveries, int64_t now_us) {
  MutexLock lock(mutex_);
  frame_feedback_.add(deliveries, now_us, told_);
  if (now_us - told_us_ >= kToldUs)
    tell(now_us);
}

void ViewerRate::reported(std::span<const Delivery> deliveries, int64_t now_us) {
  MutexLock lock(mutex_);
  taken_ += !deliveries.empty();
  controller_->feedback(now_us, deliveries);
}

void ViewerRate::tell(int64_t now_us) {
  if (told_.empty())
    return;
  told_us_ = now_us;
  ++taken_;
  controller_->feedback(now_us, told_);
  told_.clear();
}

void ViewerRate::asked(uint64_t id, uint32_t bytes, int64_t now_us) {
  MutexLock lock(mutex_);
  controller_->asked(now_us, id, bytes);
}

void ViewerRate::answered(uint64_t id, int64_t now_us) {
  MutexLock lock(mutex_);
  controller_->answered(now_us, id);
}

bool ViewerRate::late(int64_t now_us) const {
  MutexLock lock(mutex_);
  return controller_->late(now_us);
}

void ViewerRate::tick(int64_t now_us) {
  MutexLock lock(mutex_);
  tell(now_us);
  controller_->tick(now_us);
}

double ViewerRate::target_bps() const {
  MutexLock lock(mutex_);
  return controller_->target_bps();
}

int64_t ViewerRate::spread_us(double bits) const {
  MutexLock lock(mutex_);
  return controller_->spread_us(bits);
}

bool ViewerRate::full(int64_t now_us) const {
  MutexLock lock(mutex_);
  const bool full = controller_->full(now_us);
  if (!full)
    full_since_us_ = 0;
  else if (full_since_us_ == 0)
    full_since_us_ = now_us;
  return full;
}

bool ViewerRate::stuck(int64_t now_us) const {
  if (!full(now_us))
    return false;
  MutexLock lock(mutex_);
  return full_since_us_ != 0 && now_us - full_since_us_ > kStuckUs;
}

std::optional<RateProbe> ViewerRate::probe(int64_t now_us) {
  MutexLock lock(mutex_);
  return controller_->probe(now_us);
}

RateFacts ViewerRate::facts() const {
  MutexLock lock(mutex_);
  return controller_->facts();
}

FeedbackStatistics ViewerRate::feedback() const {
  MutexLock lock(mutex_);
  FeedbackStatistics statistics = log_.statistics();
  statistics.taken += taken_;
  return statistics;
}

std::vector<SentFrame> ViewerRate::frames() const {
  MutexLock lock(mutex_);
  return {frames_.begin(), frames_.end()};
}

}  // namespace vitrine
