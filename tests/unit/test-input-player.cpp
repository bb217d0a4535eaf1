// SPDX-License-Identifier: LGPL-2.1-or-later
// InputPlayer against a fake injector that writes down what it is told.
#include "remote/input-player.h"

#include <gtest/gtest.h>

#include <random>

namespace vitrine {
namespace {

/// A display with a US-like layout of three keys: 38 a/A, 26 e/E, 11 2/@; Shift is 50. Not a real X server.
class FakeInjector : public Injector {
 public:
  void key(uint8_t keycode, bool down) override {
    log += (down ? "+" : "-") + std::to_string(keycode) + " ";
    keys[keycode] = down;
    if (down && keycode == 66)
      caps = !caps;
  }
  void button(uint8_t button, bool down) override {
    log += (down ? "B" : "b") + std::to_string(button) + " ";
    buttons[button] = down;
  }
  void move_to(int x, int y) override { log += "@" + std::to_string(x) + "," + std::to_string(y) + " "; }
  void move_by(int dx, int dy) override { log += "~" + std::to_string(dx) + "," + std::to_string(dy) + " "; }
  void flush() override { ++flushes; }
  int width() const override { return 800; }
  int height() const override { return 600; }
  uint32_t keysym_of(uint8_t keycode, bool shift, bool) override {
    const bool upper = shift != caps;
    switch (keycode) {
      case 38: return upper ? 'A' : 'a';
      case 26: return upper ? 'E' : 'e';
      case 11: return shift ? '@' : '2';
      default: return 0;
    }
  }
  std::optional<KeyPlan> plan(uint32_t keysym, bool (*in_use)(uint8_t, void*), void* data) override {
    for (const uint8_t code : {38, 26, 11})
      for (const bool shift : {false, true})
        if (keysym_of(code, shift, false) == keysym)
          return KeyPlan{code, shift, {}};
    if (in_use(200, data))
      return std::nullopt;
    return KeyPlan{200, {}, {}};
  }
  uint8_t shift_keycode() const override { return 50; }
  uint8_t level3_keycode() const override { return 108; }
  bool caps_lock() const override { return caps; }
  bool num_lock() const override { return false; }

  bool anything_down() const {
    for (const auto& down : {keys, buttons})
      for (const auto& [number, held] : down)
        if (held)
          return true;
    return false;
  }

  std::string log;
  int flushes = 0;
  bool caps = false;
  std::map<int, bool> keys, buttons;
};

class Player : public ::testing::Test {
 protected:
  void play(std::vector<InputBody> bodies) {
    std::vector<InputRecord> records;
    for (auto& body : bodies)
      records.push_back({++sequence, sequence - 1, 0, std::move(body)});
    player.play(records);
  }
  std::string taken() { return std::exchange(injector.log, ""); }

  FakeInjector injector;
  InputPlayer player{injector};
  uint32_t sequence = 0;
};

KeyInput down(uint16_t code, uint32_t keysym, uint16_t modifiers = 0) { return {true, false, code, keysym, modifiers}; }
KeyInput up(uint16_t code, uint32_t keysym, uint16_t modifiers = 0) { return {false, false, code, keysym, modifiers}; }

TEST_F(Player, GoesByPositionWhereThatPrintsWhatTheViewerTyped) {
  play({down(30, 'a'), up(30, 'a')});
  EXPECT_EQ(taken(), "+38 -38 ");
}

TEST_F(Player, PressesShiftForACharacterOfAnotherLevel) {
  play({down(30, 'A'), up(30, 'A')});
  EXPECT_EQ(taken(), "+50 +38 -50 -38 ");
}

TEST_F(Player, LiftsAHeldShiftAndPutsItBack) {
  play({down(42, 0xffe1, kModifierShift), down(3, '2', kModifierShift), up(3, '2', kModifierShift), up(42, 0xffe1)});
  EXPECT_EQ(taken(), "+50 -50 +11 +50 -11 -50 ");
}

TEST_F(Player, GoesByKeysymWhereThePositionPrintsSomethingElse) {
  // A French viewer's A is where Q is on a US keyboard.
  play({down(16, 'a'), up(16, 'a')});
  EXPECT_EQ(taken(), "+38 -38 ");
}

TEST_F(Player, ShortcutsGoByPosition) {
  play({down(16, 'a', kModifierControl), up(16, 'a', kModifierControl)});
  EXPECT_EQ(taken(), "+24 -24 ");
}

TEST_F(Player, ReleasesTheKeycodeThatWasPressedWhateverTheKeyMeansThen) {
  play({down(0, 0x010065e5), up(0, 0x010065e5)});
  EXPECT_EQ(taken(), "+200 -200 ");
  play({up(0, 0x010065e5)});
  EXPECT_EQ(taken(), "");
}

TEST_F(Player, CountsKeysThatCannotBeTyped) {
  play({down(0, 0x010065e5), down(0, 0x01006587)});
  EXPECT_EQ(taken(), "+200 ");
  EXPECT_EQ(player.statistics().unknown_keys, 1u);
}

TEST_F(Player, RepeatsAsAnXServerDoes) {
  play({down(30, 'a'), KeyInput{true, true, 30, 'a', 0}, up(30, 'a')});
  EXPECT_EQ(taken(), "+38 -38 +38 -38 ");
}

TEST_F(Player, FollowsCapsLock) {
  play({down(30, 'A', kModifierCapsLock), up(30, 'A', kModifierCapsLock)});
  EXPECT_EQ(taken(), "+66 -66 +38 -38 ");
  play({down(30, 'a'), up(30, 'a')});
  EXPECT_EQ(taken(), "+66 -66 +38 -38 ");
}

TEST_F(Player, ScalesAndClampsPositions) {
  play({PointerInput{{0, 0, 1600, 1200}}, PointerInput{{1599, 1199, 1600, 1200}}, PointerInput{{65535, 5, 800, 600}}});
  EXPECT_EQ(taken(), "@0,0 @799,599 @799,5 ");
  EXPECT_EQ(player.statistics().clamped, 1u);
}

TEST_F(Player, EveryPixelOfASameSizePictureIsItself) {
  for (uint16_t x = 0; x < 800; ++x) {
    play({PointerInput{{x, 0, 800, 600}}});
    EXPECT_EQ(taken(), "@" + std::to_string(x) + ",0 ");
  }
}

TEST_F(Player, MovesBeforeItClicks) {
  play({ButtonInput{1, true, PicturePosition{10, 20, 800, 600}}, ButtonInput{1, false, {}}});
  EXPECT_EQ(taken(), "@10,20 B1 b1 ");
}

TEST_F(Player, SumsMotionButNotAcrossAButton) {
  play({MotionInput{1, 2}, MotionInput{3, 4}, ButtonInput{1, true, {}}, MotionInput{5, 6}});
  EXPECT_EQ(taken(), "~4,6 B1 ~5,6 ");
}

TEST_F(Player, ScrollsByWholeNotchesAndKeepsTheRest) {
  play({ScrollInput{0, 60}});
  EXPECT_EQ(taken(), "");
  play({ScrollInput{0, 60}});
  EXPECT_EQ(taken(), "B5 b5 ");
  play({ScrollInput{-240, 0}});
  EXPECT_EQ(taken(), "B6 b6 B6 b6 ");
}

TEST_F(Player, ATurnOfTheWheelsDirectionStartsAnew) {
  play({ScrollInput{0, 119}, ScrollInput{0, -120}});
  EXPECT_EQ(taken(), "B4 b4 ");
}

TEST_F(Player, BoundsAbsurdScrolling) {
  play({ScrollInput{0, INT32_MAX}});
  EXPECT_EQ(player.statistics().events, 2u * InputPlayer::kNotchesMax);
  EXPECT_EQ(player.statistics().clamped, 1u);
  play({ScrollInput{0, INT32_MIN}});
}

TEST_F(Player, ReleasesEverything) {
  play({down(30, 'a'), down(42, 0xffe1), ButtonInput{1, true, {}}});
  EXPECT_TRUE(player.holds_anything());
  play({ReleaseInput{}});
  EXPECT_FALSE(player.holds_anything());
  EXPECT_FALSE(injector.anything_down());
}

TEST_F(Player, FlushesOncePerBatch) {
  play({down(30, 'a'), up(30, 'a'), PointerInput{{1, 1, 800, 600}}});
  EXPECT_EQ(injector.flushes, 1);
}

// Whatever a viewer sends, a release lets go of everything that was pressed.
TEST_F(Player, NoStormLeavesAnythingDown) {
  std::mt19937 random(5);
  for (int round = 0; round < 1000; ++round) {
    for (int i = 0; i < 30; ++i) {
      const auto code = static_cast<uint16_t>(random() % 4 ? 1 + random() % 120 : 0);
      const auto keysym = static_cast<uint32_t>(random() % 3 ? 'a' + random() % 26 : 0x01003000 + random() % 50);
      const auto modifiers = static_cast<uint16_t>(random() % 128);
      if (random() % 5 == 0)
        play({ButtonInput{static_cast<uint8_t>(1 + random() % 3), random() % 2 == 0, {}}});
      else
        play({KeyInput{random() % 2 == 0, random() % 6 == 0, code, keysym, modifiers}});
    }
    play({ReleaseInput{}});
    ASSERT_FALSE(injector.anything_down()) << "round " << round;
    ASSERT_FALSE(player.holds_anything());
  }
}

}  // namespace
}  // namespace vitrine
