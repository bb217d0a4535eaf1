// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits, candidates, verdicts on encoders, and the chains that the keeper puts together.
#include <gtest/gtest.h>

#include "keeper-limit.h"
#include "keeper-plans.h"

using namespace vitrine;

namespace {

constexpr int64_t kMs = 1000, kSecond = 1'000'000;

/// An encoder as the watch sees it, looked at every 100 ms.
class Watch : public testing::Test {
 protected:
  EncoderWatch::Verdict look() {
    now += 100 * kMs;
    return watch.look(traffic, now);
  }
  /// Looks until it is not well any more; how long that took.
  int64_t until(EncoderWatch::Verdict verdict, uint64_t in_each, int64_t most = 30 * kSecond) {
    const int64_t began = now;
    while (now - began < most) {
      traffic.in += in_each;
      const auto seen = look();
      if (seen != EncoderWatch::Verdict::well)
        return seen == verdict ? now - began : -1;
    }
    return most;
  }
  void work(int looks) {
    for (int i = 0; i < looks; ++i) {
      traffic.in += 3;
      traffic.out += 3;
      EXPECT_EQ(look(), EncoderWatch::Verdict::well);
    }
  }
  void enter() {
    ++traffic.in;
    traffic.entered_us = now;
  }

  EncoderWatch watch;
  EncoderTraffic traffic;
  int64_t now = 50 * kSecond;
};

}  // namespace

TEST(RestartLimit, EndsWhatDiesAtOnceAndWaitsLongerEachTime) {
  RestartLimit limit(5, kSecond, 100 * kMs, 300 * kMs);
  EXPECT_EQ(limit.take(0), 0);
  EXPECT_EQ(limit.take(0), 0);
  EXPECT_EQ(limit.take(0), 100 * kMs);
  EXPECT_EQ(limit.take(0), 200 * kMs);
  EXPECT_EQ(limit.take(0), 300 * kMs);
  EXPECT_EQ(limit.take(kSecond - 1), std::nullopt);
}

TEST(RestartLimit, NeverEndsWhatWorksInBetween) {
  RestartLimit limit(3, kSecond, 100 * kMs, 300 * kMs);
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(limit.take(kSecond), 0) << i;
}

TEST(RestartLimit, ShortWorkAddsUp) {
  RestartLimit limit(3, kSecond, 100 * kMs, 300 * kMs);
  for (int i = 0; i < 12; ++i)
    ASSERT_TRUE(limit.take(900 * kMs)) << i;
  EXPECT_EQ(limit.take(0), std::nullopt) << "but it is less than what was used";
}

TEST(RestartLimit, WorkEarnsNoMoreThanTheStock) {
  RestartLimit limit(2, kSecond, 100 * kMs, 300 * kMs);
  EXPECT_EQ(limit.take(INT64_MAX), 0);
  EXPECT_EQ(limit.take(0), 0);
  EXPECT_EQ(limit.take(-5), std::nullopt);
}

TEST(CandidateChoice, TheNextTakesOverAndTheBetterComesBack) {
  CandidateChoice choice(3);
  EXPECT_EQ(choice.best(0), 0U);
  choice.failed(0, kSecond);
  EXPECT_EQ(choice.best(kSecond), 1U);
  choice.failed(1, 2 * kSecond);
  EXPECT_EQ(choice.best(3 * kSecond), 2U);
  EXPECT_EQ(choice.best(61 * kSecond), 0U) << "after a minute";
  choice.failed(0, 61 * kSecond);
  EXPECT_EQ(choice.best(62 * kSecond), 1U);
  choice.failed(1, 62 * kSecond);
  EXPECT_EQ(choice.best(600 * kSecond), 2U) << "the second rest is longer";
  EXPECT_EQ(choice.best(662 * kSecond), 0U);
}

TEST(CandidateChoice, WhenAllHaveFailedTheOldestFailureIsForgotten) {
  CandidateChoice choice(2);
  choice.failed(0, 5);
  choice.failed(1, 6);
  EXPECT_EQ(choice.best(7), 0U);
  choice.failed(0, 8);
  EXPECT_EQ(choice.best(9), 1U);
}

TEST_F(Watch, AnEncoderThatWorksOrHasNothingToDoIsWell) {
  work(20);
  EXPECT_EQ(until(EncoderWatch::Verdict::hung, 0), 30 * kSecond);
}

TEST_F(Watch, AFrameThatNeverComesOutIsAHang) {
  work(20);
  enter();
  const int64_t took = until(EncoderWatch::Verdict::hung, 0);
  EXPECT_GE(took, EncoderWatch::kPatienceUs);
  EXPECT_LE(took, 800 * kMs);
}

TEST_F(Watch, TheFirstFrameMayTakeLonger) {
  traffic.in = 1;
  traffic.entered_us = now;
  EXPECT_GE(until(EncoderWatch::Verdict::hung, 0), EncoderWatch::kFirstPatienceUs);
}

TEST_F(Watch, ASlowEncoderIsGivenMoreTime) {
  work(5);
  traffic.longest_us = 90 * kMs;
  work(5);
  enter();
  EXPECT_GE(until(EncoderWatch::Verdict::hung, 0), 800 * kMs);
}

TEST_F(Watch, FramesInAndNoneOutIsAStall) {
  work(20);
  const int64_t took = until(EncoderWatch::Verdict::stalled, 3);
  EXPECT_GE(took, EncoderWatch::kPatienceUs);
  EXPECT_LE(took, 900 * kMs);
}

TEST_F(Watch, AnEncoderMayHoldFramesBack) {
  work(20);
  traffic.in += EncoderWatch::kHeld;
  EXPECT_EQ(until(EncoderWatch::Verdict::stalled, 0), 30 * kSecond);
}

TEST_F(Watch, ASuspendedMachineIsNoHang) {
  work(20);
  enter();
  look();
  now += 3600 * kSecond;
  EXPECT_EQ(look(), EncoderWatch::Verdict::well);
}

TEST(KeeperPlans, AChainIsPartedAfterTheCapsOfItsSource) {
  PipelineModel model;
  model.video = {{"ximagesrc", "capture", {}}, {"capsfilter", "", {{"caps", "video/x-raw", ""}}}, {"videoconvert", "", {}},
                 {"x264enc", "encoder", {}}, {"capsfilter", "", {{"caps", "video/x-h264", ""}}}};
  ASSERT_EQ(capture_chain(model).size(), 2U);
  ASSERT_EQ(encode_chain(model).size(), 3U);
  EXPECT_EQ(encode_chain(model)[0].factory, "videoconvert");
  EXPECT_TRUE(same_elements(capture_chain(model), capture_chain(model)));
  PipelineModel other = model;
  other.video[1].properties[0].value = "video/x-raw,format=I420";
  EXPECT_FALSE(same_elements(capture_chain(model), capture_chain(other)));
}

TEST(KeeperPlans, AFurtherStreamDelaysNobodyAndDownloads) {
  PipelineModel gpu, software;
  gpu.video = {{"ximagesrc-cuda", "capture", {}}, {"capsfilter", "", {{"caps", "video/x-raw(memory:CUDAMemory),format=NV12", ""}}},
               {"nvstreamenc", "encoder", {}}};
  software.video = {{"ximagesrc", "capture", {}}, {"videoconvert", "", {}}, {"vp8enc", "encoder", {}}};
  std::vector<std::string> factories;
  for (const auto& element : extra_encode_chain(software, gpu))
    factories.push_back(element.factory);
  EXPECT_EQ(factories, (std::vector<std::string>{"queue", "cudadownload", "videoconvert", "videoscale", "capsfilter", "vp8enc"}));
  EXPECT_EQ(extra_encode_chain(software, software).size(), 5U);
  EXPECT_EQ(without_scaler(extra_encode_chain(software, software)).size(), 3U);
  EXPECT_TRUE(on_gpu(gpu));
  EXPECT_FALSE(on_gpu(software));
}

TEST(KeeperPlans, EachInstalledEncoderIsAPlanOfItsOwn) {
  Profile profile;
  profile.path = "p";
  profile.codec = "H264";
  profile.capture = {ProfileElement{.factory = "src"}};
  profile.encoder = {ProfileElement{.factory = "one"}, ProfileElement{.factory = "missing"}, ProfileElement{.factory = "two"}};
  Settings settings;
  std::string error;
  const auto nothing = [](const char*) -> const char* { return nullptr; };
  ASSERT_TRUE(settings.read({}, nothing, error));
  const auto exists = [](const std::string& name) { return name != "missing"; };
  const auto plans = make_plans(profile, settings, ":1", 2, exists, error);
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_EQ(plans[0].encoder, "one");
  EXPECT_EQ(plans[1].encoder, "two");
  EXPECT_EQ(plans[1].codec, "H264");
  EXPECT_TRUE(make_plans(profile, settings, ":1", 2, [](const std::string&) { return false; }, error).empty());
  EXPECT_NE(error.find("none of these elements is installed"), std::string::npos) << error;
}
