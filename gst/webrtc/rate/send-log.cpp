// SPDX-License-Identifier: LGPL-2.1-or-later
// Matches feedback with what was sent.
#include "webrtc/rate/send-log.h"

#include <algorithm>
#include <cstdlib>

namespace vitrine {

void SendLog::sent(uint16_t sequence, uint64_t frame, uint32_t size, int64_t now_us) {
  const int64_t full = sequences_.take(sequence);
  const int64_t next = first_ + static_cast<int64_t>(packets_.size());
  if (packets_.empty() || full > next + static_cast<int64_t>(kPacketsMax)) {
    packets_.clear();
    first_ = full;
  } else if (full < next) {
    return;  // a sequence number that was used before
  } else {
    // Numbers that we did not see leave: never to be matched.
    for (int64_t skipped = next; skipped < full; ++skipped)
      packets_.push_back({0, 0, 0, 0, State::told});
  }
  packets_.push_back({frame, now_us, 0, size, State::flying});
  while (packets_.size() > kPacketsMax) {
    packets_.pop_front();
    ++first_;
  }
}

SendLog::Packet* SendLog::find(int64_t sequence) {
  const int64_t index = sequence - first_;
  return index >= 0 && index < static_cast<int64_t>(packets_.size()) ? &packets_[static_cast<size_t>(index)] : nullptr;
}

bool SendLog::all_told(int64_t since_us) const {
  return std::all_of(packets_.begin(), packets_.end(),
                     [since_us](const Packet& packet) { return packet.state == State::told || packet.sent_us < since_us; });
}

std::vector<Delivery> SendLog::take(std::span<const uint8_t> fci, int64_t now_us) {
  std::vector<Delivery> result;
  const auto feedback = parse_twcc(fci);
  if (!feedback) {
    ++statistics_.malformed;
    return result;
  }
  if (packets_.empty()) {
    statistics_.unknown += feedback->packets.size();
    return result;
  }
  const int64_t reference_us = references_.peek(feedback->reference) * 64'000;
  if (last_feedback_us_ != 0 &&
      std::llabs((reference_us - last_arrival_us_) - (now_us - last_feedback_us_)) > kClockStepMaxUs) {
    ++statistics_.absurd;
    // Once may be forged; a clock that was really set will say so again, and then be believed.
    last_arrival_us_ = reference_us;
    last_feedback_us_ = now_us;
    references_.take(feedback->reference);
    return result;
  }
  bool news = false;
  for (const auto& status : feedback->packets) {
    Packet* packet = find(sequences_.peek(status.sequence));
    if (!packet) {
      ++statistics_.unknown;
    } else if (packet->state == State::told) {
      ++statistics_.replayed;
    } else if (status.received) {
      packet->state = State::told;
      result.push_back({packet->frame, packet->size, packet->sent_us, reference_us + status.arrival_us});
      news = true;
    } else if (packet->state == State::flying) {
      packet->state = State::missing;
      packet->missing_us = now_us;
      news = true;
    }
  }
  if (!news)
    return result;
  ++statistics_.taken;
  references_.take(feedback->reference);
  last_arrival_us_ = reference_us;
  last_feedback_us_ = now_us;
  for (auto& packet : packets_) {
    if (packet.state == State::missing && now_us - packet.missing_us > kReorderUs) {
      packet.state = State::told;
      result.push_back({packet.frame, packet.size, packet.sent_us, Delivery::kLost});
    }
  }
  while (packets_.size() > 1 && packets_.front().state == State::told) {
    packets_.pop_front();
    ++first_;
  }
  std::stable_sort(result.begin(), result.end(), [](const Delivery& a, const Delivery& b) { return a.sent_us < b.sent_us; });
  return result;
}

}  // namespace vitrine
