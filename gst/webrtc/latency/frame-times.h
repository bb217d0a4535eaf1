// SPDX-License-Identifier: LGPL-2.1-or-later
// What the server knows of a frame's age, in monotonic µs. Pure.
#pragma once

#include <cstdint>

namespace vitrine {

struct FrameTimes {
  int64_t capture_us = 0;  // when all of the picture was on the screen as it is shown; 0: unknown
  int64_t picture_us = 0;  // when it reached the encoder; 0: unknown
  int64_t encoded_us = 0;  // when the encoder had handed it out
  bool fresh = true;       // it shows something new; also true where the source does not tell
  bool damage_known = false;  // the source tells
};

/// New content that was left out on the way, until a later frame shows it: that one counts as fresh, and as old as what it shows.
class OwedContent {
 public:
  void left_out(const FrameTimes& times) {
    if (times.fresh)
      capture_us_ = times.capture_us;
  }
  void settle(FrameTimes& times) {
    if (capture_us_ != 0 && !times.fresh) {
      times.fresh = true;
      times.capture_us = capture_us_;
    }
    capture_us_ = 0;
  }

 private:
  int64_t capture_us_ = 0;
};

}  // namespace vitrine
