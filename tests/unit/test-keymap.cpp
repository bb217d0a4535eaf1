// SPDX-License-Identifier: LGPL-2.1-or-later
// Keymap on layouts of xkeyboard-config.
#include "remote/keymap.h"

#include <gtest/gtest.h>
#include <xkbcommon/xkbcommon-keysyms.h>

#include "remote/injector-fake.h"

namespace vitrine {
namespace {

constexpr uint32_t kLockMask = 2, kMod2Mask = 16;  // core protocol

TEST(Keymap, FindsKeyAndLevel) {
  const Keymap us(keymap_by_name("us"));
  EXPECT_EQ(us.find('a', 0), (KeyPlan{38, 0}));
  EXPECT_EQ(us.find('A', 0), (KeyPlan{38, kLevelShift}));
  EXPECT_EQ(us.find('2', kLevelShift), (KeyPlan{11, 0}));
  EXPECT_FALSE(us.find(XKB_KEY_EuroSign, 0));
  EXPECT_FALSE(us.find(0x010065e5, 0));
  EXPECT_FALSE(us.find(0, 0));
  const Keymap de(keymap_by_name("de"));
  EXPECT_EQ(de.find('@', 0), (KeyPlan{24, kLevelThree}));
  EXPECT_EQ(de.find(XKB_KEY_EuroSign, 0)->levels, kLevelThree);
  EXPECT_EQ(de.find('z', 0), (KeyPlan{29, 0}));
}

TEST(Keymap, KnowsBothNamesOfACharacter) {
  EXPECT_TRUE(same_keysym(0x010020ac, XKB_KEY_EuroSign));
  EXPECT_TRUE(same_keysym(0x010000e9, XKB_KEY_eacute));
  EXPECT_TRUE(same_keysym(XKB_KEY_Cyrillic_es, 0x01000441));
  EXPECT_FALSE(same_keysym('7', XKB_KEY_KP_7));
  EXPECT_FALSE(same_keysym('\r', XKB_KEY_Return));
  const Keymap ru(keymap_by_name("ru"));
  EXPECT_EQ(ru.find(0x01000441, 0), ru.find(XKB_KEY_Cyrillic_es, 0));
  EXPECT_TRUE(ru.find(0x01000441, 0));
}

TEST(Keymap, LeavesLevelsAsTheyAreWhereTheyDoNotMatter) {
  const Keymap us(keymap_by_name("us"));
  for (uint8_t levels = 0; levels < kLevelCombinations; ++levels)
    EXPECT_EQ(us.find(XKB_KEY_Return, levels), (KeyPlan{36, levels}));
}

TEST(Keymap, TakesLocksIntoAccount) {
  Keymap us(keymap_by_name("us"));
  us.set_state(kLockMask, 0);
  EXPECT_TRUE(us.locked(Lock::caps));
  EXPECT_EQ(us.find('A', 0), (KeyPlan{38, 0}));
  EXPECT_EQ(us.find('a', 0), (KeyPlan{38, kLevelShift}));
  EXPECT_EQ(us.find('1', 0), (KeyPlan{10, 0}));
  us.set_state(kMod2Mask, 0);
  EXPECT_TRUE(us.locked(Lock::num));
  EXPECT_EQ(us.find(XKB_KEY_KP_7, 0), (KeyPlan{79, 0}));
  us.set_state(0, 0);
  EXPECT_FALSE(us.find(XKB_KEY_KP_7, 0));
}

TEST(Keymap, FollowsTheGroup) {
  Keymap both(keymap_by_name("us,ru"));
  EXPECT_TRUE(both.find('c', 0));
  EXPECT_FALSE(both.find(XKB_KEY_Cyrillic_es, 0));
  both.set_state(0, 1);
  EXPECT_FALSE(both.find('c', 0));
  EXPECT_TRUE(both.find(XKB_KEY_Cyrillic_es, 0));
}

TEST(Keymap, TellsModifiersAndLocksByWhatTheyDo) {
  const Keymap de(keymap_by_name("de"));
  EXPECT_EQ(de.levels_of(50), kLevelShift);
  EXPECT_EQ(de.levels_of(62), kLevelShift);
  EXPECT_EQ(de.levels_of(108), kLevelThree);
  EXPECT_TRUE(de.is_modifier(37));
  EXPECT_TRUE(de.is_command(37) && de.is_command(64));
  EXPECT_FALSE(de.is_modifier(38));
  EXPECT_EQ(de.lock_keycode(Lock::caps), 66);
  EXPECT_EQ(de.lock_keycode(Lock::num), 77);
  EXPECT_TRUE(de.is_lock(66) && de.is_lock(77));
  EXPECT_FALSE(de.is_lock(50));
  // Caps Lock moved away is not taken for one that locks.
  const Keymap none(keymap_by_name("us", "", "caps:escape"));
  EXPECT_FALSE(none.is_lock(66));
  EXPECT_NE(none.lock_keycode(Lock::caps), 66);
}

/// Claims a place for one keysym; nothing when it has one already.
std::optional<SpareKeys::Slot> claim(SpareKeys& spares, uint32_t keysym, const KeycodeSet& held = {}, uint8_t levels = 0) {
  const uint32_t wanted[] = {keysym};
  const auto slots = spares.claim(wanted, levels, held);
  return slots.empty() ? std::nullopt : std::optional(slots.front());
}

TEST(SpareKeycodes, AreUsedAgainLeastRecentlyUsedFirst) {
  Keymap us(keymap_by_name("us"));
  SpareKeys& spares = us.spares();
  const auto count = static_cast<uint32_t>(spares.size());
  ASSERT_GE(count, 64u);
  std::vector<SpareKeys::Slot> first;
  for (uint32_t i = 0; i < count; ++i) {
    const auto slot = claim(spares, 0x01005000 + i);
    ASSERT_TRUE(slot);
    EXPECT_FALSE(us.is_modifier(slot->keycode));
    EXPECT_EQ(us.keysym_of(slot->keycode, 0), 0u) << "a key of the layout was taken";
    first.push_back(*slot);
  }
  EXPECT_EQ(spares.bound().size(), count);
  // The first is used once more, so the second is the next to go.
  EXPECT_EQ(spares.find(0x01005000), first[0]);
  EXPECT_FALSE(claim(spares, 0x01005000)) << "already bound, so nothing has to change";
  EXPECT_EQ(claim(spares, 0x01006000)->keycode, first[1].keycode);
  EXPECT_FALSE(spares.find(0x01005001));
  // Never one that is held.
  KeycodeSet held;
  held.set(first[2].keycode);
  EXPECT_EQ(claim(spares, 0x01006001, held)->keycode, first[3].keycode);
  held.set();
  EXPECT_FALSE(claim(spares, 0x01006002, held));
}

TEST(SpareKeycodes, FreePlacesComeFirstThoseOfTheLevelThatIsDownBeforeOthers) {
  SpareKeys spares;
  for (const uint8_t keycode : {200, 201})
    for (uint8_t level = 0; level < kLevelCombinations; ++level)
      spares.add({keycode, level, 0});
  EXPECT_EQ(claim(spares, 1001)->levels, 0);
  EXPECT_EQ(claim(spares, 1002), (SpareKeys::Slot{201, 0, 1002}));
  EXPECT_EQ(claim(spares, 1003), (SpareKeys::Slot{200, kLevelShift, 1003}));
  EXPECT_EQ(claim(spares, 1004, {}, kLevelShift), (SpareKeys::Slot{201, kLevelShift, 1004}));
  EXPECT_EQ(claim(spares, 1005), (SpareKeys::Slot{200, kLevelThree, 1005}));
}

TEST(SpareKeycodes, WhatIsClaimedTogetherDoesNotDriveItselfOut) {
  SpareKeys spares;
  for (uint8_t keycode = 200; keycode < 204; ++keycode)
    spares.add({keycode, 0, 0});
  claim(spares, 1);
  const uint32_t wanted[] = {2, 3, 1, 2, 4, 5, 6};
  const auto slots = spares.claim(wanted, 0, {});
  EXPECT_EQ(slots.size(), 3u);
  for (uint32_t keysym = 1; keysym <= 4; ++keysym)
    EXPECT_TRUE(spares.find(keysym)) << keysym;
  EXPECT_FALSE(spares.find(5));
}

/// The layout "us" with keysyms on one of its unused keycodes.
XkbKeymapPtr us_with(const std::string& symbols) {
  const std::unique_ptr<xkb_context, decltype(&xkb_context_unref)> context(xkb_context_new(XKB_CONTEXT_NO_FLAGS),
                                                                           xkb_context_unref);
  const std::string text = R"x(xkb_keymap {
    xkb_keycodes { include "evdev+aliases(qwerty)" <S248> = 248; };
    xkb_types { include "complete" };
    xkb_compat { include "complete" };
    xkb_symbols { include "pc+us+inet(evdev)" )x" + symbols + " }; };";
  return XkbKeymapPtr(xkb_keymap_new_from_string(context.get(), text.c_str(), XKB_KEYMAP_FORMAT_TEXT_V1,
                                                 XKB_KEYMAP_COMPILE_NO_FLAGS));
}

TEST(SpareKeycodes, WhatIsStillBoundIsNotBoundAgain) {
  auto keymap = us_with("key <S248> { [ eacute, U0436 ] };");
  ASSERT_TRUE(keymap);
  const SpareKeys::Slot ours[] = {{248, 1, 0x01000436}, {248, 0, XKB_KEY_eacute}, {248, 2, XKB_KEY_ntilde}};
  Keymap us(std::move(keymap), ours);
  EXPECT_FALSE(us.find(XKB_KEY_eacute, 0)) << "a spare keycode was taken for a key of the layout";
  EXPECT_EQ(us.spares().bound(), (std::vector<SpareKeys::Slot>{ours[0], ours[1]})) << "in the order in which they were used";
  EXPECT_EQ(us.spares().find(XKB_KEY_eacute), ours[1]);
  EXPECT_FALSE(us.spares().find(XKB_KEY_ntilde)) << "somebody took it away";
}

TEST(SpareKeycodes, WhatSomebodyElseBoundIsLeftAlone) {
  Keymap us(us_with("key <S248> { [ eacute, eacute ] };"));
  EXPECT_EQ(us.find(XKB_KEY_eacute, 0), (KeyPlan{248, 0}));
  EXPECT_FALSE(us.spares().has(248));
}

TEST(SpareKeycodes, WhatAKilledRunLeftIsTakenBack) {
  Keymap us(us_with("key <S248> { [ U65E5, eacute ] };"));
  EXPECT_TRUE(us.spares().has(248));
  EXPECT_TRUE(us.spares().find(0x010065e5));
  // A typing key of a layout is none, whatever it prints.
  EXPECT_FALSE(Keymap(us_with("replace key <AD01> { [ U65E5, U65E6 ] };")).spares().has(24));
}

}  // namespace
}  // namespace vitrine
