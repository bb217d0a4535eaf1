// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/rate/twcc.h"

#include <gtest/gtest.h>

#include <random>

#include "webrtc/rate/report-loss.h"
#include "webrtc/rate/send-log.h"

namespace vitrine {
namespace {

using Bytes = std::vector<uint8_t>;

// Base 0xfffe, 3 packets, reference 0x010203, feedback 9; chunk: run of 3 small deltas.
const Bytes kRun = {0xff, 0xfe, 0, 3, 1, 2, 3, 9, 0x20, 3, 4, 8, 12};

TEST(Twcc, ReadsARunAndSequencesThatWrap) {
  const auto feedback = parse_twcc(kRun);
  ASSERT_TRUE(feedback);
  EXPECT_EQ(feedback->reference, 0x010203u);
  EXPECT_EQ(feedback->count, 9);
  ASSERT_EQ(feedback->packets.size(), 3u);
  EXPECT_EQ(feedback->packets[0].sequence, 0xfffe);
  EXPECT_EQ(feedback->packets[2].sequence, 0);
  EXPECT_EQ(feedback->packets[0].arrival_us, 1000);
  EXPECT_EQ(feedback->packets[2].arrival_us, 6000);
}

TEST(Twcc, ReadsVectorsAndNegativeDeltas) {
  // Two-bit vector: small, large (−1 ms), missing, then nothing; the count ends it.
  const Bytes fci = {0, 10, 0, 3, 0, 0, 1, 0, 0xd8, 0x00, 40, 0xff, 0xfc};
  const auto feedback = parse_twcc(fci);
  ASSERT_TRUE(feedback);
  EXPECT_EQ(feedback->packets[0].arrival_us, 10'000);
  EXPECT_EQ(feedback->packets[1].arrival_us, 9'000);
  EXPECT_FALSE(feedback->packets[2].received);
  // One-bit vector: 14 symbols, every other received.
  const Bytes bits = {0, 0, 0, 14, 0, 0, 0, 0, 0xaa, 0xaa, 1, 1, 1, 1, 1, 1, 1};
  const auto second = parse_twcc(bits);
  ASSERT_TRUE(second);
  for (size_t i = 0; i < 14; ++i)
    EXPECT_EQ(second->packets[i].received, i % 2 == 0) << i;
}

TEST(Twcc, RefusesWhatIsCutShortOrReserved) {
  for (size_t size = 0; size < kRun.size(); ++size)
    EXPECT_FALSE(parse_twcc(std::span(kRun).first(size))) << size;
  EXPECT_FALSE(parse_twcc(Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0x20, 1, 4})) << "no packets";
  EXPECT_FALSE(parse_twcc(Bytes{0, 0, 0, 1, 0, 0, 0, 0, 0x20, 0, 4})) << "an empty run";
  EXPECT_FALSE(parse_twcc(Bytes{0, 0, 0, 1, 0, 0, 0, 0, 0x60, 1, 4})) << "reserved symbol";
  EXPECT_FALSE(parse_twcc(Bytes{0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x1f, 0xff})) << "too many";
}

TEST(Twcc, SurvivesNoise) {
  std::mt19937 random(4);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes(random() % 64);
    for (auto& byte : bytes)
      byte = static_cast<uint8_t>(random());
    if (const auto feedback = parse_twcc(bytes)) {
      EXPECT_EQ(feedback->packets.size(), static_cast<size_t>(bytes[2] << 8 | bytes[3]));
    }
    find_twcc(bytes, [](auto fci) { parse_twcc(fci); });
  }
}

TEST(FindTwcc, LooksIntoCompoundPackets) {
  Bytes rtcp = {0x80, 201, 0, 1, 0, 0, 0, 1};  // receiver report without blocks
  const size_t padded = (kRun.size() + 3) / 4 * 4;
  const Bytes head = {0xaf, 205, 0, static_cast<uint8_t>(2 + padded / 4), 0, 0, 0, 1, 0, 0, 0, 2};
  rtcp.insert(rtcp.end(), head.begin(), head.end());
  rtcp.insert(rtcp.end(), kRun.begin(), kRun.end());
  rtcp.resize(8 + 12 + padded);
  rtcp.back() = static_cast<uint8_t>(padded - kRun.size());
  int found = 0;
  find_twcc(rtcp, [&](std::span<const uint8_t> fci) {
    ++found;
    EXPECT_TRUE(parse_twcc(fci));
    EXPECT_EQ(fci.size(), kRun.size());
  });
  EXPECT_EQ(found, 1);
  for (size_t size = 0; size < rtcp.size(); ++size)
    find_twcc(std::span(rtcp).first(size), [&](auto) { FAIL() << "cut at " << size; });
}

TEST(Unwrapper, GoesOnThroughWrapsBothWays) {
  Unwrapper<24> reference;
  EXPECT_EQ(reference.take(0xffffff), 0xffffff);
  EXPECT_EQ(reference.take(1), 0x1000001);
  EXPECT_EQ(reference.take(0xfffffe), 0xfffffe) << "one that was late";
  EXPECT_EQ(reference.take(2), 0x1000002);
  Unwrapper<16> sequence;
  int64_t expected = 65000;
  for (int i = 0; i < 200000; ++i, ++expected)
    ASSERT_EQ(sequence.take(static_cast<uint16_t>(expected)), expected);
}

Bytes report(uint16_t base, uint32_t reference, const std::vector<bool>& received) {
  Bytes fci = {static_cast<uint8_t>(base >> 8), static_cast<uint8_t>(base), static_cast<uint8_t>(received.size() >> 8),
               static_cast<uint8_t>(received.size()), static_cast<uint8_t>(reference >> 16), static_cast<uint8_t>(reference >> 8),
               static_cast<uint8_t>(reference), 0};
  for (const bool one : received) {
    fci.push_back(one ? 0x20 : 0);
    fci.push_back(1);
  }
  for (const bool one : received)
    if (one)
      fci.push_back(4);
  return fci;
}

TEST(SendLog, MatchesEachPacketOnce) {
  SendLog log;
  for (int i = 0; i < 10; ++i)
    log.sent(static_cast<uint16_t>(65530 + i), 1, 1000, 1000 * i);
  const auto first = log.take(report(65530, 100, std::vector<bool>(10, true)), 50'000);
  ASSERT_EQ(first.size(), 10u);
  EXPECT_EQ(first[9].arrived_us, 6'400'000 + 10'000);
  EXPECT_TRUE(log.take(report(65530, 100, std::vector<bool>(10, true)), 60'000).empty());
  EXPECT_GE(log.statistics().replayed + log.statistics().unknown, 10u);
  EXPECT_TRUE(log.take(report(20000, 100, {true, true}), 60'000).empty());
  EXPECT_GE(log.statistics().unknown, 2u);
  EXPECT_TRUE(log.take(Bytes{1, 2, 3}, 60'000).empty());
  EXPECT_EQ(log.statistics().malformed, 1u);
}

TEST(SendLog, TellsLossOnlyAfterLateArrivalsHadTheirTime) {
  SendLog log;
  for (uint16_t i = 0; i < 4; ++i)
    log.sent(i, 1, 1000, 0);
  EXPECT_EQ(log.take(report(0, 100, {true, false, false, true}), 50'000).size(), 2u);
  const auto late = log.take(report(1, 101, {true}), 110'000);  // it was only late
  ASSERT_EQ(late.size(), 1u);
  EXPECT_FALSE(late[0].lost());
  for (uint16_t i = 4; i < 6; ++i)
    log.sent(i, 2, 1000, 120'000);
  const auto later = log.take(report(4, 103, {true, true}), 200'000);
  ASSERT_EQ(later.size(), 3u);
  EXPECT_TRUE(later[0].lost());
}

TEST(SendLog, DoesNotBelieveAForgedClockAtOnce) {
  SendLog log;
  for (uint16_t i = 0; i < 4; ++i)
    log.sent(i, 1, 1000, 0);
  EXPECT_EQ(log.take(report(0, 100, {true}), 50'000).size(), 1u);
  EXPECT_TRUE(log.take(report(1, 5'000'000, {true}), 100'000).empty());
  EXPECT_EQ(log.statistics().absurd, 1u);
}

TEST(ReportedLoss, IsThatOfTheStreamAskedFor) {
  const auto block = [](uint8_t ssrc, uint8_t lost) {
    std::vector<uint8_t> bytes(24);
    bytes[3] = ssrc;
    bytes[4] = lost;
    return bytes;
  };
  std::vector<uint8_t> rtcp = {0x82, 201, 0, 13, 0, 0, 0, 9};  // a receiver report with two blocks
  for (const auto& part : {block(1, 64), block(2, 128)})
    rtcp.insert(rtcp.end(), part.begin(), part.end());
  EXPECT_EQ(reported_loss(rtcp, 1), 0.25);
  EXPECT_EQ(reported_loss(rtcp, 2), 0.5);
  EXPECT_FALSE(reported_loss(rtcp, 3));

  std::vector<uint8_t> compound = {0x81, 200, 0, 12};  // a sender report comes first
  compound.resize(28);
  const auto own = block(1, 32);
  compound.insert(compound.end(), own.begin(), own.end());
  EXPECT_EQ(reported_loss(compound, 1), 0.125);
  compound.insert(compound.end(), rtcp.begin(), rtcp.end());
  EXPECT_EQ(reported_loss(compound, 1), 0.25) << "the last one counts";

  rtcp[0] = 0x9f;  // claims 31 blocks
  EXPECT_EQ(reported_loss(rtcp, 2), 0.5);
  rtcp[3] = 14;
  EXPECT_FALSE(reported_loss(rtcp, 1)) << "longer than it is";
  EXPECT_FALSE(reported_loss({}, 1));
}

}  // namespace
}  // namespace vitrine
