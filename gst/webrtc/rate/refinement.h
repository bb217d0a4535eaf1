// SPDX-License-Identifier: LGPL-2.1-or-later
// Sharpening what stands still: for as long as encoding the same picture again changes what viewers see. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine {

/// An access unit that came from an encoder.
struct EncodedUnit {
  size_t bytes = 0;
  int64_t at_us = 0;  // 0: none has come yet
  bool fresh = true;  // its picture shows something new; else a source has repeated one
};

/// The source repeats a picture some times after a change. If the last of these was still a large one for the encoder, the picture is not yet as good as
/// the encoder makes it, and more are asked for.
class Refinement {
 public:
  /// No access unit for so long, or for one and a half of the framerate's intervals: the source has ended its repeats.
  static constexpr int64_t kPauseUs = 45'000;
  /// What comes this long after we asked, or 18 intervals, is something new.
  static constexpr int64_t kBurstUs = 600'000;
  /// So often in a row at most, some 6 s: an encoder may know no end.
  static constexpr int kBurstsMost = 20;
  /// A unit says "as before" below so many bits for each pixel, and below this share of what a picture may take at this bitrate: a short one has small
  /// pictures of what changes, too.
  static constexpr double kBitsPerPixel = 0.02, kShare = 0.1;

  /// Whether the picture is to be repeated as after a change. `pixels`: of the desktop; `usual_bytes`: what a picture may take; `released`: the newest picture
  /// was left out, and is sent now. Says so once each time.
  bool wanted(int64_t now_us, const EncodedUnit& last, double pixels, double usual_bytes, bool released);
  /// Pictures per second at most, from the source.
  void set_framerate(unsigned framerate);

 private:
  int64_t pause_us_ = kPauseUs;
  int64_t asked_us_ = 0;
  int bursts_ = 0;
};

}  // namespace vitrine
