// SPDX-License-Identifier: LGPL-2.1-or-later
// Counting repeats.
#include "webrtc/rate/refinement.h"

#include <algorithm>

namespace vitrine {

void Refinement::set_framerate(unsigned framerate) {
  pause_us_ = framerate == 0 ? kPauseUs : std::max(kPauseUs, int64_t{1'500'000} / framerate);
}

bool Refinement::wanted(int64_t now_us, const EncodedUnit& last, double pixels, double usual_bytes, bool released) {
  if (last.at_us - asked_us_ > std::max(kBurstUs, 12 * pause_us_))
    bursts_ = 0;
  // A picture that was left out is new to the encoder whether the source repeats it or not.
  const bool still = released || (!last.fresh && now_us - last.at_us >= pause_us_ && now_us - asked_us_ >= pause_us_);
  const bool sharp = static_cast<double>(last.bytes) < std::min(kBitsPerPixel * pixels / 8, kShare * usual_bytes);
  if (!still || last.at_us == 0 || sharp || bursts_ >= kBurstsMost)
    return false;
  asked_us_ = now_us;
  ++bursts_;
  return true;
}

}  // namespace vitrine
