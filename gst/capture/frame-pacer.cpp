// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame budget.
#include "capture/frame-pacer.h"

#include <algorithm>

namespace vitrine {

void FramePacer::reset() {
  has_frame_ = false;
  allowed_ = {};
  refines_left_ = 0;
}

FramePacer::Step FramePacer::next(Time now, bool changed, bool requested) const {
  if (!has_frame_)
    return {Action::kCapture, {}, false};
  if (changed && now >= allowed_)
    return {Action::kCapture, {}, false};
  if (requested)
    return {Action::kRepeat, {}, false};
  if (changed)
    return {Action::kWait, allowed_, false};
  std::optional<Time> due;
  if (refines_left_ > 0)
    due = last_ + std::max(settings_.refine_interval, settings_.interval);
  else if (settings_.idle_interval.count() > 0)
    due = last_ + settings_.idle_interval;
  if (due && now >= *due)
    return {Action::kRepeat, {}, false};
  return {Action::kWait, due, true};
}

void FramePacer::captured(Time now) {
  // Half an interval may be borrowed from the next one, so that a source that runs at just this rate is not
  // held back by its own jitter; over time the rate stays within the budget.
  allowed_ = std::max(allowed_ + settings_.interval, now + settings_.interval / 2);
  has_frame_ = true;
  last_ = now;
  refines_left_ = settings_.refine_frames;
}

void FramePacer::repeated(Time now, bool requested) {
  // Repeats take nothing from the budget: a change right after one must not wait for it.
  last_ = now;
  if (!requested && refines_left_ > 0)
    refines_left_--;
}

}  // namespace vitrine
