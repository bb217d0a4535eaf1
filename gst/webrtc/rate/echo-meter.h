// SPDX-License-Identifier: LGPL-2.1-or-later
// How late the answers are to what a viewer answers at once: tells of a queue a round trip after it has begun, where feedback takes its interval
// longer. Pure.
#pragma once

#include <cstdint>
#include <deque>

#include "webrtc/rate/queue-meter.h"

namespace vitrine {

class EchoMeter {
 public:
  static constexpr size_t kAskedMax = 256;
  /// Who has not answered for so long does not answer.
  static constexpr int64_t kPatienceUs = 1'000'000;

  /// A question leaves behind `own_us` of a frame's time on the link.
  void asked(int64_t now_us, uint64_t id, int64_t own_us);
  /// Its answer is there. Of one that was not asked, or had an answer: nothing.
  void answered(int64_t now_us, uint64_t id);
  /// Feedback tells of what was sent until then: it knows more than questions of that time do.
  void told(int64_t sent_us);

  /// How much longer than on an empty path the answers take that have come, or are still to come, since the last feedback. 0 where none ever came.
  int64_t late_us(int64_t now_us) const;
  /// What is usual.
  int64_t noise_us() const { return static_cast<int64_t>(noise_us_); }

 private:
  struct Asked {
    uint64_t id;
    int64_t sent_us, own_us;
  };
  std::deque<Asked> asked_;
  WindowedMinimum base_{QueueMeter::kBaseWindowUs, 10};
  int64_t answered_us_ = 0, told_us_ = 0;
  int64_t last_sent_us_ = 0, last_late_us_ = 0;  // of the last answer
  double noise_us_ = 1000;
};

}  // namespace vitrine
