// SPDX-License-Identifier: LGPL-2.1-or-later
// The controller over an emulated link, in simulated time, beside two baselines. The cases are those of RFC 8867, as far as a desktop has them.
#include "webrtc/rate/rate-controller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "rate-cases.h"

namespace vitrine {
namespace {

using bench::Outcome;
using bench::Point;
using bench::Scenario;

Outcome simulated(const Scenario& scenario, ControlKind control, double max_bps) {
  return bench::simulate(scenario, *make_rate_control({300e3, scenario.start_bps, max_bps, control}), "");
}
Outcome ours(const Scenario& scenario) { return simulated(scenario, ControlKind::desktop, scenario.max_bps); }
Outcome reference(const Scenario& scenario) { return simulated(scenario, ControlKind::gcc, scenario.max_bps); }
Outcome none(const Scenario& scenario, double bps) { return simulated(scenario, ControlKind::off, bps); }

TEST(RateController, TakesAWiderLinkWithinThreeSeconds) {
  const auto scenario = bench::cases::rise();
  const double at = ours(scenario).reaches(&Point::target_bps, 18e6, false, 8, 1);
  EXPECT_GT(at, 0);
  EXPECT_LT(at - 8, 3);
  const double its = reference(scenario).reaches(&Point::target_bps, 18e6, false, 8, 1);
  EXPECT_TRUE(its < 0 || its - 8 > 3) << "the reference is to be slower, else this shows nothing";
}

// The first pictures are more than a thin link carries. Its queue drains, but the rate does not fall far below what is seen to arrive meanwhile.
TEST(RateController, BeginsOnAThinLinkWithoutFallingToNothing) {
  for (const double mbit : {1.0, 2.0, 4.0}) {
    auto scenario = bench::cases::make("start", bench::cases::link(mbit, 300), 8);
    scenario.fps = 30;
    scenario.start_bps = 8e6;
    const auto outcome = ours(scenario);
    EXPECT_LT(outcome.reaches(&Point::target_bps, 0.8 * mbit * 1e6, false, 0.3, 1), 2) << mbit;
    EXPECT_LT(outcome.reaches(&Point::queue_ms, 60, true, 0.3, 1), 1.2) << mbit;
    for (const Point& point : outcome.points)
      EXPECT_GT(point.target_bps, 0.45 * mbit * 1e6) << mbit << " at " << point.seconds;
  }
}

// The queue's peak is what leaves until it is known of. Where the path answers, that is a round trip and a few packets; by feedback alone its interval
// longer: (20/4 − 1) × (RTT + interval) of the new link's time. The phase is chance, so several are tried.
TEST(RateController, DrainsTheQueueOfANarrowerLink) {
  for (int phase = 0; phase < 12; ++phase) {
    auto scenario = bench::cases::fall();
    scenario.answers = phase < 6;
    scenario.changes[0].first += phase % 6 * 0.01;
    const double at = scenario.changes[0].first;
    const auto outcome = ours(scenario);
    const double blind_s = 0.02 + 0.06 + 1 / 60.0;
    EXPECT_LT(outcome.peak(&Point::queue_ms, at, at + 5), scenario.answers ? 200 : (20.0 / 4 - 1) * blind_s * 1e3 + 20) << phase;
    EXPECT_LT(outcome.reaches(&Point::queue_ms, 30, true, at + 0.1, 1) - at, 1.0) << phase;
    EXPECT_LT(outcome.quantile(&Point::queue_ms, 0.95, at + 1, at + 9), 30) << phase;
    EXPECT_LT(outcome.reaches(&Point::target_bps, 18e6, false, 20, 1) - 20, 3) << phase;
    const auto blind = none(scenario, 18e6);
    EXPECT_GT(blind.peak(&Point::queue_ms, at, at + 5), 2 * outcome.peak(&Point::queue_ms, at, at + 5));
  }
}

// Pictures that come half as often are twice as large: one alone is 150 ms of the narrower link. They leave little faster than the path carries them, so
// that only a part of one has left when its answers are late.
TEST(RateController, ThirtyPicturesPerSecondAreNoLongerQueueThanSixty) {
  for (int phase = 0; phase < 20; ++phase) {
    auto scenario = bench::cases::fall();
    scenario.fps = 30;
    scenario.changes[0].first += phase * 0.003;
    const double at = scenario.changes[0].first;
    const auto outcome = ours(scenario);
    EXPECT_LT(outcome.peak(&Point::queue_ms, at, at + 5), 200) << phase;
    EXPECT_LT(outcome.reaches(&Point::queue_ms, 30, true, at + 0.1, 1) - at, 1.0) << phase;
    EXPECT_LT(outcome.quantile(&Point::queue_ms, 0.95, at + 1.5, at + 9.5), 30) << phase;
  }
}

TEST(RateController, AFrameLeavesLittleFasterThanItPasses) {
  auto scenario = bench::cases::loss(0, 20);
  scenario.fps = 30;
  scenario.seconds = 15;
  RateController controller({scenario.max_bps / 100, scenario.start_bps, scenario.max_bps});
  const double frame_bits = 0.95 * 10e6 / scenario.fps;
  EXPECT_EQ(controller.spread_us(frame_bits), RateControl::kSpreadUs) << "nothing is known yet";
  EXPECT_EQ(controller.spread_us(RateControl::kAtOnceBits), 0);
  const auto outcome = bench::simulate(scenario, controller, "ours");
  EXPECT_NEAR(static_cast<double>(controller.spread_us(frame_bits)), frame_bits / 10e6 / RateController::kMeasuredSpreadGain * 1e6, 1500);
  EXPECT_EQ(controller.spread_us(RateController::kMeasuredAtOnceBits), 0);
  EXPECT_EQ(controller.spread_us(1e9), RateController::kMeasuredSpreadUs);
  // About half of it waits at the link at most, not all of it, and yet it is there as soon as the link allows.
  const double frame_ms = frame_bits / 10e6 * 1e3;
  EXPECT_LT(outcome.quantile(&Point::queue_ms, 0.95, 5, 15), 0.6 * frame_ms);
  EXPECT_LT(outcome.latency_quantile(0.5, 5, 15), 10 + 1.1 * frame_ms);
}

TEST(RateController, DoesNotForgetTheLinkOverAMinuteOfStillness) {
  const auto scenario = bench::cases::still();
  const auto outcome = ours(scenario);
  const double before = outcome.mean(&Point::target_bps, 8, 10);
  EXPECT_GE(outcome.mean(&Point::target_bps, 69, 70), 0.99 * before);
  EXPECT_GE(outcome.mean(&Point::received_bps, 70.1, 71), 0.9 * before);
  EXPECT_LT(outcome.peak(&Point::queue_ms, 70, 75), 40);
  EXPECT_LT(reference(scenario).mean(&Point::target_bps, 69, 70), 0.8 * before);
}

TEST(RateController, AJitterSpikeOnAQuietDesktopChangesNothing) {
  RateController controller({300e3, 8e6, 50e6});
  int64_t now = 1'000'000;
  uint64_t frame = 1;
  for (int i = 0; i < 600; ++i, now += 100'000, ++frame) {
    const int64_t spike = i % 50 == 49 ? 80'000 : 0;
    controller.sent(now, 900);
    const Delivery delivery{frame, 900, now, now - 5'000'000'000 + spike};
    controller.feedback(now + 60'000 + spike, std::span(&delivery, 1));
    controller.tick(now + 70'000);
  }
  EXPECT_EQ(controller.target_bps(), 8e6);
}

// An encoder that uses little of what it may, on a path with jitter, once the link has become narrow.
TEST(RateController, AMaximumBelowTheMinimumCounts) {
  RateController controller({300e3, 4e6, 200e3});
  EXPECT_EQ(controller.target_bps(), 200e3);
  controller.set_limits({300e3, 4e6, 100e3});
  EXPECT_EQ(controller.target_bps(), 100e3);
}

TEST(RateController, DoesNotSpiralDownWithAnEncoderThatUsesLittle) {
  std::vector<double> targets;
  for (uint64_t seed = 1; seed < 10; ++seed) {
    auto scenario = bench::cases::make("little", bench::cases::link(10, 300), 40);
    auto narrow = bench::cases::link(2, 1500);
    scenario.link.jitter_us = narrow.jitter_us = 90'000;
    scenario.link.seed = narrow.seed = seed;
    scenario.changes = {{10, narrow}};
    scenario.fps = 10;
    scenario.use = [](double s) { return s < 10 ? 1 : s < 10.5 ? 0.5 : 0.15; };
    targets.push_back(ours(scenario).mean(&Point::target_bps, 25, 40));
    EXPECT_GT(targets.back(), 0.5e6) << seed;
    EXPECT_LT(targets.back(), 4e6) << seed;
  }
  std::sort(targets.begin(), targets.end());
  EXPECT_GT(targets[targets.size() / 2], 1e6);
}

TEST(RateController, RandomLossIsNotTakenForCongestion) {
  const auto clean = ours(bench::cases::loss(0, 40));
  const double rate = clean.mean(&Point::received_bps, 5, 30);
  EXPECT_GT(ours(bench::cases::loss(0.02, 40)).mean(&Point::received_bps, 5, 30), 0.9 * rate);
  const auto five = ours(bench::cases::loss(0.05, 40));
  EXPECT_GT(five.mean(&Point::received_bps, 5, 30), 0.8 * rate);
  EXPECT_LT(five.longest_gap_ms, 200);
  EXPECT_LT(reference(bench::cases::loss(0.05, 40)).mean(&Point::received_bps, 5, 30), 0.5 * rate);
}

// A path that stands still for a moment and then goes on as before, as Wi-Fi does: what waited meanwhile is no reason to think less of it.
TEST(RateController, AMomentWithoutAPathIsNotANarrowOne) {
  for (const double demand : {2e6, 5e6, 1e9})
    for (const double stall_s : {0.04, 0.08, 0.15}) {
      auto scenario = bench::cases::make("stalls", bench::cases::link(20, 300), 30);
      scenario.demand = [demand](double s) { return s < 5 ? 1e9 : demand; };
      auto standing = scenario.link;
      standing.rate_bps = 10e3;
      for (double at = 8; at < 28; at += 3) {
        scenario.changes.push_back({at, standing});
        scenario.changes.push_back({at + stall_s, scenario.link});
      }
      const auto outcome = ours(scenario);
      const double before = outcome.mean(&Point::target_bps, 6, 8);
      EXPECT_GT(outcome.mean(&Point::target_bps, 8, 30), 0.93 * before) << demand << ", " << stall_s;
      for (const Point& point : outcome.points)
        EXPECT_TRUE(point.seconds < 6 || point.target_bps > 0.65 * before) << demand << ", " << stall_s << " at " << point.seconds;
    }
}

TEST(RateController, SharesWithTcp) {
  const auto scenario = bench::cases::tcp();
  const auto outcome = ours(scenario);
  const double share = outcome.mean(&Point::tcp_bps, 20, 50) / 10e6;
  EXPECT_GT(share, 0.3);
  EXPECT_LT(share, 0.7);
  EXPECT_GT(outcome.mean(&Point::received_bps, 53, 60), 8.5e6) << "and takes the link again";
  EXPECT_GT(reference(scenario).mean(&Point::tcp_bps, 20, 50) / 10e6, 0.6) << "the reference is pushed aside";
}

TEST(RateController, FillsNoLargeBuffer) {
  const auto scenario = bench::cases::bufferbloat();
  const auto outcome = ours(scenario);
  EXPECT_LT(outcome.quantile(&Point::queue_ms, 0.95, 3, 30), 40);
  EXPECT_GT(outcome.mean(&Point::received_bps, 5, 30), 4e6);
  EXPECT_GT(none(scenario, 6e6).quantile(&Point::queue_ms, 0.95, 3, 30), 500);
}

TEST(RateController, LivesWithJitter) {
  const auto outcome = ours(bench::cases::jitter());
  EXPECT_GT(outcome.mean(&Point::received_bps, 5, 30), 7e6);
  EXPECT_LT(outcome.quantile(&Point::queue_ms, 0.95, 5, 30), 60);
}

TEST(RateController, ProbesWhatTypingCannotTell) {
  const auto outcome = ours(bench::cases::typing());
  EXPECT_GT(outcome.mean(&Point::target_bps, 12, 30), 7e6);
  EXPECT_LT(outcome.peak(&Point::queue_ms, 0, 30), 40);
}

TEST(RateController, SlowsDownWithoutFeedbackAndComesBack) {
  auto scenario = bench::cases::make("no feedback", bench::cases::link(10), 30);
  scenario.tamper = [](double s, std::vector<Delivery>&) { return s < 5 || s > 15; };
  const auto outcome = ours(scenario);
  EXPECT_LT(outcome.mean(&Point::target_bps, 13, 15), 1e6);
  EXPECT_GT(outcome.mean(&Point::target_bps, 20, 30), 9e6);
  auto never = bench::cases::make("never any", bench::cases::link(10), 10);
  never.tamper = [](double, std::vector<Delivery>&) { return false; };
  EXPECT_LE(ours(never).peak(&Point::target_bps, 0, 10), 4e6);
}

TEST(RateController, SurvivesClocksThatAreSet) {
  for (const int64_t step : {5'000'000ll, -5'000'000ll, 400'000ll, -400'000ll}) {
    auto scenario = bench::cases::make("clock", bench::cases::link(10), 30);
    scenario.tamper = [step](double s, std::vector<Delivery>& deliveries) {
      for (auto& delivery : deliveries)
        if (!delivery.lost() && s > 10)
          delivery.arrived_us += step;
      return true;
    };
    const auto outcome = ours(scenario);
    EXPECT_GT(outcome.mean(&Point::received_bps, 11, 30), 8e6) << step;
    EXPECT_LT(outcome.quantile(&Point::queue_ms, 0.95, 5, 30), 40) << step;
  }
}

TEST(RateController, AbsurdTimesDoNotRunAway) {
  auto scenario = bench::cases::make("forged", bench::cases::link(10), 30);
  std::mt19937_64 random(3);
  scenario.tamper = [&](double, std::vector<Delivery>& deliveries) {
    for (auto& delivery : deliveries)
      if (!delivery.lost())
        delivery.arrived_us = static_cast<int64_t>(random() >> 12);
    return true;
  };
  const auto outcome = ours(scenario);
  for (const auto& point : outcome.points)
    ASSERT_TRUE(point.target_bps >= 300e3 && point.target_bps <= 50e6) << point.seconds;
}

// Frames over WebSocket: one delivery each, retransmission and order by TCP.
TEST(RateController, LearnsFromWholeFramesToo) {
  RateController controller({300e3, 4e6, 50e6});
  const double link_bps = 10e6;
  int64_t now = 1'000'000, free_us = 0;
  std::vector<Delivery> waiting, acked;
  int64_t told_us = 0;
  for (uint64_t frame = 1; frame < 1200; ++frame, now += 16'667) {
    const auto size = static_cast<uint32_t>(controller.target_bps() / 60 / 8);
    if (!controller.full(now)) {
      controller.sent(now, size);
      free_us = std::max(free_us, now) + static_cast<int64_t>(size * 8e6 / link_bps);
      waiting.push_back({frame, size, now, free_us + 10'000});
    }
    while (!waiting.empty() && waiting.front().arrived_us + 10'000 <= now) {
      acked.push_back(waiting.front());
      acked.back().arrived_us += 77'000'000;
      waiting.erase(waiting.begin());
    }
    // As ViewerRate does: those of 30 ms together.
    if (now - told_us >= 30'000) {
      controller.feedback(now, acked);
      acked.clear();
      told_us = now;
    }
    controller.tick(now);
    if (frame > 600) {
      ASSERT_LT(free_us - now, 90'000) << frame;
    }
  }
  EXPECT_GT(controller.target_bps(), 7e6);
  EXPECT_LT(controller.target_bps(), 11e6);
}

TEST(EchoMeter, KnowsOfAQueueBeforeTheAnswerIsThere) {
  EchoMeter meter;
  EXPECT_EQ(meter.late_us(5'000'000), 0);
  int64_t now = 1'000'000;
  meter.asked(now, 1, 0);
  EXPECT_EQ(meter.late_us(now + 900'000), 0) << "who never answered is not late";
  uint64_t id = 2;
  for (; id < 50; ++id, now += 10'000) {
    meter.asked(now, id, 0);
    meter.answered(now + 20'000, id);
  }
  EXPECT_EQ(meter.late_us(now), 0);
  meter.asked(now, id, 5'000);
  EXPECT_EQ(meter.late_us(now + 25'000), 0) << "its frame takes a while";
  EXPECT_EQ(meter.late_us(now + 40'000), 15'000);
  meter.told(now);
  EXPECT_EQ(meter.late_us(now + 40'000), 0) << "feedback knows more";
  // Lost ones are made up for by the next.
  meter.asked(now + 41'000, id + 1, 0);
  meter.asked(now + 45'000, id + 2, 0);
  meter.answered(now + 65'000, id + 2);
  EXPECT_EQ(meter.late_us(now + 70'000), 0);
  meter.answered(now + 70'000, 12345);
  meter.asked(now + 70'000, id + 3, 0);
  EXPECT_EQ(meter.late_us(now + 70'000 + 2 * EchoMeter::kPatienceUs), 0) << "silent for long";
}

TEST(RateController, NoAnswersChangeNothing) {
  auto scenario = bench::cases::fall();
  scenario.answers = false;
  const auto outcome = ours(scenario);
  EXPECT_GT(outcome.mean(&Point::received_bps, 5, 9), 0.9 * 19e6);
}

TEST(LossMeter, DoesNotJudgeOverAHandful) {
  LossMeter meter;
  for (int i = 0; i < 5; ++i)
    meter.add(i == 0);
  EXPECT_FALSE(meter.judge(1));
  EXPECT_FALSE(meter.judge(10'000'000)) << "five packets";
  for (int i = 0; i < 95; ++i)
    meter.add(false);
  EXPECT_TRUE(meter.judge(20'000'000));
  EXPECT_DOUBLE_EQ(meter.fraction(), 0.01);
}

TEST(Link, IsWhatItsSettingsSay) {
  auto settings = bench::cases::link(8, 100, 0, 20);
  bench::Link link(settings);
  for (uint64_t i = 0; i < 10; ++i)
    EXPECT_TRUE(link.push(0, i, 1000));
  std::vector<int64_t> out;
  link.pop(1'000'000, [&](uint64_t, int64_t at) { out.push_back(at); });
  ASSERT_EQ(out.size(), 10u);
  EXPECT_EQ(out[0], 11'000);
  EXPECT_EQ(out[9], 20'000);
  settings.loss = 0.1;
  bench::Link lossy(settings), again(settings);
  int lost = 0, differ = 0;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const auto now = static_cast<int64_t>(i) * 2000;
    const bool came = lossy.push(now, i, 1000);
    lost += !came;
    differ += came != again.push(now, i, 1000);
  }
  EXPECT_NEAR(lost, 1000, 120);
  EXPECT_EQ(differ, 0) << "same seed, same losses";
  settings.loss = 0;
  settings.burst_enter = 0.01;
  settings.burst_leave = 0.2;
  bench::Link bursts(settings);
  int bursty = 0;
  for (uint64_t i = 0; i < 20'000; ++i)
    bursty += !bursts.push(static_cast<int64_t>(i) * 2000, i, 1000);
  EXPECT_NEAR(bursty, 20'000 * 0.01 / 0.21, 250);
}

}  // namespace
}  // namespace vitrine
