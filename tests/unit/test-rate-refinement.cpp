// SPDX-License-Identifier: LGPL-2.1-or-later
// How often a picture that stands still is encoded again.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "webrtc/rate/refinement.h"

namespace vitrine {
namespace {

constexpr double kPixels = 1280 * 720;
constexpr double kUsual = 30'000;
constexpr size_t kLarge = 20'000, kSame = 300;
constexpr int64_t kTickUs = 50'000, kFrameUs = 33'000, kBegin = 10'000'000;
constexpr unsigned kFramerates[] = {30, 15, 5, 60, 144};

/// An encoder that makes units of these sizes of a source's repeats, eight after each request.
class StillDesktop {
 public:
  explicit StillDesktop(unsigned framerate = 30) : interval_us_(std::max(kFrameUs, int64_t{1'000'000} / framerate)) { refinement_.set_framerate(framerate); }

  /// `sizes`: of one unit after the other; the last one of all that follow. Returns how many units were made within `seconds`.
  int run(std::vector<size_t> sizes, double seconds) {
    int made = 0, left = 9;
    int64_t next = now_;
    for (const int64_t end = now_ + static_cast<int64_t>(seconds * 1e6); now_ < end; now_ += kTickUs) {
      for (; left > 0 && next <= now_; next += interval_us_, --left, ++made)
        last_ = {sizes[std::min<size_t>(static_cast<size_t>(made), sizes.size() - 1)], next, made == 0};
      if (refinement_.wanted(now_, last_, kPixels, kUsual, false)) {
        left = 9;
        next = now_;
      }
    }
    return made;
  }

 private:
  const int64_t interval_us_;
  Refinement refinement_;
  EncodedUnit last_;
  int64_t now_ = kBegin;
};

TEST(Refinement, GoesOnUntilNothingChangesAnyMore) {
  EXPECT_EQ(StillDesktop().run({kSame}, 5), 9) << "the source's own";
  std::vector<size_t> sizes(20, kLarge);
  sizes.push_back(kSame);
  EXPECT_EQ(StillDesktop().run(sizes, 5), 27) << "the burst in which it is sharp is the last";
}

TEST(Refinement, AsksNoSoonerOfASourceOfFewPictures) {
  for (const unsigned framerate : kFramerates) {
    std::vector<size_t> sizes(20, kLarge);
    sizes.push_back(kSame);
    EXPECT_EQ(StillDesktop(framerate).run(sizes, 20), 27) << framerate << " per second";
    EXPECT_EQ(StillDesktop(framerate).run({kLarge}, 90), 9 * (1 + Refinement::kBurstsMost)) << framerate << " per second";
  }
}

TEST(Refinement, EndsWithAnEncoderThatKnowsNoEndAndBeginsAnewWithTheNextChange) {
  StillDesktop desktop;
  EXPECT_EQ(desktop.run({kLarge}, 20), 9 * (1 + Refinement::kBurstsMost));
  EXPECT_EQ(desktop.run({kLarge}, 20), 9 * (1 + Refinement::kBurstsMost));
}

TEST(Refinement, DoesNotDisturbMotionHoweverSlow) {
  Refinement refinement;
  for (const int64_t interval : {kFrameUs, 3 * kFrameUs, 30 * kFrameUs})
    for (int64_t now = kBegin; now < kBegin + 5'000'000; now += interval)
      EXPECT_FALSE(refinement.wanted(now + interval - 1000, {kLarge, now, true}, kPixels, kUsual, false));
}

TEST(Refinement, KnowsAChangeOnAThinPathByWhatThatCarries) {
  Refinement refinement;
  const EncodedUnit small{1500, kBegin, false};
  EXPECT_FALSE(refinement.wanted(kBegin + Refinement::kPauseUs, small, kPixels, 30'000, false));
  EXPECT_TRUE(refinement.wanted(kBegin + Refinement::kPauseUs, small, kPixels, 5'000, false));
}

TEST(Refinement, GoesOnWithAPictureThatWasLeftOut) {
  Refinement refinement;
  const EncodedUnit fresh{kLarge, kBegin, true};
  EXPECT_FALSE(refinement.wanted(kBegin + 200'000, fresh, kPixels, kUsual, false)) << "the source repeats it yet";
  EXPECT_TRUE(refinement.wanted(kBegin + 200'000, fresh, kPixels, kUsual, true));
  EXPECT_FALSE(refinement.wanted(kBegin + 200'000, {kSame, kBegin, true}, kPixels, kUsual, true));
}

TEST(Refinement, WaitsForAFirstUnit) {
  Refinement refinement;
  EXPECT_FALSE(refinement.wanted(kBegin, {}, kPixels, kUsual, false));
}

}  // namespace
}  // namespace vitrine
