// SPDX-License-Identifier: LGPL-2.1-or-later
// When viewers get keyframes: together, and one by one.
#include <gtest/gtest.h>

#include "webrtc/keyframe-budget.h"
#include "webrtc/keyframe-gate.h"

namespace vitrine {
namespace {

constexpr int64_t kMs = 1000, kSecond = 1'000'000, kStart = 100 * kSecond, kUnderWay = 330 * kMs;

TEST(KeyframeGate, RequestsOfAllAreOne) {
  KeyframeGate gate(500 * kMs);
  EXPECT_TRUE(gate.request(kStart));
  EXPECT_FALSE(gate.request(kStart + 1));
  EXPECT_FALSE(gate.poll(kStart + 499 * kMs));
  EXPECT_TRUE(gate.poll(kStart + 500 * kMs));
  EXPECT_FALSE(gate.request(kStart + 600 * kMs));
  gate.keyframe_passed();
  EXPECT_FALSE(gate.poll(kStart + 2 * kSecond)) << "whoever waited has it";
}

/// A viewer that asks `every_us` for `seconds`; what it is granted comes 100 ms later. How often it was.
int asks(KeyframeBudget& budget, int64_t seconds, int64_t every_us, bool alone) {
  int granted = 0;
  int64_t newest_us = 0, due_us = 0;
  for (int64_t now = kStart; now < kStart + seconds * kSecond; now += 10 * kMs) {
    if (due_us != 0 && now >= due_us) {
      newest_us = now;
      due_us = 0;
    }
    const KeyframeFacts facts{newest_us, kUnderWay, alone};
    const bool now_granted = (now - kStart) % every_us == 0 ? budget.request(now, facts) : budget.poll(now, facts);
    if (now_granted) {
      ++granted;
      due_us = now + 100 * kMs;
    }
  }
  return granted;
}

TEST(KeyframeBudget, AViewerThatAlwaysAsksCostsTheOthersAFew) {
  KeyframeBudget budget;
  EXPECT_LE(asks(budget, 10, 200 * kMs, false), 7);
  KeyframeBudget longer;
  EXPECT_LE(asks(longer, 60, 200 * kMs, false), 4 + 18);
}

TEST(KeyframeBudget, WhoIsAloneHurtsNobody) {
  KeyframeBudget budget;
  EXPECT_GE(asks(budget, 10, 200 * kMs, true), 15);
}

TEST(KeyframeBudget, OneLossIsOneKeyframe) {
  KeyframeBudget budget;
  KeyframeFacts facts{kStart - 60 * kSecond, kUnderWay, true};
  EXPECT_TRUE(budget.request(kStart, facts));
  EXPECT_FALSE(budget.request(kStart + 200 * kMs, facts)) << "the encoder is at it";
  facts.newest_us = kStart + 250 * kMs;
  EXPECT_FALSE(budget.request(kStart + 400 * kMs, facts)) << "it is on its way";
  EXPECT_FALSE(budget.poll(kStart + 5 * kSecond, facts));
  EXPECT_TRUE(budget.request(kStart + 700 * kMs, facts)) << "that one was lost too";
}

TEST(KeyframeBudget, WhoAsksOnceIsRememberedWhileAKeyframeIsOnItsWay) {
  KeyframeBudget budget;
  const KeyframeFacts facts{kStart, kUnderWay, true, true};
  EXPECT_FALSE(budget.request(kStart + 100 * kMs, facts)) << "that one may be what it needs";
  EXPECT_FALSE(budget.poll(kStart + 300 * kMs, facts));
  EXPECT_TRUE(budget.poll(kStart + kUnderWay, facts)) << "or may be what it could not decode";
  EXPECT_FALSE(budget.poll(kStart + 5 * kSecond, facts));
}

TEST(KeyframeBudget, AnEncoderThatMakesNoneIsAskedAgain) {
  KeyframeBudget budget;
  const KeyframeFacts facts{kStart - 60 * kSecond, kUnderWay, true};
  EXPECT_TRUE(budget.request(kStart, facts));
  EXPECT_FALSE(budget.request(kStart + 900 * kMs, facts));
  EXPECT_TRUE(budget.request(kStart + KeyframeBudget::kMadeUs, facts));
}

TEST(KeyframeBudget, WhatIsNotAffordedIsMadeUpFor) {
  KeyframeBudget budget;
  for (int i = 0; i < static_cast<int>(KeyframeBudget::kBurst); ++i)
    EXPECT_TRUE(budget.spend(kStart, false));
  KeyframeFacts facts{kStart - kSecond, kUnderWay, false};
  EXPECT_FALSE(budget.request(kStart, facts));
  EXPECT_FALSE(budget.poll(kStart + 3 * kSecond, facts));
  EXPECT_TRUE(budget.poll(kStart + 3400 * kMs, facts)) << "asked for once, and not forgotten";
  EXPECT_FALSE(budget.poll(kStart + 60 * kSecond, facts));
}

TEST(KeyframeBudget, AnothersKeyframeIsEverybodys) {
  KeyframeBudget budget;
  while (budget.spend(kStart, false)) {
  }
  EXPECT_FALSE(budget.request(kStart, {kStart - kSecond, kUnderWay, false}));
  EXPECT_FALSE(budget.poll(kStart + 60 * kSecond, {kStart + kSecond, kUnderWay, false}));
}

TEST(KeyframeBudget, WhoIsLeftAloneNeedNotWait) {
  KeyframeBudget budget;
  while (budget.spend(kStart, false)) {
  }
  EXPECT_FALSE(budget.request(kStart, {0, kUnderWay, false}));
  EXPECT_TRUE(budget.poll(kStart + 50 * kMs, {0, kUnderWay, true}));
}

}  // namespace
}  // namespace vitrine
