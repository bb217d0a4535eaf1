// SPDX-License-Identifier: LGPL-2.1-or-later
// Typing through x11inputsink: what X clients read, on several layouts, and that nothing stays down.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

#include "x11inputsink-fixture.h"

#include <X11/XKBlib.h>

namespace vitrine {
namespace {

using std::chrono::milliseconds;
using Keysyms = std::vector<KeySym>;

constexpr KeySym kSun = 0x010065e5, kFace = 0x0101f600, kCyrillicDe = 0x01000434;

class Keys : public X11InputSink {
 protected:
  bool wait_for_keys(size_t count) {
    return recorder_->wait([&] { return recorder_->pressed.size() >= count; });
  }
};

TEST_F(Keys, TypesByPosition) {
  start();
  tap(30, 'a');
  tap(57, ' ');
  tap(28, XK_Return);
  tap(30, 0);
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->releases >= 4; }));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'a', ' ', XK_Return, 'a'}));
}

TEST_F(Keys, TypesCharactersThatTheLayoutHasAndThatItHasNot) {
  const Keysyms characters = {'A', '@', XK_eacute, XK_ntilde, XK_ssharp, XK_EuroSign, XK_Eacute, kSun, kFace, kCyrillicDe, 'z'};
  size_t typed = 0;
  start();
  for (const char* layout : {"us", "de", "fr", "us -variant intl"}) {
    set_layout(layout);
    recorder_->wait_for(milliseconds(100));
    type(characters);
    typed += characters.size();
    EXPECT_TRUE(wait_for_keys(typed)) << layout;
    EXPECT_EQ(recorder_->pressed, characters) << layout;
    recorder_->pressed.clear();
    typed = 0;
    EXPECT_FALSE(recorder_->any_key_down());
  }
}

TEST_F(Keys, TypesManyMoreCharactersThanThereAreSpareKeycodes) {
  start();
  Keysyms characters;
  for (KeySym i = 0; i < 60; ++i) {
    characters.push_back(kSun + i);
    type({kSun + i});
    EXPECT_TRUE(wait_for_keys(characters.size()));
  }
  EXPECT_EQ(recorder_->pressed, characters);
  EXPECT_EQ(stat("unknown-keys"), 0u);
}

TEST_F(Keys, FollowsTheServersLayout) {
  set_layout("de");
  start();
  // A German viewer's keys by position, @ as AltGr + Q.
  tap(44, 'y');
  push({key_down(100, XK_ISO_Level3_Shift, kModifierAltGr)});
  tap(16, '@', kModifierAltGr);
  push({key_up(100, XK_ISO_Level3_Shift)});
  // A US viewer's @ is Shift + 2, which is " on this layout.
  push({key_down(42, XK_Shift_L, kModifierShift)});
  tap(3, '@', kModifierShift);
  push({key_up(42, XK_Shift_L)});
  tap(40, XK_adiaeresis);
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->pressed.size() >= 4 && !recorder_->any_key_down(); }));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'y', '@', '@', XK_adiaeresis}));
}

TEST_F(Keys, FollowsALayoutThatChangesWhileItRuns) {
  start();
  tap(44, 'z');
  EXPECT_TRUE(wait_for_keys(1));
  set_layout("de");
  recorder_->wait_for(milliseconds(100));
  tap(44, 'z');
  tap(0, XK_odiaeresis);
  EXPECT_TRUE(wait_for_keys(3));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'z', 'z', XK_odiaeresis}));
}

TEST_F(Keys, FollowsTheGroup) {
  set_layout("us,de");
  start();
  tap(21, 'y');
  EXPECT_TRUE(wait_for_keys(1));
  Display* display = recorder_->display();
  // The second group is locked by another client.
  XkbLockGroup(display, XkbUseCoreKbd, 1);
  XSync(display, False);
  recorder_->wait_for(milliseconds(100));
  tap(21, 'y');
  tap(0, XK_ssharp);
  EXPECT_TRUE(wait_for_keys(3));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'y', 'y', XK_ssharp}));
}

TEST_F(Keys, ShiftIsPutBack) {
  start();
  // "2" of a French viewer, whose digits are shifted, while Shift stays down; then "A".
  push({key_down(42, XK_Shift_L, kModifierShift)});
  tap(3, '2', kModifierShift);
  tap(30, 'A', kModifierShift);
  EXPECT_TRUE(wait_for_keys(2));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'2', 'A'}));
  EXPECT_EQ(recorder_->states, (std::vector<unsigned>{0, ShiftMask}));
  push({key_up(42, XK_Shift_L)});
  tap(30, 'a');
  EXPECT_TRUE(wait_for_keys(3));
  EXPECT_EQ(recorder_->states.back(), 0u);
  EXPECT_TRUE(recorder_->wait([&] { return !recorder_->any_key_down(); }));
}

TEST_F(Keys, CommandsKeepTheirModifiers) {
  start();
  push({key_down(29, XK_Control_L, kModifierControl)});
  tap(16, 'a', kModifierControl);  // a French viewer's Ctrl+A
  push({key_up(29, XK_Control_L)});
  EXPECT_TRUE(wait_for_keys(1));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'a'}));
  EXPECT_EQ(recorder_->states, (std::vector<unsigned>{ControlMask}));
}

TEST_F(Keys, LocksAreKeptInStep) {
  start();
  tap(30, 'A', kModifierCapsLock);
  tap(48, 'B', kModifierCapsLock);
  tap(0, XK_eacute, kModifierCapsLock);
  EXPECT_TRUE(wait_for_keys(3));
  tap(71, XK_KP_7, kModifierNumLock | kModifierCapsLock);
  EXPECT_TRUE(wait_for_keys(4));
  EXPECT_EQ(recorder_->locked(), unsigned{LockMask | Mod2Mask});
  tap(30, 'a');
  EXPECT_TRUE(wait_for_keys(5));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'A', 'B', XK_eacute, XK_KP_7, 'a'}));
  EXPECT_EQ(recorder_->locked(), 0u);
}

TEST_F(Keys, TheViewersOwnCapsLockLocksOnce) {
  start();
  tap(58, XK_Caps_Lock, kModifierCapsLock);
  tap(30, 'A', kModifierCapsLock);
  tap(58, XK_Caps_Lock);
  tap(30, 'a');
  EXPECT_TRUE(wait_for_keys(2));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'A', 'a'}));
  EXPECT_EQ(recorder_->locked(), 0u);
}

TEST_F(Keys, ScancodeModeGoesByPositionAlone) {
  set_layout("de");
  start("key-mode=scancode");
  tap(21, 'y');
  tap(0, 'y');
  EXPECT_TRUE(wait_for_keys(2));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'z', 'y'}));
}

TEST_F(Keys, KeysymModeGoesByWhatIsPrintedAlone) {
  set_layout("de");
  start("key-mode=keysym");
  tap(21, 'y');
  tap(21, XK_Return);
  EXPECT_TRUE(wait_for_keys(2));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'y', XK_Return}));
}

TEST_F(Keys, AHeldKeyRepeatsAsOftenAsTheViewerSays) {
  start();
  push({key_down(30, 'a'), key_repeat(30, 'a'), key_repeat(30, 'a')});
  recorder_->wait_for(milliseconds(1000));  // longer than the server's repeat delay
  EXPECT_EQ(recorder_->presses, 3);
  EXPECT_EQ(recorder_->releases, 2);
}

TEST_F(Keys, RepeatIsTheServersOrNobodys) {
  ASSERT_TRUE(recorder_->auto_repeat());
  start("repeat=server");
  EXPECT_TRUE(recorder_->auto_repeat());
  push({key_down(30, 'a'), key_repeat(30, 'a')});
  recorder_->wait_for(milliseconds(300));
  EXPECT_EQ(recorder_->presses, 1);
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->presses > 3; }));
  stop();
  recorder_->wait_for(milliseconds(50));
  recorder_->presses = 0;
  start("repeat=off");
  EXPECT_FALSE(recorder_->auto_repeat());
  push({key_down(30, 'a'), key_repeat(30, 'a')});
  recorder_->wait_for(milliseconds(1000));
  EXPECT_EQ(recorder_->presses, 1);
}

TEST_F(Keys, SpareKeycodesAreGivenBack) {
  const auto symbols = [this] {
    std::vector<Keysyms> all;
    for (unsigned keycode = 8; keycode <= 255; ++keycode)
      all.push_back(recorder_->symbols(keycode));
    return all;
  };
  const auto before = symbols();
  start();
  type({kSun, kFace});
  EXPECT_TRUE(wait_for_keys(2));
  EXPECT_NE(symbols(), before);
  stop();
  EXPECT_EQ(symbols(), before);
}

TEST_F(Keys, SetsTheViewersLayoutAndPutsTheOldOneBack) {
  const auto message = [this](const std::string& members) {
    const std::string text = R"({"type":"desktop/keyboard",)" + members + "}";
    push_bytes({text.begin(), text.end()});
  };
  const auto wait_for_layouts = [this](guint64 count) {
    for (int i = 0; i < 400 && stat("layouts") < count; ++i)
      recorder_->wait_for(milliseconds(10));
    recorder_->wait_for(milliseconds(100));
    return stat("layouts") == count;
  };
  set_layout("gb -option compose:ralt");
  start();
  message(R"("layout":"de")");
  ASSERT_TRUE(wait_for_layouts(1));
  KeyInput z = key_down(21, 'q');  // where a German keyboard has its z
  z.meaning = KeyMeaning::position;
  push({z, key_up(21, 'q')});
  EXPECT_TRUE(wait_for_keys(1));
  // By what the keys of a French one print.
  message(R"("keys":{"16":"a","17":"z","18":"e","19":"r","20":"t","21":"y","22":"u","23":"i","24":"o","25":"p","30":"q","31":"s",)"
          R"("32":"d","33":"f","34":"g","35":"h","36":"j","37":"k","38":"l","39":"m","44":"w","45":"x","46":"c","47":"v"})");
  ASSERT_TRUE(wait_for_layouts(2));
  z.code = 16;
  push({z, key_up(16, 'q')});
  EXPECT_TRUE(wait_for_keys(2));
  // Without Latin letters there is a second group for shortcuts.
  message(R"("layout":"ru")");
  ASSERT_TRUE(wait_for_layouts(3));
  push({z, key_up(16, 'q')});
  EXPECT_TRUE(wait_for_keys(3));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'z', 'a', XK_Cyrillic_shorti}));
  message(R"("layout":"nosuchlayout")");
  message(R"("layout":";")");
  for (int i = 0; i < 200 && stat("refused") < 2; ++i)
    recorder_->wait_for(milliseconds(10));
  EXPECT_EQ(stat("refused"), 2u);
  EXPECT_EQ(stat("layouts"), 3u);
  stop();
  recorder_->wait_for(milliseconds(100));
  EXPECT_EQ(recorder_->symbols(11)[1], static_cast<KeySym>(XK_quotedbl)) << "the layout that was there before is not back";
}

TEST_F(Keys, LeavesTheLayoutAloneIfAskedTo) {
  start("follow-layout=false");
  const std::string text = R"({"type":"desktop/keyboard","layout":"de"})";
  push_bytes({text.begin(), text.end()});
  tap(44, 0);
  EXPECT_TRUE(wait_for_keys(1));
  recorder_->wait_for(milliseconds(300));
  EXPECT_EQ(stat("layouts"), 0u);
  EXPECT_EQ(recorder_->symbols(52)[0], static_cast<KeySym>('z'));
}

TEST_F(Keys, KeysymsThatAreNoneAreCounted) {
  start();
  type({0x7fffffff, 0x0100d800, 0x01110000, 0x12345678, 'a'});
  EXPECT_TRUE(wait_for_keys(1));
  EXPECT_EQ(recorder_->pressed, Keysyms{'a'});
  EXPECT_EQ(stat("unknown-keys"), 4u);
}

TEST_F(Keys, NoStormLeavesAKeyDown) {
  start();
  std::mt19937 random(3);
  constexpr int kRounds = 60, kKeys = 20;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<InputBody> bodies;
    for (int i = 0; i < kKeys; ++i) {
      const auto code = static_cast<uint16_t>(random() % 4 ? 1 + random() % 126 : 0);
      const auto keysym = static_cast<uint32_t>(random() % 3 ? 'a' + random() % 26 : 0x01003042 + random() % 40);
      bodies.push_back(KeyInput{random() % 2 == 0, random() % 8 == 0, code, keysym, static_cast<uint16_t>(random() % 128)});
    }
    bodies.push_back(ReleaseInput{});
    push(bodies);
  }
  EXPECT_TRUE(wait_for_records(kRounds * (kKeys + 1)));
  EXPECT_TRUE(recorder_->wait([&] { return !recorder_->any_key_down(); }));
}

TEST_F(Keys, ALineArrivesInXterm) {
  if (std::system("command -v xterm >/dev/null") != 0)
    GTEST_SKIP() << "no xterm here";
  recorder_.reset();  // xterm has the screen to itself, and the keyboard while the pointer is over it
  TemporaryFile line;
  const std::string command = "LC_ALL=C.UTF-8 xterm -u8 -display " + server_->display() +
                              " -geometry 80x24+0+0 -e sh -c 'echo ready >" + line.path() + "; read x; echo \"$x\" >" +
                              line.path() + "' &";
  ASSERT_EQ(std::system(command.c_str()), 0);
  for (int i = 0; i < 500 && line.read() != "ready\n"; ++i)
    std::this_thread::sleep_for(milliseconds(20));
  ASSERT_EQ(line.read(), "ready\n");
  start();
  push({PointerInput{{100, 100, 800, 600}}});
  Display* display = XOpenDisplay(server_->display().c_str());
  ASSERT_NE(display, nullptr);
  Window root, under_pointer = 0L;
  for (int i = 0; i < 500 && !under_pointer; ++i) {
    int x, y;
    unsigned mask;
    XQueryPointer(display, DefaultRootWindow(display), &root, &under_pointer, &x, &y, &x, &y, &mask);
    std::this_thread::sleep_for(milliseconds(10));
  }
  XCloseDisplay(display);
  ASSERT_NE(under_pointer, 0u) << "xterm is not where it was put";
  for (const char character : std::string("Hello, World! #42 ~{x}"))
    tap(0, static_cast<uint32_t>(character));
  type({XK_eacute, XK_EuroSign, kSun, XK_Return});
  for (int i = 0; i < 200 && (line.read().empty() || line.read() == "ready\n"); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(line.read(), "Hello, World! #42 ~{x}é€日\n");
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  return RUN_ALL_TESTS();
}
