// SPDX-License-Identifier: LGPL-2.1-or-later
// Hold time per frame.
#include "webrtc/hold-meter.h"

#include <algorithm>
#include <optional>

namespace vitrine {
namespace {

/// Payload type and sequence number of a packet with the marker bit (RFC 3550 §5.1); nothing for others and for RTCP (RFC 5761 §4).
std::optional<uint32_t> marker_key(std::span<const uint8_t> rtp) {
  if (rtp.size() < 12 || rtp[0] >> 6 != 2 || !(rtp[1] & 0x80))
    return std::nullopt;
  const uint8_t payload_type = rtp[1] & 0x7f;
  if (payload_type >= 64 && payload_type < 96)
    return std::nullopt;
  return static_cast<uint32_t>(payload_type) << 16 | static_cast<uint32_t>(rtp[2]) << 8 | rtp[3];
}

}  // namespace

void HoldMeter::entered(std::span<const uint8_t> rtp, int64_t now_us) {
  const auto key = marker_key(rtp);
  if (!key)
    return;
  MutexLock lock(mutex_);
  entries_[next_entry_] = {*key, now_us};
  next_entry_ = (next_entry_ + 1) % entries_.size();
}

void HoldMeter::left(std::span<const uint8_t> rtp, int64_t now_us) {
  const auto key = marker_key(rtp);
  if (!key)
    return;
  MutexLock lock(mutex_);
  for (auto& entry : entries_) {
    if (entry.at_us == 0 || entry.key != *key)
      continue;
    const double held_s = static_cast<double>(now_us - entry.at_us) / 1e6;
    entry = {};
    ++count_;
    sum_s_ += held_s;
    if (kept_.size() < kKept)
      kept_.push_back(held_s);
    else
      kept_[next_kept_] = held_s;
    next_kept_ = (next_kept_ + 1) % kKept;
    return;
  }
}

HoldMeter::Quantiles HoldMeter::quantiles() const {
  std::vector<double> sorted;
  Quantiles result;
  {
    MutexLock lock(mutex_);
    sorted = kept_;
    result.count = count_;
    result.sum_s = sum_s_;
  }
  if (sorted.empty())
    return result;
  std::sort(sorted.begin(), sorted.end());
  result.p50_s = sorted[sorted.size() / 2];
  result.p95_s = sorted[sorted.size() * 95 / 100];
  return result;
}

}  // namespace vitrine
