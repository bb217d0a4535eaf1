// SPDX-License-Identifier: LGPL-2.1-or-later
// InputPlayer against a fake injector that writes down what it is told.
#include "remote/input-player.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "remote/injector-fake.h"

namespace vitrine {
namespace {

class Player : public ::testing::Test {
 protected:
  void play(std::vector<InputBody> bodies) {
    std::vector<InputRecord> records;
    for (auto& body : bodies)
      records.push_back({++sequence, sequence - 1, 0, std::move(body)});
    player.play(records);
  }
  std::string taken() { return injector.take_log(); }

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

TEST_F(Player, CommandsGoByWhatTheViewersKeyboardSays) {
  // Ctrl+A on a French keyboard.
  play({down(29, 0xffe3, kModifierControl), down(16, 'a', kModifierControl), up(16, 'a', kModifierControl), up(29, 0xffe3)});
  EXPECT_EQ(taken(), "+37 +38 -38 -37 ");
}

TEST_F(Player, CommandsOfAnotherScriptGoByPosition) {
  // Ctrl+C on a Russian keyboard, whose keysym no key of this layout has.
  play({down(46, 0x06d3, kModifierControl), up(46, 0x06d3, kModifierControl)});
  EXPECT_EQ(taken(), "+54 -54 ");
}

TEST_F(Player, ReleasesTheKeycodeThatWasPressedWhateverTheKeyMeansThen) {
  play({down(16, 'a'), up(16, 'q')});
  EXPECT_EQ(taken(), "+38 -38 ");
  play({up(16, 'q')});
  EXPECT_EQ(taken(), "");
}

TEST_F(Player, TypesWhatNoKeyHasBySpareKeycodes) {
  play({down(0, 0x010065e5), up(0, 0x010065e5), down(0, 0x0101f600), up(0, 0x0101f600)});
  EXPECT_EQ(injector.take_text(), "日😀");
  EXPECT_FALSE(injector.anything_down());
  taken();
  play({down(0, 0x010065e5), up(0, 0x010065e5)});
  EXPECT_EQ(taken().find('='), std::string::npos) << "bound again though it still was";
}

TEST_F(Player, BindsWhatABatchNeedsAtOnceAndBeforeItsFirstKey) {
  std::vector<InputBody> bodies;
  std::string expected;
  for (uint32_t i = 0; i < 40; ++i) {
    bodies.push_back(down(0, 0x010003b1 + i % 25));
    bodies.push_back(up(0, 0x010003b1 + i % 25));
    bodies.push_back(down(0, 'a'));
    bodies.push_back(up(0, 'a'));
  }
  play(bodies);
  const std::string log = taken();
  EXPECT_EQ(log[0], '=');
  EXPECT_EQ(std::count(log.begin(), log.end(), '='), 1) << log;
  EXPECT_EQ(injector.take_text().substr(0, 9), "αaβaγa");
  // A key that goes by position needs none.
  KeyInput position = down(30, 0x01000444);
  position.meaning = KeyMeaning::position;
  play({down(0, 0x01000430), up(0, 0x01000430), position, up(30, 0x01000444)});
  EXPECT_EQ(injector.take_text(), "аa");
  EXPECT_FALSE(injector.keymap().spares().find(0x01000444));
}

TEST_F(Player, ThereIsRoomForManyMoreCharactersThanSpareKeycodes) {
  std::string expected;
  for (uint32_t i = 0; i < 70; ++i) {
    play({down(0, 0x01000430 + i), up(0, 0x01000430 + i)});
    char bytes[8];
    xkb_keysym_to_utf8(0x01000430 + i, bytes, sizeof bytes);
    expected += bytes;
  }
  EXPECT_EQ(injector.take_text(), expected);
  taken();
  play({down(0, 0x01000430), up(0, 0x01000430), down(0, 0x01000475), up(0, 0x01000475)});
  EXPECT_EQ(taken().find('='), std::string::npos) << "bound again";
  EXPECT_FALSE(injector.anything_down());
}

TEST_F(Player, AKeySaysItselfWhetherItsPositionOrItsTextIsMeant) {
  KeyInput key = down(16, 'a');
  key.meaning = KeyMeaning::position;
  play({key, up(16, 'a')});
  EXPECT_EQ(taken(), "+24 -24 ");
  key.meaning = KeyMeaning::text;
  play({key, up(16, 'a')});
  EXPECT_EQ(taken(), "+38 -38 ");
}

TEST_F(Player, CountsKeysThatCannotBeTyped) {
  const auto spare = static_cast<uint32_t>(injector.keymap().spares().size()) / kLevelCombinations;
  // Each keycode is held by its first character, so that its other levels cannot be used.
  for (uint32_t i = 0; i < spare + 3; ++i)
    play({down(0, 0x010065e5 + i)});
  EXPECT_EQ(player.statistics().unknown_keys, 3u);
  play({down(0, 0)});
  EXPECT_EQ(player.statistics().unknown_keys, 4u);
  play({ReleaseInput{}, down(0, 0x0100ac00), up(0, 0x0100ac00)});
  EXPECT_EQ(player.statistics().unknown_keys, 4u);
}

TEST_F(Player, RepeatsAsAnXServerDoes) {
  play({down(30, 'a'), KeyInput{true, true, 30, 'a', 0}, up(30, 'a')});
  EXPECT_EQ(taken(), "+38 -38 +38 -38 ");
}

TEST_F(Player, RepeatsACharacterAtTheLevelItWasPressedAt) {
  play({down(0, 'A'), KeyInput{true, true, 0, 'A', 0}, up(0, 'A')});
  EXPECT_EQ(injector.take_text(), "AA");
  EXPECT_FALSE(injector.anything_down());
}

TEST_F(Player, ModifiersAndLocksDoNotRepeat) {
  play({down(42, 0xffe1), KeyInput{true, true, 42, 0xffe1, kModifierShift}, up(42, 0xffe1)});
  EXPECT_EQ(taken(), "+50 -50 ");
  play({down(58, 0xffe5), KeyInput{true, true, 58, 0xffe5, kModifierCapsLock}, up(58, 0xffe5)});
  EXPECT_EQ(taken(), "+66 -66 ");
}

TEST_F(Player, RepeatsCanBeLeftToTheServer) {
  InputPlayer deaf(injector, KeyMode::automatic, false);
  const std::vector<InputRecord> records{{1, 0, 0, down(30, 'a')}, {2, 1, 0, KeyInput{true, true, 30, 'a', 0}}};
  deaf.play(records);
  EXPECT_EQ(taken(), "+38 ");
}

TEST_F(Player, FollowsCapsLock) {
  play({down(30, 'A', kModifierCapsLock), up(30, 'A', kModifierCapsLock)});
  EXPECT_EQ(taken(), "+66 -66 +38 -38 ");
  play({down(30, 'a'), up(30, 'a')});
  EXPECT_EQ(taken(), "+66 -66 +38 -38 ");
}

TEST_F(Player, TheViewersOwnCapsLockIsNotFollowedTwice) {
  play({down(58, 0xffe5, kModifierCapsLock), up(58, 0xffe5, kModifierCapsLock), down(30, 'A', kModifierCapsLock)});
  EXPECT_EQ(taken(), "+66 -66 +38 ");
  EXPECT_EQ(injector.take_text(), "A");
}

TEST_F(Player, CapsLockDoesNotSpoilASmallLetterOnASpareKeycode) {
  play({down(0, 0xe9, kModifierCapsLock), up(0, 0xe9, kModifierCapsLock), down(0, 0xc9, kModifierCapsLock)});
  EXPECT_EQ(injector.take_text(), "éÉ");
}

TEST_F(Player, NumLockChoosesWhatThePadPrints) {
  play({down(71, 0xffb7, kModifierNumLock), up(71, 0xffb7, kModifierNumLock), down(71, 0xff95), up(71, 0xff95)});
  EXPECT_EQ(injector.keysyms(), (std::vector<uint32_t>{0xffb7, 0xff95}));
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

TEST_F(Player, BoundsWhatIsSummed) {
  play(std::vector<InputBody>(200, MotionInput{INT16_MAX, INT16_MIN}));
  EXPECT_EQ(taken(), "~32767,-32768 ");
}

TEST_F(Player, LeavesOutButtonsThatTheDisplayHasNot) {
  play({ButtonInput{10, true, {}}, ButtonInput{11, true, {}}, ButtonInput{255, true, {}}});
  EXPECT_EQ(taken(), "B10 ");
  EXPECT_EQ(player.statistics().clamped, 2u);
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
  EXPECT_EQ(injector.flushes(), 1);
}

/// What a viewer types on the keyboard of one layout, as a browser reports it.
std::vector<InputRecord> typed(const std::string& viewer, const std::u32string& text) {
  std::vector<InputRecord> records;
  const auto name = parse_layout_name(viewer);
  Keymap keymap(keymap_by_name(name->layout, name->variant));
  const auto add = [&](KeyInput key) {
    const auto sequence = static_cast<uint32_t>(records.size() + 1);
    records.push_back({sequence, sequence - 1, 0, key});
  };
  for (const char32_t character : text) {
    const uint32_t keysym = xkb_utf32_to_keysym(character);
    const auto plan = keymap.find(keysym, 0);
    const auto code = static_cast<uint16_t>(plan ? plan->keycode - 8 : 0);
    const bool shift = plan && plan->levels & kLevelShift, altgr = plan && plan->levels & kLevelThree;
    const auto modifiers = static_cast<uint16_t>((shift ? kModifierShift : 0) | (altgr ? kModifierAltGr : 0));
    if (shift)
      add(down(42, 0xffe1, kModifierShift));
    if (altgr)
      add(down(100, 0xfe03, modifiers));
    add(down(code, keysym, modifiers));
    add(up(code, keysym, modifiers));
    if (altgr)
      add(up(100, 0xfe03));
    if (shift)
      add(up(42, 0xffe1));
  }
  return records;
}

struct Pair {
  const char *viewer, *display;
};
void PrintTo(const Pair& pair, std::ostream* out) { *out << pair.viewer << "->" << pair.display; }

class Layouts : public ::testing::TestWithParam<Pair> {};

TEST_P(Layouts, WhatTheViewerTypesIsWhatProgramsRead) {
  FakeInjector injector(GetParam().display);
  InputPlayer player(injector);
  for (const std::u32string text : {U"The quick Brown fox, 0123456789!", U"@#$%^&*()[]{}<>?/|~`_+=-;:'\"\\", U"äöüÄÖÜßéÉñÑçÇàø€µ§",
                                    U"зверь Ёж αβγ", U"日本語😀"}) {
    player.play(typed(GetParam().viewer, text));
    std::string utf8;
    for (const char32_t character : text) {
      char bytes[8];
      xkb_keysym_to_utf8(xkb_utf32_to_keysym(character), bytes, sizeof bytes);
      utf8 += bytes;
    }
    EXPECT_EQ(injector.take_text(), utf8);
    EXPECT_FALSE(injector.anything_down());
  }
  EXPECT_EQ(player.statistics().unknown_keys, 0u);
}

INSTANTIATE_TEST_SUITE_P(Each, Layouts,
                         ::testing::Values(Pair{"us", "us"}, Pair{"de", "de"}, Pair{"fr", "fr"}, Pair{"de", "us"},
                                           Pair{"us", "de"}, Pair{"fr", "us"}, Pair{"us", "fr"}, Pair{"ru", "us"},
                                           Pair{"es", "de"}, Pair{"gr", "fr"}, Pair{"us(dvorak)", "us"}, Pair{"us", "ru"}));

TEST(AltGrOfWindows, IsNotACommand) {
  // Control and Alt come down with AltGr there, and the modifiers say that they are up.
  FakeInjector injector("de");
  InputPlayer player(injector);
  const std::vector<InputRecord> records{{1, 0, 0, down(29, 0xffe3, 0)},
                                         {2, 1, 0, down(100, 0xfe03, kModifierAltGr)},
                                         {3, 2, 0, down(16, '@', kModifierAltGr)}};
  player.play(records);
  EXPECT_EQ(injector.take_log(), "+37 +108 -37 +24 +37 ");
  EXPECT_EQ(injector.take_text(), "@");
}

TEST(AltGrWhereTheDisplayHasNone, DoesNotHoldAlt) {
  FakeInjector injector("us");
  InputPlayer player(injector);
  player.play(typed("de", U"@"));
  EXPECT_EQ(injector.take_log().find("+108"), std::string::npos) << "108 is Alt_R on this layout";
  EXPECT_EQ(injector.take_text(), "@");
}

// Whatever a viewer sends, a release lets go of everything that was pressed.
TEST_F(Player, NoStormLeavesAnythingDown) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
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
