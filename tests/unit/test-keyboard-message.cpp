// SPDX-License-Identifier: LGPL-2.1-or-later
// What a viewer says of its keyboard's layout, and which layout that is.
#include "remote/keyboard-message.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(KeyboardMessage, IsReadOrRefused) {
  KeyboardMessage message;
  EXPECT_EQ(parse_keyboard_message(R"x({"type":"desktop/keyboard","layout":"ch(fr)","from":"p1"})x", message), MessageKind::ours);
  EXPECT_EQ(message.layout, (LayoutName{"ch", "fr"}));
  message = {};
  EXPECT_EQ(parse_keyboard_message(R"({"type":"desktop/keyboard","keys":{"16":"a","17":"é"}})", message), MessageKind::ours);
  EXPECT_FALSE(message.layout);
  EXPECT_EQ(message.keys, (KeyTexts{{16, U'a'}, {17, U'é'}}));
  EXPECT_EQ(parse_keyboard_message(R"({"type":"desktop/size","width":3})", message), MessageKind::not_ours);
  for (const char* text :
       {"{", "[]", "{}", R"({"type":7})", R"({"type":"desktop/keyboard"})", R"({"type":"desktop/keyboard","layout":7})",
        R"({"type":"desktop/keyboard","layout":"de;rm -rf"})", R"({"type":"desktop/keyboard","layout":"-option"})",
        R"({"type":"desktop/keyboard","layout":"de("})", R"({"type":"desktop/keyboard","layout":"../de"})",
        R"({"type":"desktop/keyboard","layout":""})", R"({"type":"desktop/keyboard","keys":[]})",
        R"({"type":"desktop/keyboard","keys":{"16":"ab"}})", R"({"type":"desktop/keyboard","keys":{"16":3}})",
        R"({"type":"desktop/keyboard","keys":{"0":"a"}})", R"({"type":"desktop/keyboard","keys":{"248":"a"}})",
        R"({"type":"desktop/keyboard","keys":{"x":"a"}})", "{\"type\":\"desktop/keyboard\",\"keys\":{\"16\":\"\xff\"}}",
        "{\"type\":\"\xc3\"}"})
    EXPECT_EQ(parse_keyboard_message(text, message), MessageKind::malformed) << text;
}

/// What a browser's layout map says of a layout: keys that print a character alone.
KeyTexts texts_of(const std::string& layout, const std::string& variant = "") {
  const Keymap keymap(keymap_by_name(layout, variant));
  KeyTexts texts;
  for (uint16_t code = 2; code <= 86; ++code)
    if (const uint32_t keysym = keymap.keysym_of(static_cast<uint8_t>(code + 8), 0); prints(keysym) && (code < 54 || code == 86))
      texts[code] = xkb_keysym_to_utf32(keysym);
  return texts;
}

TEST(LayoutMatch, KnowsEachLayoutByItsKeys) {
  for (const char* name : {"us", "de", "fr", "gb", "br", "ch", "cz", "us(dvorak)", "ru", "il"}) {
    const auto layout = parse_layout_name(name);
    ASSERT_TRUE(layout);
    const KeyTexts texts = texts_of(layout->layout, layout->variant);
    const auto found = match_layout(texts);
    ASSERT_TRUE(found) << name;
    // Some print the same alone; then any of them will do.
    EXPECT_EQ(texts_of(found->layout, found->variant), texts) << name << " is taken for " << found->layout << ' ' << found->variant;
  }
}

TEST(LayoutMatch, AFewUnknownKeysDoNotMatterManyDo) {
  KeyTexts german = texts_of("de");
  german[12] = U'%';
  german[13] = U'&';
  EXPECT_EQ(match_layout(german), (LayoutName{"de", ""}));
  KeyTexts nonsense;
  for (uint16_t code = 2; code < 50; ++code)
    nonsense[code] = U'x';
  EXPECT_FALSE(match_layout(nonsense));
  EXPECT_FALSE(match_layout({}));
}

TEST(LayoutMatch, TellsLayoutsWithoutLatinLetters) {
  EXPECT_TRUE(has_latin({"de", ""}));
  EXPECT_FALSE(has_latin({"ru", ""}));
  EXPECT_FALSE(has_latin({"nosuch", ""}));
}

}  // namespace
}  // namespace vitrine
