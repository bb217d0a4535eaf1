// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/files/download-rate.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr int64_t kTickUs = 50'000;

/// A path of so many bytes per second that files share with a picture, whose packets tell of the queue two ticks later.
struct Path {
  double capacity, picture;
  DownloadRate rate;
  int64_t now_us = 0;
  double queued = 0, longest_us = 0, fetched = 0;
  uint64_t feedback = 0;
  double seen_us[2] = {0, 0};

  void run(double seconds, bool telling = true) {
    longest_us = fetched = 0;
    for (double t = 0; t < seconds; t += 0.05) {
      now_us += kTickUs;
      const double got = std::min(rate.bytes_per_second(), capacity) * 0.05;
      fetched += got;
      queued = std::max(0.0, queued + got + picture * 0.05 - capacity * 0.05);
      const double queue_us = 1e6 * queued / capacity;
      longest_us = std::max(longest_us, queue_us);
      rate.tick(now_us, static_cast<int64_t>(seen_us[0]), telling ? ++feedback : feedback, got / 0.05);
      seen_us[0] = seen_us[1];
      seen_us[1] = queue_us;
    }
  }
};

TEST(DownloadRate, NothingIsHeldBackWhereThereIsNoQueue) {
  DownloadRate rate;
  for (int i = 1; i < 600; ++i)
    rate.tick(i * kTickUs, 2'000, static_cast<uint64_t>(i), rate.bytes_per_second());
  EXPECT_EQ(rate.bytes_per_second(), DownloadRate::kMost);
  // Nothing is fetched any more: the next one starts as the first did.
  rate.tick(600 * kTickUs, 2'000, 600, 0);
  EXPECT_LT(rate.bytes_per_second(), 1.1 * DownloadRate::kStart);
}

TEST(DownloadRate, OnANarrowPathThePictureHasItsPart) {
  Path path{.capacity = 500e3, .picture = 200e3};
  path.run(20);
  path.run(20);
  EXPECT_LT(path.longest_us, 60'000);
  EXPECT_GT(path.fetched / 20, 0.5 * 300e3) << "and the file more than half of the rest";
}

TEST(DownloadRate, AFullPathLeavesALittle) {
  Path path{.capacity = 500e3, .picture = 600e3};
  path.run(20);
  EXPECT_EQ(path.rate.bytes_per_second(), DownloadRate::kLeast);
}

TEST(DownloadRate, WhatIsNotHeardOfIsForgotten) {
  Path path{.capacity = 500e3, .picture = 600e3};
  path.run(20);
  // The picture stands still: nothing tells that the queue is gone.
  path.picture = 0;
  path.run(20, false);
  EXPECT_GT(path.rate.bytes_per_second(), 500e3);
}

}  // namespace
}  // namespace vitrine
