// SPDX-License-Identifier: LGPL-2.1-or-later
// The latency meter's server side: what is measured, what is believed, what is told.
#include <gtest/gtest.h>

#include "webrtc/latency/latency-text.h"
#include "webrtc/latency/picture-log.h"

namespace vitrine {
namespace {

constexpr int64_t kStart = 1'000'000'000;

FrameTimes times_at(int64_t capture_us, bool fresh = true) {
  return {capture_us, capture_us + 1'000, capture_us + 6'000, fresh, true};
}

/// A frame that was captured at `capture_us`, encoded, sent and told.
LoggedFrame told(FrameLog& log, int64_t capture_us, uint32_t rtp_time, MediaWay way = MediaWay::webrtc) {
  log.passed(way, rtp_time, times_at(capture_us), capture_us + 6'100);
  log.sent(way, rtp_time, capture_us + 7'000);
  const auto due = log.take_due(capture_us + 100'000, 64);
  EXPECT_EQ(due.size(), 1u);
  return due.empty() ? LoggedFrame{} : due.front();
}

ShownFrame shown(const LoggedFrame& frame) { return {frame.id, 9'000, 12'000, 20'000, 0}; }

LatencyReport report(ShownFrame frame) { return {true, 300, {frame}}; }

TEST(Distribution, CountsAndQuantiles) {
  Distribution values;
  EXPECT_EQ(values.quantile(0.5), 0);
  for (int i = 1; i <= 100; ++i)
    values.add(i * 1'000);
  EXPECT_EQ(values.count(), 100u);
  EXPECT_NEAR(values.sum_s(), 5.05, 1e-9);
  EXPECT_NEAR(values.quantile(0.5), 0.051, 1e-9);
  EXPECT_NEAR(values.quantile(0.95), 0.096, 1e-9);
  EXPECT_NEAR(values.quantile(1), 0.1, 1e-9);
  EXPECT_EQ(values.up_to(0), 1u) << "a bound belongs to its bucket";
  EXPECT_EQ(values.up_to(Distribution::kBounds.size() - 1), 100u);
}

TEST(Distribution, OldValuesPassFromQuantilesAlone) {
  Distribution values;
  for (size_t i = 0; i < Distribution::kKept; ++i)
    values.add(5'000'000);
  for (size_t i = 0; i < Distribution::kKept; ++i)
    values.add(10'000);
  EXPECT_NEAR(values.quantile(0.99), 0.01, 1e-9);
  EXPECT_EQ(values.count(), 2 * Distribution::kKept);
  EXPECT_EQ(values.up_to(Distribution::kBounds.size() - 1), Distribution::kKept) << "5 s is above all bounds";
  values.add(-3);
  EXPECT_EQ(values.up_to(0), 1u) << "an offset that is a little wrong makes nothing negative";
}

TEST(PictureLog, WhatIsLeftOutIsOwed) {
  PictureLog log;
  log.left_out(times_at(kStart));
  log.left_out(times_at(kStart + 500, false));
  log.passed(7, times_at(kStart + 90'000, false));
  const auto repeated = log.find(7);
  ASSERT_TRUE(repeated);
  EXPECT_TRUE(repeated->fresh) << "the repeated picture shows what was left out";
  EXPECT_EQ(repeated->capture_us, kStart) << "and is as old as that";
  log.passed(8, times_at(kStart + 190'000, false));
  EXPECT_FALSE(log.find(8)->fresh);
  log.left_out(times_at(kStart + 200'000));
  log.passed(9, times_at(kStart + 210'000));
  EXPECT_EQ(log.find(9)->capture_us, kStart + 210'000) << "a newer picture shows newer things";
  for (uint64_t i = 0; i < PictureLog::kKept; ++i)
    log.passed(100 + i, times_at(kStart));
  EXPECT_FALSE(log.find(9)) << "so many are kept";
}

TEST(FrameLog, TellsFramesThatWereSent) {
  FrameLog log;
  log.passed(MediaWay::webrtc, 10, times_at(kStart), kStart + 6'000);
  EXPECT_FALSE(log.due(kStart + 7'000)) << "it may still be leaving";
  log.passed(MediaWay::webrtc, 20, times_at(kStart + 50'000), kStart + 56'000);
  log.sent(MediaWay::websocket, 10, kStart + 7'000);
  log.sent(MediaWay::webrtc, 20, kStart + 57'000);
  EXPECT_TRUE(log.due(kStart + 200'000));
  const auto due = log.take_due(kStart + 200'000, 64);
  ASSERT_EQ(due.size(), 1u) << "the first never left";
  EXPECT_EQ(due[0].id, 2u);
  EXPECT_EQ(due[0].sent_us, kStart + 57'000);
  EXPECT_FALSE(log.due(kStart + 200'000));
  EXPECT_FALSE(log.take(1));
  EXPECT_TRUE(log.take(2));
  EXPECT_FALSE(log.take(2)) << "each is reported once";
}

TEST(FrameLog, MeasuresNoMoreThanThirtyPerSecond) {
  FrameLog log;
  uint32_t count = 0;
  for (uint32_t i = 0; i < 240; ++i) {
    const int64_t at = kStart + i * 4'167;
    log.passed(MediaWay::webrtc, i, times_at(at), at);
    log.sent(MediaWay::webrtc, i, at + 100);
    count += static_cast<uint32_t>(log.take_due(at, 64).size());
  }
  EXPECT_LE(count, 31u);
  EXPECT_GE(count, 20u);
}

TEST(FrameLog, RepeatsAreNoNews) {
  FrameLog log;
  log.passed(MediaWay::webrtc, 1, times_at(kStart, false), kStart);
  EXPECT_FALSE(log.due(kStart + 100'000));
  log.left_out(MediaWay::webrtc, times_at(kStart + 100'000));
  log.passed(MediaWay::webrtc, 2, times_at(kStart + 400'000, false), kStart + 400'000);
  log.sent(MediaWay::webrtc, 2, kStart + 401'000);
  const auto due = log.take_due(kStart + 600'000, 64);
  ASSERT_EQ(due.size(), 1u) << "but for one that brings what a slow viewer missed";
  EXPECT_EQ(due[0].times.capture_us, kStart + 100'000);
}

TEST(FrameLog, TheFirstFrameCapturedAfterAnInputAnswersIt) {
  FrameLog log;
  log.injected(5, kStart);
  log.injected(9, kStart + 2'000);
  EXPECT_EQ(told(log, kStart - 1'000, 1).input, 0u) << "captured before";
  const auto answer = told(log, kStart + 40'000, 2);
  EXPECT_EQ(answer.input, 5u) << "the first of those that it may answer";
  EXPECT_EQ(answer.injected_us, kStart);
  EXPECT_EQ(told(log, kStart + 80'000, 3).input, 0u) << "both are answered";
}

TEST(FrameLog, BothWaysAnswerAlike) {
  FrameLog log;
  log.injected(5, kStart);
  EXPECT_EQ(told(log, kStart + 1'000, 1, MediaWay::websocket).input, 5u);
  EXPECT_EQ(told(log, kStart + 1'000, 2, MediaWay::webrtc).input, 5u);
}

TEST(FrameLog, InputWithoutEffectIsForgotten) {
  FrameLog log;
  log.injected(5, kStart);
  EXPECT_EQ(told(log, kStart + FrameLog::kInputUs + 1'000, 1).input, 0u);
  FrameLog silent;
  silent.injected(5, kStart);
  auto times = times_at(kStart + 1'000);
  times.damage_known = false;
  silent.passed(MediaWay::webrtc, 1, times, kStart + 2'000);
  silent.sent(MediaWay::webrtc, 1, kStart + 3'000);
  EXPECT_EQ(silent.take_due(kStart + 100'000, 64).at(0).input, 0u) << "a source that does not tell of damage answers nothing";
}

TEST(FrameLog, IsBounded) {
  FrameLog log;
  for (uint32_t i = 0; i < 1000; ++i) {
    log.injected(i + 1, kStart + i * 40'000);
    log.passed(MediaWay::webrtc, i, times_at(kStart + i * 40'000), kStart + i * 40'000);
    log.sent(MediaWay::webrtc, i, kStart + i * 40'000);
  }
  EXPECT_EQ(log.take_due(kStart + 100'000'000, 10'000).size(), FrameLog::kFramesMax);
}

TEST(LatencyMeter, SplitsAFrame) {
  FrameLog log;
  LatencyMeter meter;
  const auto frame = told(log, kStart, 1);
  meter.take(report(shown(frame)), log, "udp", kStart + 200'000);
  const auto& figures = meter.by_transport().at("udp");
  const auto stage = [&](LatencyStage which) { return figures.stages[static_cast<size_t>(which)].sum_s(); };
  EXPECT_NEAR(figures.capture_to_photon.sum_s(), 0.020, 1e-9);
  EXPECT_NEAR(stage(LatencyStage::capture), 0.001, 1e-9);
  EXPECT_NEAR(stage(LatencyStage::encode), 0.005, 1e-9);
  EXPECT_NEAR(stage(LatencyStage::send), 0.001, 1e-9);
  EXPECT_NEAR(stage(LatencyStage::network), 0.002, 1e-9);
  EXPECT_NEAR(stage(LatencyStage::decode), 0.003, 1e-9);
  EXPECT_NEAR(stage(LatencyStage::present), 0.008, 1e-9);
  EXPECT_EQ(figures.input_to_photon.count(), 0u);
  EXPECT_EQ(meter.counters().taken, 1u);
}

TEST(LatencyMeter, InputNeedsNoAlignedClocks) {
  FrameLog log;
  LatencyMeter meter;
  log.injected(3, kStart - 10'000);
  const auto frame = told(log, kStart, 1, MediaWay::websocket);
  auto report_of = report(shown(frame));
  report_of.frames[0].input_us = 32'000;
  report_of.sure = false;
  meter.take(report_of, log, "udp", kStart + 200'000);
  const auto& figures = meter.by_transport().at("websocket");
  EXPECT_NEAR(figures.input_to_photon.sum_s(), 0.032, 1e-9);
  EXPECT_EQ(figures.capture_to_photon.count(), 0u) << "that would need them";
  EXPECT_EQ(meter.counters().unsure, 1u);
  EXPECT_FALSE(meter.sure());
}

TEST(LatencyMeter, WhatCannotBeTrueIsRefusedAndCounted) {
  const auto refused = [](auto change) {
    FrameLog log;
    LatencyMeter meter;
    log.injected(3, kStart - 10'000);
    auto said = report(shown(told(log, kStart, 1)));
    change(said.frames[0]);
    meter.take(said, log, "udp", kStart + 200'000);
    EXPECT_TRUE(meter.by_transport().empty());
    return meter.counters();
  };
  EXPECT_EQ(refused([](auto& f) { f.id = 77; }).unknown, 1u) << "a frame that was never told";
  EXPECT_EQ(refused([](auto& f) { f.presented_us = 0; }).absurd, 1u);
  EXPECT_EQ(refused([](auto& f) { f.presented_us = 900'000; }).absurd, 1u) << "shown in the future";
  EXPECT_EQ(refused([](auto& f) { f.presented_us = 61'000'000; }).absurd, 1u);
  EXPECT_EQ(refused([](auto& f) { f.receive_us = 1'000; }).absurd, 1u) << "received before it was sent";
  EXPECT_EQ(refused([](auto& f) { f.receive_us = 21'000; }).absurd, 1u) << "received after it was shown";
  EXPECT_EQ(refused([](auto& f) { f.decoded_us = 8'000; }).absurd, 1u) << "decoded before it was received";
  EXPECT_EQ(refused([](auto& f) { f.receive_us = -5; }).absurd, 1u);
  EXPECT_EQ(refused([](auto& f) { f.input_us = 1'000; }).absurd, 1u) << "the input was injected 17 ms before the frame was sent";
  EXPECT_EQ(refused([](auto& f) { f.input_us = 61'000'000; }).absurd, 1u);
  EXPECT_EQ(refused([](auto& f) { f.input_us = -1; }).absurd, 1u);
}

TEST(LatencyMeter, ReportsAreRateLimitedAndBounded) {
  FrameLog log;
  LatencyMeter meter;
  for (int i = 0; i < 100; ++i)
    meter.take({true, 0, {}}, log, "udp", kStart);
  EXPECT_EQ(meter.counters().late, 80u);
  LatencyReport huge{true, 0, std::vector<ShownFrame>(1000)};
  LatencyMeter other;
  other.take(huge, log, "udp", kStart);
  EXPECT_EQ(other.counters().unknown, LatencyMeter::kReportFramesMax);
}

TEST(LatencyText, FramesAsTheWireHasThem) {
  FrameLog log;
  log.injected(42, kStart - 3'000);
  const LoggedFrame first = told(log, kStart, 4'000'000'000), second = told(log, kStart + 50'000, 7);
  const LoggedFrame both[] = {first, second};
  EXPECT_EQ(frames_json(both, kStart), "[[1,4000000000,0,1000,6000,7000,42,3000],[2,7,50000,1000,6000,7000]]");
  EXPECT_EQ(frames_json({}, kStart), "[]");
}

TEST(LatencyText, MetricsAndJson) {
  FrameLog log;
  LatencyMeter meter;
  meter.take(report(shown(told(log, kStart, 1))), log, "udp", kStart + 200'000);
  const std::string metrics = latency_metrics({{"ab12", &meter}});
  EXPECT_NE(metrics.find("# TYPE vitrine_viewer_capture_to_photon_seconds histogram\n"), std::string::npos);
  EXPECT_NE(metrics.find("vitrine_viewer_capture_to_photon_seconds_bucket{viewer=\"ab12\",transport=\"udp\",le=\"0.020\"} 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("vitrine_viewer_capture_to_photon_seconds_bucket{viewer=\"ab12\",transport=\"udp\",le=\"0.015\"} 0\n"), std::string::npos);
  EXPECT_NE(metrics.find("vitrine_viewer_capture_to_photon_seconds_sum{viewer=\"ab12\",transport=\"udp\"} 0.020000\n"), std::string::npos);
  EXPECT_NE(metrics.find("stage=\"network\""), std::string::npos);
  EXPECT_EQ(metrics.find("stage=\"input\""), std::string::npos) << "no sample, no lines";
  EXPECT_NE(metrics.find("vitrine_viewer_clock_sure{viewer=\"ab12\"} 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("vitrine_viewer_clock_uncertainty_seconds{viewer=\"ab12\"} 0.000300\n"), std::string::npos);
  const std::string json = latency_json(meter);
  EXPECT_NE(json.find("\"clock\":{\"sure\":true,\"uncertainty_ms\":0.300}"), std::string::npos) << json;
  EXPECT_NE(json.find("\"udp\":{\"capture_to_photon\":{\"count\":1,\"p50_ms\":20.000,\"p95_ms\":20.000}"), std::string::npos) << json;
}

}  // namespace
}  // namespace vitrine
