// SPDX-License-Identifier: LGPL-2.1-or-later
// Gamepads without programs: mapping, plugging, letting go, motors, messages.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "remote/gamepad/gamepad-message.h"
#include "remote/gamepad/pad-player.h"

namespace vitrine {
namespace {

constexpr PadInput kStandard{0, PadKind::standard, 17, 4};

InputRecord record(InputBody body) { return {1, 0, 0, std::move(body)}; }
PadState state_with(uint32_t buttons, std::array<int16_t, kPadAxesMost> axes = {}) { return {0, buttons, axes}; }

/// Remembers what it was told.
class FakeBackend final : public PadBackend {
 public:
  bool plug(uint8_t pad, const PadShape& shape, std::string& error) override {
    if (fails)
      error = "no room";
    else
      log.push_back("plug " + std::to_string(pad) + " " + shape.name);
    return !fails;
  }
  void unplug(uint8_t pad) override { log.push_back("unplug " + std::to_string(pad)); }
  void report(uint8_t pad, std::span<const PadEvent> events, const PadValues& now) override {
    log.push_back("report " + std::to_string(pad) + " " + std::to_string(events.size()));
    values[pad] = now;
  }
  int fd() const override { return -1; }
  void serve(PadFeedback&) override {}
  std::vector<std::string> take() { return std::exchange(log, {}); }

  bool fails = false;
  std::vector<std::string> log;
  std::array<PadValues, kPadsMost> values;
};

class Player : public ::testing::Test {
 protected:
  void play(std::initializer_list<InputBody> bodies, int64_t now) {
    std::vector<InputRecord> records;
    for (const auto& body : bodies)
      records.push_back(record(body));
    player.play(records, now);
  }
  std::vector<PadPlayer::Order> tick(int64_t now) {
    std::vector<PadPlayer::Order> orders;
    next = player.tick(now, orders);
    return orders;
  }

  FakeBackend backend;
  std::vector<std::string> warnings;
  std::optional<int64_t> next;
  PadPlayer player{backend, {2000, 5000}, [this](const std::string& text) { warnings.push_back(text); }};
};

using Log = std::vector<std::string>;

TEST(PadShape, TheStandardMappingIsAnXbox360Pad) {
  const PadShape shape = shape_of(kStandard);
  EXPECT_EQ(shape.id.vendor, 0x045e);
  EXPECT_EQ(shape.id.product, 0x028e);
  EXPECT_EQ(shape.buttons.size(), 11u);
  EXPECT_TRUE(std::is_sorted(shape.buttons.begin(), shape.buttons.end()));
  EXPECT_EQ(shape.axes.size(), 8u);
  // Every button of the browser, alone.
  const std::vector<PadEvent> expected = {
      {EV_KEY, BTN_A, 1},      {EV_KEY, BTN_B, 1},       {EV_KEY, BTN_X, 1},     {EV_KEY, BTN_Y, 1},      {EV_KEY, BTN_TL, 1},
      {EV_KEY, BTN_TR, 1},     {EV_ABS, ABS_Z, 255},     {EV_ABS, ABS_RZ, 255},  {EV_KEY, BTN_SELECT, 1}, {EV_KEY, BTN_START, 1},
      {EV_KEY, BTN_THUMBL, 1}, {EV_KEY, BTN_THUMBR, 1},  {EV_ABS, ABS_HAT0Y, -1}, {EV_ABS, ABS_HAT0Y, 1}, {EV_ABS, ABS_HAT0X, -1},
      {EV_ABS, ABS_HAT0X, 1},  {EV_KEY, BTN_MODE, 1},
  };
  for (unsigned button = 0; button < expected.size(); ++button) {
    const auto events = events_between(shape, rest_of(shape), values_of(shape, state_with(1u << button)));
    ASSERT_EQ(events.size(), 1u) << button;
    EXPECT_EQ(events[0], expected[button]) << button;
  }
  EXPECT_EQ(values_of(shape, state_with(0xffffffffu << 17)), rest_of(shape));
}

TEST(PadShape, SticksAndTriggersKeepTheirRange) {
  const PadShape shape = shape_of(kStandard);
  const PadValues values = values_of(shape, state_with(1u << 6, {32767, -32768, 16384, -1, 16384, 32767}));
  EXPECT_EQ(values.axes, (std::vector<int32_t>{32767, -32768, 127, 16384, -1, 255, 0, 0}));
  // A trigger never goes below rest, and both ends of the cross are none.
  EXPECT_EQ(values_of(shape, state_with(0xf000, {0, 0, 0, 0, -5, -32768})), rest_of(shape));
}

TEST(PadShape, OtherPadsAreJoysticksOfTheirSize) {
  const PadShape shape = shape_of({1, PadKind::raw, 32, 8});
  EXPECT_EQ(shape.buttons.size(), 32u);
  EXPECT_EQ(shape.buttons[0], BTN_TRIGGER);
  EXPECT_EQ(shape.buttons[12], BTN_TRIGGER_HAPPY1);
  EXPECT_EQ(shape.axes.size(), 8u);
  const PadValues all = values_of(shape, {1, 0xffffffff, {-32768, 1, 2, 3, 4, 5, 6, 7}});
  EXPECT_EQ(all.buttons, 0xffffffff);
  EXPECT_EQ(all.axes, (std::vector<int32_t>{-32767, 1, 2, 3, 4, 5, 6, 7}));
  // What was not announced is ignored; two axes there must be.
  const PadShape small = shape_of({1, PadKind::raw, 2, 0});
  EXPECT_EQ(small.axes.size(), 2u);
  EXPECT_EQ(values_of(small, {1, 0xff, {0, 0, 9, 9, 9, 9, 9, 9}}), (PadValues{3, {0, 0}}));
}

TEST(PadShape, TheJoystickInterfaceSeesFullRangesAndAMiddle) {
  EXPECT_EQ(joystick_value({ABS_X, -32768, 32767}, 32767), 32767);
  EXPECT_EQ(joystick_value({ABS_X, -32768, 32767}, -32768), -32767);
  EXPECT_EQ(joystick_value({ABS_X, -32768, 32767}, 0), 0);
  EXPECT_EQ(joystick_value({ABS_Z, 0, 255}, 0), -32767);
  EXPECT_EQ(joystick_value({ABS_Z, 0, 255}, 255), 32767);
  EXPECT_EQ(joystick_value({ABS_HAT0X, -1, 1}, -1), -32767);
  EXPECT_EQ(joystick_value({ABS_X, 5, 5}, 5), 0);
}

TEST_F(Player, PlugsReportsAndUnplugs) {
  play({kStandard, PadButtonsInput{state_with(1)}, PadAxesInput{state_with(1, {5})}}, 0);
  EXPECT_EQ(backend.take(), (Log{"plug 0 Microsoft X-Box 360 pad", "report 0 1", "report 0 1"}));
  // The same state again is no news.
  play({PadAxesInput{state_with(1, {5})}}, 1);
  EXPECT_TRUE(backend.take().empty());
  play({PadInput{0, PadKind::gone, 0, 0}, PadButtonsInput{state_with(2)}}, 2);
  EXPECT_EQ(backend.take(), Log{"unplug 0"});
}

TEST_F(Player, StatesOfPadsThatAreNotThereAreIgnored) {
  play({PadButtonsInput{{3, 1, {}}}, PadAxesInput{{1, 0, {1}}}}, 0);
  EXPECT_TRUE(backend.take().empty());
}

TEST_F(Player, LetsGoWhenTheViewerSaysSoOrFallsSilent) {
  play({kStandard, PadButtonsInput{state_with(3)}, ReleaseInput{}}, 0);
  EXPECT_EQ(backend.take().back(), "report 0 2");
  EXPECT_EQ(backend.values[0].buttons, 0u);
  tick(0);
  EXPECT_FALSE(next);
  play({PadButtonsInput{state_with(3)}}, 1000);
  tick(1000);
  EXPECT_EQ(next, 3000);
  play({AliveInput{}}, 2000);
  tick(3000);
  EXPECT_EQ(backend.values[0].buttons, 3u);
  EXPECT_EQ(next, 4000);
  tick(4000);
  EXPECT_EQ(backend.values[0].buttons, 0u);
  EXPECT_EQ(player.statistics().timeouts, 1u);
  EXPECT_EQ(player.plugged(), 1u);
}

TEST_F(Player, APedalRestsWhereItBegan) {
  const PadInput wheel{0, PadKind::raw, 4, 3};
  play({wheel, PadAxesInput{state_with(0, {0, -32767, 12000})}}, 0);
  tick(0);
  EXPECT_TRUE(next) << "the third axis is not at rest";
  play({PadAxesInput{state_with(1, {500, 32767, 0})}}, 10);
  play({ReleaseInput{}}, 20);
  EXPECT_EQ(backend.values[0], (PadValues{0, {0, -32767, 0}}));
  tick(20);
  EXPECT_FALSE(next) << "at rest nothing is due";
  // Announced anew it stays where it rests; another one knows nothing of that.
  backend.take();
  play({wheel}, 30);
  EXPECT_EQ(backend.take(), Log{});
  play({PadInput{0, PadKind::raw, 5, 3}, PadAxesInput{state_with(0)}, PadAxesInput{state_with(0, {0, -32767})}, ReleaseInput{}}, 40);
  EXPECT_EQ(backend.values[0], (PadValues{0, {0, 0, 0}})) << "what moves to an end later does not rest there";
}

TEST_F(Player, AnotherHolderGetsTheSamePadsOrNone) {
  player.set_holder("a", 0);
  play({kStandard, PadInput{1, PadKind::raw, 4, 2}, PadButtonsInput{state_with(1)}}, 0);
  backend.take();
  player.set_holder("b", 10);
  EXPECT_EQ(backend.values[0].buttons, 0u);
  tick(10);
  EXPECT_EQ(next, 5010);
  backend.take();
  // A late state of the one before is not the new one's.
  play({PadButtonsInput{state_with(1)}}, 20);
  EXPECT_TRUE(backend.take().empty());
  play({kStandard, PadButtonsInput{state_with(2)}}, 30);
  EXPECT_EQ(backend.take(), Log{"report 0 1"});
  tick(5010);
  EXPECT_EQ(backend.take(), (Log{"report 0 1", "unplug 1"}));
  EXPECT_EQ(player.plugged(), 1u);
}

TEST_F(Player, AnotherShapeIsAnotherPad) {
  play({kStandard, PadInput{0, PadKind::raw, 4, 2}}, 0);
  EXPECT_EQ(backend.take(), (Log{"plug 0 Microsoft X-Box 360 pad", "unplug 0", "plug 0 Vitrine gamepad"}));
}

TEST_F(Player, WhatCannotBePluggedInIsToldAndIgnored) {
  backend.fails = true;
  play({kStandard, PadButtonsInput{state_with(1)}}, 0);
  EXPECT_EQ(warnings, Log{"no room"});
  EXPECT_TRUE(backend.take().empty());
  EXPECT_EQ(player.statistics().refused, 1u);
}

TEST_F(Player, NobodyPlugsInAThousandTimesPerSecond) {
  for (int i = 0; i < 1000; ++i)
    play({PadInput{0, PadKind::raw, 4, 2}, PadInput{0, PadKind::gone, 0, 0}}, i);
  EXPECT_EQ(player.statistics().plugged, 32u);
  play({PadInput{0, PadKind::raw, 4, 2}}, 20000);
  EXPECT_EQ(player.statistics().plugged, 33u);
}

TEST_F(Player, AllIsUnpluggedAtTheEnd) {
  {
    PadPlayer other(backend, {}, nullptr);
    other.play({{record(kStandard), record(PadInput{3, PadKind::raw, 4, 2})}}, 0);
    backend.take();
  }
  EXPECT_EQ(backend.take(), (Log{"unplug 0", "unplug 3"}));
}

TEST_F(Player, RumbleIsToldRepeatedAndEnded) {
  player.set_holder("a", 0);
  play({kStandard}, 0);
  player.set_now(0);
  player.upload(0, 1, 0, {{0xffff, 0x8000}, 700, 0});
  player.play_effect(0, 1, 0, 1);
  auto orders = tick(0);
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].rumble, (Rumble{0xffff, 0x8000}));
  EXPECT_EQ(orders[0].duration_ms, 1000);
  EXPECT_EQ(next, 500);
  EXPECT_TRUE(tick(499).empty());
  EXPECT_EQ(tick(500).size(), 1u);
  EXPECT_EQ(next, 700);
  orders = tick(700);
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_TRUE(orders[0].rumble.off());
  EXPECT_FALSE(next);
  // Nobody feels it while nobody has the gamepad.
  player.play_effect(0, 1, 0, 1);
  player.set_holder("", 701);
  EXPECT_TRUE(tick(702).empty());
}

TEST_F(Player, AProgramThatChangesEffectsAllTheTimeFloodsNobody) {
  play({kStandard}, 0);
  size_t told = 0;
  for (int i = 0; i < 3000; ++i) {
    player.set_now(i);
    player.upload(0, 1, 0, {{static_cast<uint16_t>(i + 1), 0}, 0, 0});
    player.play_effect(0, 1, 0, 1);
    told += tick(i).size();
  }
  EXPECT_LE(told, 101u);
  tick(3100);
  EXPECT_TRUE(tick(3100).empty());
}

TEST(RumbleMixer, AddsUpRepeatsDelaysAndForgets) {
  RumbleMixer mixer;
  mixer.upload(1, 0, {{0x4000, 0}, 100, 50});
  mixer.upload(2, 15, {{0xf000, 5}, 0, 0});
  mixer.upload(2, 16, {{1, 1}, 0, 0});
  mixer.play(1, 0, 2, 0);
  EXPECT_TRUE(mixer.at(49).off());
  EXPECT_EQ(mixer.next_change(0), 50);
  EXPECT_EQ(mixer.at(50), (Rumble{0x4000, 0}));
  EXPECT_EQ(mixer.next_change(50), 150);
  EXPECT_TRUE(mixer.at(199).off());
  EXPECT_EQ(mixer.at(200), (Rumble{0x4000, 0}));
  mixer.play(2, 15, 1, 210);
  EXPECT_EQ(mixer.at(210), (Rumble{0xffff, 5}));
  mixer.set_gain(0x8000);
  EXPECT_EQ(mixer.at(210).strong, 0x8000);
  EXPECT_EQ(mixer.at(300), (Rumble{static_cast<uint16_t>(0xf000 * 0x8000LL / 0xffff), 2}));
  EXPECT_FALSE(mixer.next_change(300));
  mixer.play(2, 15, 0, 301);
  EXPECT_TRUE(mixer.at(301).off());
  mixer.play(2, 15, 1, 302);
  mixer.drop(2);
  EXPECT_TRUE(mixer.at(303).off());
  mixer.play(9, 0, 1, 0);
  mixer.play(1, -1, 1, 0);
  mixer.erase(1, 99);
}

TEST(RumbleMixer, WavesBecomeBothMotors) {
  ff_effect effect{};
  effect.type = FF_PERIODIC;
  effect.u.periodic.magnitude = -32768;
  effect.replay = {20, 3};
  EXPECT_EQ(rumble_effect_of(effect), (RumbleEffect{{0xffff, 0xffff}, 20, 3}));
  effect.type = FF_SPRING;
  EXPECT_FALSE(rumble_effect_of(effect));
}

TEST_F(Player, AnyRecordsInAnyOrderKeepItConsistent) {
  std::mt19937 random(7);
  int64_t now = 0;
  for (int round = 0; round < 20000; ++round) {
    now += random() % 40;
    const auto pad = static_cast<uint8_t>(random() % kPadsMost);
    PadState state{pad, static_cast<uint32_t>(random()), {}};
    for (auto& axis : state.axes)
      axis = static_cast<int16_t>(random());
    switch (random() % 6) {
      case 0:
        play({PadInput{pad, static_cast<PadKind>(random() % 3), static_cast<uint8_t>(random() % 33), static_cast<uint8_t>(random() % 9)}}, now);
        break;
      case 1:
        player.set_holder(random() % 2 ? "a" : "b", now);
        break;
      case 2:
        player.set_now(now);
        player.upload(pad, random() % 3, static_cast<int>(random() % 18), {{static_cast<uint16_t>(random()), 1}, static_cast<uint16_t>(random() % 50), static_cast<uint16_t>(random() % 50)});
        player.play_effect(pad, random() % 3, static_cast<int>(random() % 18), static_cast<int32_t>(random() % 4) - 1);
        break;
      default:
        play({PadAxesInput{state}, PadButtonsInput{state}}, now);
    }
    tick(now);
    if (next) {
      EXPECT_GT(*next, now);
    }
  }
}

TEST(GamepadMessage, OnlyTheServerSaysWhoHasControl) {
  EXPECT_EQ(holder_of_session(R"({"type":"desktop/session","holder":"p1","viewers":["p1"]})"), "p1");
  EXPECT_EQ(holder_of_session(R"({"type":"desktop/session","holder":null,"viewers":[]})"), "");
  EXPECT_FALSE(holder_of_session(R"({"type":"desktop/session","holder":"p1","from":"p2"})"));
  EXPECT_FALSE(holder_of_session(R"({"type":"desktop/size","text":"\"desktop/session\""})"));
  EXPECT_FALSE(holder_of_session(R"({"type":"desktop/size","x":"desktop/session"})"));
  EXPECT_FALSE(holder_of_session(R"({"type":["desktop/session"]})"));
  EXPECT_FALSE(holder_of_session(R"({"type":"desktop/session")"));
}

TEST(GamepadMessage, StrengthsAreNumbersFrom0To1) {
  EXPECT_EQ(rumble_message("p\"1", {2, {0xffff, 0x0cccc / 16}, 1000}),
            R"({"type":"desktop/gamepad-rumble","to":"p\"1","pad":2,"strong":1.000,"weak":0.050,"duration":1000})");
}

}  // namespace
}  // namespace vitrine
