// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/control-holder.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

constexpr int64_t kSecond = 1'000'000;
using Outcome = ControlHolder::Outcome;

TEST(ControlHolder, TheFirstWhoMayGetsIt) {
  ControlHolder control;
  control.join("watcher", "guest", false, 0);
  EXPECT_EQ(control.holder(), "");
  control.join("a", "user", true, 0);
  control.join("b", "user", true, 0);
  EXPECT_EQ(control.holder(), "a");
  EXPECT_EQ(control.request("watcher", 0), Outcome::ignored);
  EXPECT_EQ(control.request("a", 0), Outcome::ignored);
  EXPECT_EQ(control.request("stranger", 0), Outcome::ignored);
}

TEST(ControlHolder, AnIdleHolderOfTheSameAccountIsNotAsked) {
  ControlHolder control;
  control.join("a", "user", true, 0);
  control.join("b", "user", true, 0);
  EXPECT_EQ(control.request("b", ControlHolder::kIdleUs), Outcome::granted);
  EXPECT_EQ(control.holder(), "b");
}

TEST(ControlHolder, AnActiveOrForeignHolderIsAsked) {
  ControlHolder control;
  control.join("a", "user", true, 0);
  control.join("b", "user", true, 0);
  control.join("c", "other", true, 0);
  control.active(15 * kSecond);
  EXPECT_EQ(control.request("b", 16 * kSecond), Outcome::asked);
  EXPECT_EQ(control.request("c", 100 * kSecond), Outcome::asked);
  EXPECT_EQ(control.holder(), "a");
}

TEST(ControlHolder, TheHoldersAnswerCounts) {
  ControlHolder control;
  control.join("a", "one", true, 0);
  control.join("b", "two", true, 0);
  control.request("b", kSecond);
  control.answer("b", "b", true);
  EXPECT_EQ(control.holder(), "a") << "only the holder may answer";
  control.answer("a", "b", false);
  EXPECT_FALSE(control.deadline());
  EXPECT_FALSE(control.poll(100 * kSecond));
  control.request("b", 101 * kSecond);
  control.answer("a", "b", true);
  EXPECT_EQ(control.holder(), "b");
  control.answer("b", "a", true);
  EXPECT_EQ(control.holder(), "b") << "nobody asked";
}

TEST(ControlHolder, WithoutAnAnswerItMoves) {
  ControlHolder control;
  control.join("a", "one", true, 0);
  control.join("b", "two", true, 0);
  control.request("b", kSecond);
  EXPECT_FALSE(control.poll(kSecond + ControlHolder::kAnswerUs - 1));
  EXPECT_TRUE(control.poll(kSecond + ControlHolder::kAnswerUs));
  EXPECT_EQ(control.holder(), "b");
}

TEST(ControlHolder, ANewHolderHasTheWholeTimeToAnswerTheNext) {
  ControlHolder control;
  for (const char* peer : {"a", "b", "c"})
    control.join(peer, peer, true, 0);
  control.request("b", kSecond);
  control.request("c", 5 * kSecond);
  EXPECT_EQ(control.asking(), (std::vector<std::string>{"b", "c"}));
  EXPECT_TRUE(control.poll(11 * kSecond));
  EXPECT_EQ(control.holder(), "b");
  EXPECT_EQ(control.asking(), std::vector<std::string>{"c"}) << "the new holder has to be told";
  EXPECT_FALSE(control.poll(15 * kSecond)) << "b was not asked yet when c asked";
  EXPECT_FALSE(control.poll(25 * kSecond - 1));
  EXPECT_TRUE(control.poll(25 * kSecond));
  EXPECT_EQ(control.holder(), "c");
  EXPECT_TRUE(control.asking().empty());
}

TEST(ControlHolder, AskingAgainNeitherDisturbsTheHolderNorStartsTheClockAnew) {
  ControlHolder control;
  control.join("a", "one", true, 0);
  control.join("b", "two", true, 0);
  EXPECT_EQ(control.request("b", kSecond), Outcome::asked);
  EXPECT_EQ(control.request("b", 9 * kSecond), Outcome::ignored);
  EXPECT_EQ(control.deadline(), kSecond + ControlHolder::kAnswerUs);
}

TEST(ControlHolder, WhoAskedAndLeftGetsNothing) {
  ControlHolder control;
  control.join("a", "one", true, 0);
  control.join("b", "two", true, 0);
  control.request("b", kSecond);
  control.leave("b");
  EXPECT_FALSE(control.deadline());
  EXPECT_FALSE(control.poll(100 * kSecond));
  EXPECT_EQ(control.holder(), "a");
  control.answer("a", "b", true);
  EXPECT_EQ(control.holder(), "a");
}

TEST(ControlHolder, WhoOnlyWatchesNeverInherits) {
  ControlHolder control;
  control.join("a", "one", true, 0);
  control.join("watcher", "two", false, 0);
  control.leave("a");
  EXPECT_EQ(control.holder(), "");
  control.join("b", "three", true, 0);
  EXPECT_EQ(control.holder(), "b") << "the first who may and comes later";
  control.leave("watcher");
  EXPECT_EQ(control.holder(), "b");
  control.leave("stranger");
  EXPECT_EQ(control.holder(), "b");
}

TEST(ControlHolder, WhoAskedLongestInheritsElseTheOldest) {
  ControlHolder control;
  for (const char* peer : {"a", "b", "c", "d"})
    control.join(peer, peer, true, 0);
  control.request("d", kSecond);
  control.request("c", 2 * kSecond);
  control.leave("a");
  EXPECT_EQ(control.holder(), "d");
  control.leave("d");
  EXPECT_EQ(control.holder(), "c");
  control.leave("c");
  EXPECT_EQ(control.holder(), "b");
  control.leave("b");
  EXPECT_EQ(control.holder(), "");
}

TEST(ControlHolder, ReleaseGoesToWhoAskedOrToNobody) {
  ControlHolder control;
  control.join("a", "one", true, 0);
  control.join("b", "two", true, 0);
  control.release("b");
  EXPECT_EQ(control.holder(), "a");
  control.release("a");
  EXPECT_EQ(control.holder(), "");
  EXPECT_EQ(control.request("b", kSecond), Outcome::granted);
  control.request("a", kSecond);
  control.release("b");
  EXPECT_EQ(control.holder(), "a");
}

TEST(ControlHolder, WhoComesBackKeepsWhatItHeld) {
  ControlHolder control;
  control.join("a", "ada", true, 0);
  control.join("b", "ada", true, 0);
  control.join("a2", "ada", true, 0);
  control.succeed("a", "a2");
  control.leave("a");
  EXPECT_EQ(control.holder(), "a2");
  control.succeed("b", "a2");  // who held nothing has nothing to pass on
  control.join("c", "cem", false, 0);
  control.succeed("a2", "c");  // nor may everybody hold it
  EXPECT_EQ(control.holder(), "a2");
}

}  // namespace
}  // namespace vitrine
