// SPDX-License-Identifier: LGPL-2.1-or-later
// When to capture, when to repeat the last picture and when to wait. Pure: the caller brings the time.
#pragma once

#include <chrono>
#include <optional>

namespace vitrine {

class FramePacer {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  using Duration = std::chrono::nanoseconds;

  struct Settings {
    Duration interval{0};         // between captures at least; zero: no limit
    int refine_frames = 0;        // repeats after the last capture
    Duration refine_interval{0};  // between those, unless `interval` is longer
    Duration idle_interval{0};    // between repeats after those; zero: none
  };
  enum class Action { kWait, kCapture, kRepeat };
  struct Step {
    Action action;
    std::optional<Time> until;  // kWait: no longer than this
    bool watch = true;          // kWait: whether a change of the screen should end it
  };

  void configure(const Settings& settings) { settings_ = settings; }
  /// Forgets all frames: the next step is a capture.
  void reset();
  /// `changed`: the screen is not as it was captured last. `requested`: somebody needs a frame now.
  Step next(Time now, bool changed, bool requested) const;
  void captured(Time now);
  void repeated(Time now, bool requested);
  /// The last picture is to be repeated as after a capture.
  void refine() { refines_left_ = settings_.refine_frames; }

 private:
  Settings settings_;
  bool has_frame_ = false;
  Time allowed_{};  // earliest time of the next capture
  Time last_{};     // of any frame
  int refines_left_ = 0;
};

}  // namespace vitrine
