// SPDX-License-Identifier: LGPL-2.1-or-later
// Capacity from packet trains.
#include "webrtc/rate/capacity-meter.h"

#include <algorithm>

namespace vitrine {

void CapacityMeter::add(int64_t now_us, uint32_t bytes, int64_t span_us, int64_t sent_span_us) {
  if (bytes < kTrainMin || span_us < 0 || sent_span_us < 0)
    return;
  trains_.push_back({now_us, span_us, bytes, span_us > sent_span_us + std::max<int64_t>(500, sent_span_us / 8)});
  while (trains_.size() > kTrainsMax || now_us - trains_.front().at_us > kWindowUs)
    trains_.pop_front();
}

bool CapacityMeter::known() const {
  uint64_t bytes = 0;
  int64_t span_us = 0;
  for (const auto& train : trains_) {
    bytes += train.bytes;
    span_us += train.span_us;
  }
  return bytes >= kBytesMin || (bytes >= kTrainMin && span_us >= 4 * kSpanMinUs);
}

double CapacityMeter::bps() const {
  double span_us = 0, bytes = 0;
  for (const auto& train : trains_) {
    span_us += static_cast<double>(train.span_us);
    bytes += train.bytes;
  }
  return bytes * 8e6 / std::max<double>(span_us, kSpanMinUs);
}

bool CapacityMeter::exact() const {
  double stretched = 0, all = 1;
  for (const auto& train : trains_) {
    all += train.bytes;
    if (train.stretched)
      stretched += train.bytes;
  }
  return stretched > all / 2;
}

}  // namespace vitrine
