// SPDX-License-Identifier: LGPL-2.1-or-later
// Input of several viewers on its way to the desktop; keyframe requests and rate limits.
#include "webrtc/control-input.h"

#include <gtest/gtest.h>

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
