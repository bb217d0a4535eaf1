// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of the measured encoders wins, and what is said of it.
#include <gtest/gtest.h>

#include "probe-verdict.h"

using namespace vitrine;

namespace {

ProbeResult result(const char* encoder, double ms, double noise = 0, const char* gpu = "") {
  ProbeResult one;
  one.profile = "p";
  one.codec = "H264";
  one.encoder = encoder;
  one.gpu = gpu;
  one.measured = true;
  one.bitrate_without_keyframe = true;
  one.ms_per_frame = ms;
  one.ms_noise = noise;
  return one;
}

ProbeReport report(std::vector<ProbeResult> results, const ProbeReport* former = nullptr) {
  ProbeReport made;
  made.key = "k";
  made.size = "1920x1080";
  made.framerate = 60;
  made.results = std::move(results);
  choose_winner(made, former);
  return made;
}

}  // namespace

TEST(ProbeChoice, TheFastestInSoftwareWinsWhateverItsPlace) {
  // By whatever little.
  EXPECT_EQ(report({result("first", 5.0, 1), result("second", 4.9, 1), result("third", 5.1, 1)}).winner, 1);
  const auto made = report({result("first", 3.0), result("second", 4.5)});
  EXPECT_EQ(made.winner, 0);
  EXPECT_EQ(made.why, "the fastest of the encoders in software");
}

TEST(ProbeChoice, OneThatChangesTheBitrateByAKeyframeWinsOnlyIfNoOtherKeepsUp) {
  auto flawed = result("flawed", 2.0, 9);
  flawed.bitrate_without_keyframe = false;
  const auto made = report({flawed, result("steady", 8.0, 9), result("slower", 9.0, 9)});
  EXPECT_EQ(made.winner, 1);
  EXPECT_EQ(made.why, "the fastest of the encoders in software that need no keyframe to change the bitrate");
  const auto none_steady = report({flawed, result("too slow", 17.0)});
  EXPECT_EQ(none_steady.winner, 0);
  EXPECT_EQ(none_steady.why, "the fastest of the encoders in software");
  // Nor does one stay that won when there was nothing better.
  EXPECT_EQ(report({flawed, result("steady", 8.0, 9)}, &none_steady).winner, 1);
}

TEST(ProbeChoice, WhatDidNotPassDoesNotWin) {
  auto broken = result("broken", 1.0);
  broken.problem = "holds pictures back";
  ProbeResult missing;
  missing.missing = true;
  EXPECT_EQ(report({missing, broken, result("good", 9.0)}).winner, 2);
  const auto none = report({missing, broken});
  EXPECT_EQ(none.winner, -1);
  EXPECT_EQ(none.why, "no encoder passed");
}

TEST(ProbeChoice, AGpuThatKeepsUpGoesBeforeFasterSoftware) {
  EXPECT_EQ(report({result("hardware", 10, 0, "0000:01:00.0"), result("software", 2)}).winner, 0);
  EXPECT_EQ(report({result("hardware", 17, 0, "0000:01:00.0"), result("software", 2)}).winner, 1) << "it does not keep up with 60 per second";
  EXPECT_EQ(report({result("hardware", 20, 0, "0000:01:00.0"), result("software", 30)}).why, "the fastest that passed");
}

TEST(ProbeChoice, ProbingAgainDoesNotFlipBetweenEquals) {
  const auto former = report({result("one", 4.0, 0.2), result("other", 4.1, 0.2)});
  ASSERT_EQ(former.winner, 0);
  const auto again = report({result("one", 4.2, 0.2), result("other", 4.0, 0.2)}, &former);
  EXPECT_EQ(again.winner, 0);
  EXPECT_EQ(again.why, "won before too, and none is faster by more than measurements differ");
  // More than they differ by is more.
  EXPECT_EQ(report({result("one", 4.5, 0.2), result("other", 4.0, 0.2)}, &former).winner, 1);
  EXPECT_EQ(report({result("one", 4.2, 0), result("other", 4.0, 0)}, &former).winner, 1);
}

TEST(ProbeChoice, AFormerWinnerThatIsNotThereOrWasForOtherPicturesIsForgotten) {
  auto former = report({result("one", 4.0, 9)});
  EXPECT_EQ(report({result("other", 5.0, 9), result("third", 4.9, 9)}, &former).winner, 1);
  former.size = "320x240";
  EXPECT_EQ(report({result("one", 4.2, 9), result("other", 4.0, 9)}, &former).winner, 1);
}

TEST(ProbeChoice, TheTableSaysByHowMuchOthersAreSlower) {
  const std::string text = to_text(report({result("x264enc", 4.0), result("openh264enc", 5.0)}));
  EXPECT_NE(text.find("good (+25 %)"), std::string::npos) << text;
  EXPECT_NE(text.find("wins"), std::string::npos) << text;
  EXPECT_NE(text.find("p (x264enc): the fastest of the encoders in software."), std::string::npos) << text;
}

TEST(ProbeChoice, NoiseSurvivesTheReport) {
  const auto read = report_from_json(to_json(report({result("x264enc", 4.0, 0.25)})));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->results.at(0).ms_noise, 0.25);
}
