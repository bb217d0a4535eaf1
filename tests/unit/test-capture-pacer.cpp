// SPDX-License-Identifier: LGPL-2.1-or-later
#include "capture/frame-pacer.h"

#include <gtest/gtest.h>

#include <random>

namespace vitrine {
namespace {

using namespace std::chrono_literals;
using Action = FramePacer::Action;

const FramePacer::Time kStart = FramePacer::Time(1h);

FramePacer pacer(int refine_frames = 2, FramePacer::Duration idle = 0ms) {
  FramePacer pacer;
  pacer.configure({16ms, refine_frames, 30ms, idle});
  return pacer;
}

TEST(FramePacer, CapturesTheFirstFrameAtOnce) {
  EXPECT_EQ(pacer().next(kStart, false, false).action, Action::kCapture);
}

TEST(FramePacer, CapturesAChangeAtOnceWhenTheBudgetAllows) {
  FramePacer p = pacer();
  p.captured(kStart);
  EXPECT_EQ(p.next(kStart + 100ms, true, false).action, Action::kCapture);
}

TEST(FramePacer, WaitsForTheBudgetWithoutLookingAtTheScreen) {
  FramePacer p = pacer();
  p.captured(kStart);
  const FramePacer::Step step = p.next(kStart + 1ms, true, false);
  EXPECT_EQ(step.action, Action::kWait);
  ASSERT_TRUE(step.until);
  EXPECT_LE(*step.until, kStart + 16ms);
  EXPECT_FALSE(step.watch);
  EXPECT_EQ(p.next(*step.until, true, false).action, Action::kCapture);
}

TEST(FramePacer, KeepsToTheBudgetOverTime) {
  FramePacer p = pacer();
  int frames = 0;
  for (auto t = kStart; t < kStart + 16s; t += 250us) {
    if (p.next(t, true, false).action == Action::kCapture) {
      p.captured(t);
      frames++;
    }
  }
  EXPECT_GE(frames, 990);
  EXPECT_LE(frames, 1002);
}

TEST(FramePacer, DoesNotHoldBackASourceThatJittersAtTheSameRate) {
  FramePacer p = pacer();
  std::mt19937 random(1);
  int held = 0;
  for (int i = 0; i < 1000; i++) {
    const auto t = kStart + i * 16ms + std::chrono::microseconds(random() % 4000);
    if (p.next(t, true, false).action == Action::kCapture)
      p.captured(t);
    else
      held++, p.captured(*p.next(t, true, false).until);
  }
  EXPECT_LT(held, 20);
}

TEST(FramePacer, RefinesAfterMotionStopsThenFallsSilent) {
  FramePacer p = pacer();
  p.captured(kStart);
  FramePacer::Step step = p.next(kStart + 20ms, false, false);
  EXPECT_EQ(step.action, Action::kWait);
  EXPECT_TRUE(step.watch);
  EXPECT_EQ(*step.until, kStart + 30ms);
  for (int i = 1; i <= 2; i++) {
    EXPECT_EQ(p.next(kStart + 30ms * i, false, false).action, Action::kRepeat);
    p.repeated(kStart + 30ms * i, false);
  }
  step = p.next(kStart + 1h, false, false);
  EXPECT_EQ(step.action, Action::kWait);
  EXPECT_FALSE(step.until);
}

TEST(FramePacer, RepeatsTakeNothingFromTheBudget) {
  FramePacer p = pacer();
  p.captured(kStart);
  p.repeated(kStart + 30ms, false);
  EXPECT_EQ(p.next(kStart + 31ms, true, false).action, Action::kCapture);
}

TEST(FramePacer, KeepsAliveAtTheIdleRate) {
  FramePacer p = pacer(0, 1s);
  p.captured(kStart);
  EXPECT_EQ(*p.next(kStart + 20ms, false, false).until, kStart + 1s);
  EXPECT_EQ(p.next(kStart + 1s, false, false).action, Action::kRepeat);
}

TEST(FramePacer, AnswersARequestAtOnce) {
  FramePacer p = pacer(1);
  p.captured(kStart);
  EXPECT_EQ(p.next(kStart + 1ms, false, true).action, Action::kRepeat);
  EXPECT_EQ(p.next(kStart + 1ms, true, true).action, Action::kRepeat) << "the budget is not open yet";
  EXPECT_EQ(p.next(kStart + 20ms, true, true).action, Action::kCapture) << "new is better than old";
  p.repeated(kStart + 1ms, true);
  EXPECT_EQ(p.next(kStart + 31ms, false, false).action, Action::kRepeat) << "refinement is still due";
}

TEST(FramePacer, RefinesNoFasterThanTheFramerate) {
  FramePacer p;
  p.configure({66ms, 2, 30ms, 0ms});
  p.captured(kStart);
  EXPECT_EQ(*p.next(kStart + 31ms, false, false).until, kStart + 66ms);
  EXPECT_EQ(p.next(kStart + 66ms, false, false).action, Action::kRepeat);
}

TEST(FramePacer, RefinesAgainWhenAsked) {
  FramePacer p = pacer(1);
  p.captured(kStart);
  p.repeated(kStart + 30ms, false);
  EXPECT_FALSE(p.next(kStart + 1h, false, false).until);
  p.repeated(kStart + 1h, true);
  p.refine();
  EXPECT_EQ(p.next(kStart + 1h + 30ms, false, false).action, Action::kRepeat);
}

TEST(FramePacer, StartsAnewAfterReset) {
  FramePacer p = pacer();
  p.captured(kStart);
  p.reset();
  EXPECT_EQ(p.next(kStart + 1ms, false, false).action, Action::kCapture);
}

}  // namespace
}  // namespace vitrine
