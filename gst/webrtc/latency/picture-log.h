// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures on their way through an encoder, so that what comes out can be told what went in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/mutex.h"
#include "webrtc/latency/frame-times.h"

namespace vitrine {

/// Thread-safe.
class PictureLog {
 public:
  /// Pictures that are remembered: more than any low-latency encoder holds.
  static constexpr size_t kKept = 64;

  /// A picture goes into the encoder; `running_ns` is its running time, which encoders keep.
  void passed(uint64_t running_ns, FrameTimes times);
  /// A picture is not encoded.
  void left_out(const FrameTimes& times);
  /// Nobody waits for what was left out until now.
  void forget();
  std::optional<FrameTimes> find(uint64_t running_ns) const;

 private:
  struct Entry {
    uint64_t running_ns = UINT64_MAX;
    FrameTimes times;
  };
  mutable Mutex mutex_;
  std::array<Entry, kKept> entries_ GUARDED_BY(mutex_);
  size_t next_ GUARDED_BY(mutex_) = 0;
  OwedContent owed_ GUARDED_BY(mutex_);
};

}  // namespace vitrine
