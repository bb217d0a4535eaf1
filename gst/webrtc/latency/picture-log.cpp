// SPDX-License-Identifier: LGPL-2.1-or-later
// A ring of pictures.
#include "webrtc/latency/picture-log.h"

namespace vitrine {

void PictureLog::passed(uint64_t running_ns, FrameTimes times) {
  MutexLock lock(mutex_);
  owed_.settle(times);
  entries_[next_] = {running_ns, times};
  next_ = (next_ + 1) % kKept;
}

void PictureLog::left_out(const FrameTimes& times) {
  MutexLock lock(mutex_);
  owed_.left_out(times);
}

void PictureLog::forget() {
  MutexLock lock(mutex_);
  owed_ = {};
}

std::optional<FrameTimes> PictureLog::find(uint64_t running_ns) const {
  MutexLock lock(mutex_);
  for (size_t i = 1; i <= kKept; ++i) {
    const Entry& entry = entries_[(next_ + kKept - i) % kKept];
    if (entry.running_ns == running_ns)
      return entry.times;
  }
  return std::nullopt;
}

}  // namespace vitrine
