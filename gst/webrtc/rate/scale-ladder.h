// SPDX-License-Identifier: LGPL-2.1-or-later
// How much smaller than the desktop a picture is sent. Each change costs a keyframe, so they are few. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vitrine {

class ScaleLadder {
 public:
  static constexpr std::array<double, 3> kScales = {1, 0.75, 0.5};  // of width and height
  static constexpr int64_t kDownUs = 1'000'000;  // for so long it was too much
  static constexpr int64_t kUpUs = 2'000'000;    // for so long there was room, with
  static constexpr double kMargin = 0.8;         // something to spare
  /// Who has to come down again this soon after a rise waits twice as long for the next one.
  static constexpr int64_t kRelapseUs = 15'000'000, kUpMostUs = 60'000'000;

  explicit ScaleLadder(double framerate_min) : framerate_min_(framerate_min) {}

  /// `affordable`: pictures per second, of the desktop's size, that the rate is enough for.
  double update(int64_t now_us, double affordable);
  double scale() const { return kScales[level_]; }

 private:
  bool fits(size_t level, double affordable) const;

  const double framerate_min_;
  size_t level_ = 0;
  int64_t down_since_us_ = 0, up_since_us_ = 0, raised_us_ = 0, patience_us_ = kUpUs;
};

/// The size of the desktop, from pictures that may have been made smaller on the way to us. Pure.
class FullSize {
 public:
  /// So long after the scale was told to be 1 a picture is as large as the desktop, whatever was thought before.
  static constexpr int64_t kSettledUs = 3'000'000;

  /// `pixels` of the encoded picture; the scale that was asked for. Whether it is done is the application's choice.
  double update(int64_t now_us, double pixels, double told);

 private:
  double seen_ = 0, full_ = 0, scale_ = 1, told_ = 1;
  int64_t told_us_ = 0;
};

}  // namespace vitrine
