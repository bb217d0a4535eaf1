// SPDX-License-Identifier: LGPL-2.1-or-later
// Input of several viewers on its way to the desktop; keyframe requests and rate limits.
#include "webrtc/control-input.h"

#include <gtest/gtest.h>

#include <set>

#include "webrtc/hold-meter.h"
#include "webrtc/keyframe-gate.h"

namespace vitrine {
namespace {

class Input : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  std::vector<uint8_t> key(uint32_t sequence, uint16_t code) {
    std::vector<uint8_t> bytes;
    encode_input({sequence, sequence - 1, 0, KeyInput{true, false, code, 0, 0}}, bytes);
    return bytes;
  }

  std::vector<InputRecord> got;
  std::vector<std::string> messages;
  std::shared_ptr<ControlOutput> output = std::make_shared<ControlOutput>([this](Ref<GstBuffer> buffer) {
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(buffer.get(), &map, GST_MAP_READ));
    if (map.size > 0 && map.data[0] == '{') {
      messages.emplace_back(reinterpret_cast<char*>(map.data), map.size);
    } else {
      const auto decoded = decode_input({map.data, map.size});
      EXPECT_EQ(decoded.error, InputError::none);
      got.insert(got.end(), decoded.records.begin(), decoded.records.end());
    }
    gst_buffer_unmap(buffer.get(), &map);
  });
};

TEST_F(Input, OnlyTheHoldersPasses) {
  ViewerInput a("a", output), b("b", output);
  EXPECT_EQ(a.message(key(1, 30)), nullptr);
  EXPECT_TRUE(got.empty());
  output->set_holder("a");
  EXPECT_EQ(a.message(key(2, 31)), nullptr);
  EXPECT_EQ(b.message(key(1, 32)), nullptr);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(std::get<KeyInput>(got[0].body).code, 31);
  EXPECT_TRUE(output->push_message("a", "{}"));
  EXPECT_FALSE(output->push_message("b", "{}"));
  EXPECT_EQ(messages.size(), 1u);
}

TEST_F(Input, AHandOverLetsGoOfEverything) {
  output->set_holder("a");
  EXPECT_TRUE(got.empty());
  output->set_holder("b");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].type(), InputType::release);
  output->set_holder("b");
  EXPECT_EQ(got.size(), 1u);
  output->set_holder("");
  EXPECT_EQ(got.size(), 2u);
}

TEST_F(Input, ARecordOnBothChannelsIsAppliedOnce) {
  output->set_holder("a");
  ViewerInput a("a", output);
  EXPECT_EQ(a.message(key(2, 31)), nullptr) << "the data channel lost the first";
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(a.message(key(1, 30)), nullptr);
  EXPECT_EQ(a.message(key(2, 31)), nullptr);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(std::get<KeyInput>(got[0].body).code, 30);
  EXPECT_EQ(a.records(), 2u);
}

TEST_F(Input, AWholeSessionOnTwoChannelsIsAppliedOnceAndInOrder) {
  output->set_holder("a");
  ViewerInput a("a", output);
  constexpr uint32_t kCount = 500;
  // The data channel loses every third and runs ahead of the WebSocket by 20.
  for (uint32_t i = 1; i <= kCount + 20; ++i) {
    if (i <= kCount && i % 3 != 0) {
      ASSERT_EQ(a.message(key(i, static_cast<uint16_t>(1 + i % 200))), nullptr);
    }
    if (i > 20) {
      ASSERT_EQ(a.message(key(i - 20, static_cast<uint16_t>(1 + (i - 20) % 200))), nullptr);
    }
  }
  ASSERT_EQ(got.size(), kCount);
  for (uint32_t i = 0; i < kCount; ++i)
    EXPECT_EQ(got[i].sequence, i + 1);
  EXPECT_EQ(a.records(), kCount);
}

TEST_F(Input, WhatWasTypedWithoutControlIsNotPlayedLater) {
  ViewerInput a("a", output);
  EXPECT_EQ(a.message(key(2, 31)), nullptr);
  EXPECT_EQ(a.message(key(1, 30)), nullptr);
  output->set_holder("a");
  EXPECT_EQ(a.message(key(1, 30)), nullptr);
  EXPECT_EQ(a.message(key(2, 31)), nullptr);
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(a.message(key(3, 32)), nullptr);
  EXPECT_EQ(got.size(), 1u);
}

TEST_F(Input, AHolderThatComesBackIsLetGoOfInBetween) {
  output->set_holder("a");
  ViewerInput a("a", output), b("b", output);
  EXPECT_EQ(a.message(key(1, 30)), nullptr);
  output->set_holder("b");
  EXPECT_EQ(a.message(key(2, 31)), nullptr);
  output->set_holder("a");
  EXPECT_EQ(a.message(key(3, 32)), nullptr);
  std::vector<InputType> types;
  for (const auto& record : got)
    types.push_back(record.type());
  EXPECT_EQ(types, (std::vector{InputType::key, InputType::release, InputType::release, InputType::key}));
}

TEST_F(Input, TimesTheHoldersInput) {
  output->set_holder("a");
  const int64_t start = output->last_input_us();
  EXPECT_GT(start, 0);
  ViewerInput a("a", output), b("b", output);
  while (g_get_monotonic_time() == start) {
  }
  EXPECT_EQ(b.message(key(1, 30)), nullptr);
  EXPECT_TRUE(output->push_message("a", "{}"));
  EXPECT_EQ(output->last_input_us(), start) << "neither others' input nor messages are the holder's input";
  EXPECT_EQ(a.message(key(1, 30)), nullptr);
  EXPECT_GT(output->last_input_us(), start);
}

// What was typed must not reach a log by way of a reason.
TEST_F(Input, ReasonsHoldNoByteOfTheInput) {
  output->set_holder("a");
  std::set<std::string> reasons;
  for (uint8_t byte = 0; byte < 255; ++byte) {
    for (size_t at = 0; at < 28; ++at) {
      ViewerInput a("a", output);
      auto bytes = key(1, 30);
      bytes[at] = byte;
      if (const char* reason = a.message(bytes))
        reasons.insert(reason);
    }
    ViewerInput b("a", output);
    if (const char* reason = b.message(std::vector<uint8_t>(50, byte)))
      reasons.insert(reason);
  }
  EXPECT_GE(reasons.size(), 3u);
  EXPECT_LE(reasons.size(), 10u) << "reasons are fixed texts, not made from the input";
}

TEST_F(Input, GarbageAndFloodsAreRefused) {
  output->set_holder("a");
  ViewerInput a("a", output);
  EXPECT_NE(a.message(std::vector<uint8_t>{9, 9, 9}), nullptr);
  const char* refused = nullptr;
  uint32_t sequence = 0;
  for (int i = 0; i < 100000 && !refused; ++i)
    refused = a.message(key(++sequence, 30));
  EXPECT_STREQ(refused, "too much input");
  ViewerInput b("b", output);
  refused = nullptr;
  for (uint32_t i = 10; i < 2000 && !refused; ++i)
    refused = b.message(key(i, 30));
  EXPECT_STREQ(refused, "too many records wait for a missing one");
}

TEST(KeyframeGate, PassesTheFirstAndCoalescesTheRest) {
  KeyframeGate gate(500);
  EXPECT_TRUE(gate.request(1000));
  EXPECT_FALSE(gate.request(1001));
  EXPECT_FALSE(gate.request(1400));
  EXPECT_FALSE(gate.poll(1499));
  EXPECT_TRUE(gate.poll(1500));
  EXPECT_FALSE(gate.poll(5000)) << "one request, one keyframe";
  EXPECT_TRUE(gate.request(5000));
  EXPECT_FALSE(gate.request(5100));
  gate.keyframe_passed();
  EXPECT_FALSE(gate.poll(9000)) << "whoever waited has it";
}

TEST(TokenBucket, AllowsABurstAndThenTheRate) {
  TokenBucket bucket(10, 5);
  int64_t now = 1'000'000;
  int taken = 0;
  while (bucket.take(now))
    ++taken;
  EXPECT_EQ(taken, 5);
  EXPECT_TRUE(bucket.take(now + 100'000));
  EXPECT_FALSE(bucket.take(now + 100'000));
  EXPECT_FALSE(bucket.take(now + 60'000'000, 6)) << "never more than the burst";
}

TEST(KeyframeGate, KeepsTheIntervalWhateverIsAsked) {
  KeyframeGate gate(500);
  int64_t last = -1000;
  int passed = 0;
  for (int64_t now = 0; now < 10'000; now += 7) {
    const bool ask = now % 21 == 0 ? gate.request(now) : gate.poll(now);
    if (!ask)
      continue;
    EXPECT_GE(now - last, 500);
    last = now;
    ++passed;
  }
  EXPECT_GE(passed, 18);
  EXPECT_LE(passed, 20);
  EXPECT_FALSE(KeyframeGate(500).poll(1000)) << "nobody asked";
}

TEST(TokenBucket, TakesAllOrNothing) {
  TokenBucket bucket(1000, 100);
  EXPECT_FALSE(bucket.take(1, 101));
  EXPECT_TRUE(bucket.take(1, 100)) << "the refusal took none";
  EXPECT_FALSE(bucket.take(1, 1));
  EXPECT_TRUE(bucket.take(50'001, 50));
  EXPECT_FALSE(bucket.take(50'001, 1));
  EXPECT_TRUE(bucket.take(50'001, 0));
}

TEST(TokenBucket, HoldsTheRateOverTime) {
  TokenBucket bucket(200, 400);
  int taken = 0;
  for (int64_t now = 1'000'000; now <= 11'000'000; now += 1000)
    taken += bucket.take(now);
  EXPECT_NEAR(taken, 400 + 2000, 2);
}

TEST(HoldMeter, MeasuresMarkedPacketsOnly) {
  HoldMeter meter;
  const uint8_t marked[12] = {0x80, 0x80 | 96, 0, 7}, plain[12] = {0x80, 96, 0, 8}, rtcp[12] = {0x80, 200, 0, 6};
  meter.entered(marked, 1000);
  meter.entered(plain, 1000);
  meter.entered(rtcp, 1000);
  meter.left(plain, 5000);
  meter.left(rtcp, 5000);
  meter.left(marked, 1500);
  meter.left(marked, 9000);  // a retransmission
  const auto quantiles = meter.quantiles();
  EXPECT_EQ(quantiles.count, 1u);
  EXPECT_DOUBLE_EQ(quantiles.p50_s, 0.0005);
}

}  // namespace
}  // namespace vitrine
