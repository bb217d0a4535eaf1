// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/input-sequencer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace vitrine {
namespace {

InputRecord key(uint32_t sequence, uint32_t after) { return {sequence, after, 0, KeyInput{true, false, 30, 'a', 0}}; }
InputRecord pointer(uint32_t sequence, uint32_t after) {
  return {sequence, after, 0, PointerInput{{static_cast<uint16_t>(sequence), 0, 100, 100}}};
}

InputRecord sticks(uint32_t sequence, uint32_t after, uint8_t pad = 0) { return {sequence, after, 0, PadAxesInput{{pad, 0, {}}}}; }
InputRecord buttons(uint32_t sequence, uint32_t after, uint8_t pad = 0) { return {sequence, after, 0, PadButtonsInput{{pad, 1, {}}}}; }

std::vector<uint32_t> sequences(const std::vector<InputRecord>& records) {
  std::vector<uint32_t> result;
  for (const auto& record : records)
    result.push_back(record.sequence);
  return result;
}

TEST(InputSequencer, AppliesEachRecordOnce) {
  InputSequencer sequencer;
  std::vector<InputRecord> due;
  EXPECT_TRUE(sequencer.push({key(1, 0), pointer(2, 1)}, due));
  EXPECT_TRUE(sequencer.push({key(1, 0), pointer(2, 1)}, due));
  EXPECT_EQ(sequences(due), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(sequencer.statistics().duplicates, 2u);
}

TEST(InputSequencer, HoldsAKeyUntilItsPredecessorComes) {
  InputSequencer sequencer;
  std::vector<InputRecord> due;
  EXPECT_TRUE(sequencer.push({key(3, 2)}, due));
  EXPECT_TRUE(sequencer.push({key(2, 1)}, due));
  EXPECT_TRUE(due.empty());
  EXPECT_TRUE(sequencer.push({key(1, 0)}, due));
  EXPECT_EQ(sequences(due), (std::vector<uint32_t>{1, 2, 3}));
}

TEST(InputSequencer, ALostPointerPositionDelaysNothing) {
  InputSequencer sequencer;
  std::vector<InputRecord> due;
  EXPECT_TRUE(sequencer.push({key(1, 0)}, due));
  // Record 2, a pointer position, is lost.
  EXPECT_TRUE(sequencer.push({key(3, 1), pointer(4, 3)}, due));
  EXPECT_EQ(sequences(due), (std::vector<uint32_t>{1, 3, 4}));
  // It comes late: newer input overtook it.
  EXPECT_TRUE(sequencer.push({pointer(2, 1)}, due));
  EXPECT_EQ(due.size(), 3u);
  EXPECT_EQ(sequencer.statistics().overtaken, 1u);
}

TEST(InputSequencer, AKeyDoesNotOvertakeASticksPosition) {
  InputSequencer sequencer;
  std::vector<InputRecord> due;
  // Records 1 and 2, of two gamepads, come after the key that was made later.
  EXPECT_TRUE(sequencer.push({key(3, 0), sticks(1, 0, 0), sticks(2, 0, 1)}, due));
  EXPECT_EQ(sequences(due), (std::vector<uint32_t>{3, 1, 2}));
  EXPECT_EQ(sequencer.statistics().overtaken, 0u);
}

TEST(InputSequencer, WhatIsNewerOfTheSameGamepadOvertakes) {
  InputSequencer sequencer;
  std::vector<InputRecord> due;
  EXPECT_TRUE(sequencer.push({sticks(2, 0), sticks(1, 0), sticks(2, 0)}, due));
  EXPECT_EQ(sequences(due), (std::vector<uint32_t>{2}));
  EXPECT_EQ(sequencer.statistics().overtaken, 1u);
  EXPECT_EQ(sequencer.statistics().duplicates, 1u);
  EXPECT_TRUE(sequencer.push({buttons(4, 0), sticks(3, 0), sticks(5, 4)}, due));
  EXPECT_EQ(sequences(due), (std::vector<uint32_t>{2, 4, 5}));
}

TEST(InputSequencer, NoPressOfAButtonIsLost) {
  InputSequencer sequencer;
  std::vector<InputRecord> due;
  // The datagram with the press is lost; its release waits for the copy on the WebSocket.
  EXPECT_TRUE(sequencer.push({buttons(2, 1), sticks(3, 2)}, due));
  EXPECT_TRUE(due.empty());
  EXPECT_TRUE(sequencer.push({buttons(1, 0)}, due));
  EXPECT_EQ(sequences(due), (std::vector<uint32_t>{1, 2, 3}));
}

TEST(InputSequencer, EndsASessionThatMakesTooMuchWait) {
  InputSequencer sequencer;
  std::vector<InputRecord> due;
  bool accepted = true;
  for (uint32_t i = 0; accepted && i < 2 * InputSequencer::kWaitingMax; ++i)
    accepted = sequencer.push({key(i + 10, i + 9)}, due);
  EXPECT_FALSE(accepted);
  EXPECT_LE(sequencer.waiting(), InputSequencer::kWaitingMax + 1);
}

// Whatever two channels do to a stream (loss on one, reordering, duplicates), ordered records come out complete and in order.
TEST(InputSequencer, SurvivesAnyInterleavingOfTwoChannels) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<InputRecord> sent;
    uint32_t after = 0;
    for (uint32_t sequence = 1; sequence <= 200; ++sequence) {
      sent.push_back(random() % 2 ? key(sequence, after) : pointer(sequence, after));
      if (sent.back().ordered())
        after = sequence;
    }
    // The reliable channel lags behind by up to 60 records; the other loses a fifth and swaps neighbours.
    std::vector<std::pair<double, InputRecord>> arrivals;
    const double lag = static_cast<double>(random() % 60);
    for (size_t i = 0; i < sent.size(); ++i) {
      arrivals.emplace_back(static_cast<double>(i) + lag, sent[i]);
      if (random() % 5)
        arrivals.emplace_back(static_cast<double>(i) + random() % 8, sent[i]);
    }
    std::stable_sort(arrivals.begin(), arrivals.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    InputSequencer sequencer;
    std::vector<InputRecord> due;
    for (const auto& arrival : arrivals)
      ASSERT_TRUE(sequencer.push({arrival.second}, due));
    std::vector<uint32_t> expected, ordered, unordered;
    for (const auto& record : sent)
      if (record.ordered())
        expected.push_back(record.sequence);
    for (const auto& record : due)
      (record.ordered() ? ordered : unordered).push_back(record.sequence);
    EXPECT_EQ(ordered, expected);
    EXPECT_TRUE(std::is_sorted(unordered.begin(), unordered.end()));
    EXPECT_EQ(sequencer.waiting(), 0u);
  }
}

}  // namespace
}  // namespace vitrine
