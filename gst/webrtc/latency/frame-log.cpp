// SPDX-License-Identifier: LGPL-2.1-or-later
// Which frames are measured, and which input they answer.
#include "webrtc/latency/frame-log.h"

#include <algorithm>

namespace vitrine {

void FrameLog::injected(uint32_t sequence, int64_t now_us) {
  MutexLock lock(mutex_);
  if (inputs_.size() == kInputsMax)
    inputs_.pop_front();
  inputs_.push_back({sequence, now_us});
}

/// The first input that was injected before the picture was captured and that no earlier one has answered.
FrameLog::Input FrameLog::answered_by(const FrameTimes& times, int64_t now_us) {
  while (!inputs_.empty() && now_us - inputs_.front().injected_us > kInputUs)
    inputs_.pop_front();
  if (!times.damage_known || !times.fresh || times.capture_us == 0)
    return {};  // a source that repeats itself would answer everything
  if (answer_.capture_us == times.capture_us)
    return answer_.input;
  Input first;
  while (!inputs_.empty() && inputs_.front().injected_us < times.capture_us) {
    if (first.sequence == 0)
      first = inputs_.front();
    inputs_.pop_front();
  }
  if (first.sequence != 0)
    answer_ = {times.capture_us, first};
  return first;
}

void FrameLog::passed(MediaWay way, uint32_t rtp_time, FrameTimes times, int64_t now_us) {
  const auto index = static_cast<size_t>(way);
  MutexLock lock(mutex_);
  owed_[index].settle(times);
  if (!times.fresh || times.capture_us == 0)
    return;
  const Input input = answered_by(times, now_us);
  if (input.sequence == 0 && now_us - measured_us_[index] < kIntervalUs)
    return;
  measured_us_[index] = now_us;
  if (frames_.size() == kFramesMax)
    frames_.pop_front();
  frames_.push_back({{++last_id_, way, rtp_time, times, now_us, 0, input.sequence, input.injected_us}});
}

void FrameLog::left_out(MediaWay way, const FrameTimes& times) {
  MutexLock lock(mutex_);
  owed_[static_cast<size_t>(way)].left_out(times);
}

void FrameLog::sent(MediaWay way, uint32_t rtp_time, int64_t now_us) {
  MutexLock lock(mutex_);
  for (auto entry = frames_.rbegin(); entry != frames_.rend() && entry->state == State::passed; ++entry) {
    if (entry->frame.way == way && entry->frame.rtp_time == rtp_time) {
      entry->frame.sent_us = now_us;
      return;
    }
  }
}

bool FrameLog::due(int64_t now_us) const {
  MutexLock lock(mutex_);
  return std::any_of(frames_.begin(), frames_.end(), [&](const Entry& entry) {
    return entry.state == State::passed && now_us - entry.frame.passed_us >= kSettledUs;
  });
}

std::vector<LoggedFrame> FrameLog::take_due(int64_t now_us, size_t most) {
  MutexLock lock(mutex_);
  std::vector<LoggedFrame> due;
  for (Entry& entry : frames_) {
    if (due.size() == most || now_us - entry.frame.passed_us < kSettledUs)
      break;
    if (entry.state != State::passed)
      continue;
    entry.state = State::told;
    if (entry.frame.sent_us != 0)
      due.push_back(entry.frame);
  }
  std::erase_if(frames_, [&](const Entry& entry) {
    return entry.state == State::told && (entry.frame.sent_us == 0 || now_us - entry.frame.passed_us > kReportUs);
  });
  return due;
}

std::optional<LoggedFrame> FrameLog::take(uint32_t id) {
  MutexLock lock(mutex_);
  const auto found = std::find_if(frames_.begin(), frames_.end(),
                                  [&](const Entry& entry) { return entry.frame.id == id && entry.state == State::told; });
  if (found == frames_.end())
    return std::nullopt;
  const LoggedFrame frame = found->frame;
  frames_.erase(found);
  return frame;
}

}  // namespace vitrine
