// SPDX-License-Identifier: LGPL-2.1-or-later
// Changing the keymap in the right moment.
#include "remote/spare-binder.h"

#include <algorithm>
#include <string_view>
#include <thread>

namespace vitrine {
namespace {

using std::chrono::milliseconds;

/// For a program with the keyboard that knows no pings to read a key.
constexpr milliseconds kReadTime{1000};
/// A program that does not answer for longer hangs.
constexpr milliseconds kPingPatience{3000};
/// At the end of the run: nobody types any more, but nothing is worth keeping a user waiting either.
constexpr milliseconds kReadTimeAtEnd{150};
/// Xlib forgets a change that it is told of between the answer to its last fetch and its own noting of it. So changes come one
/// by one, and one that follows another closely is told twice.
constexpr milliseconds kChangePause{20};
constexpr milliseconds kFetchTime{300};
constexpr milliseconds kSecondTelling{3};

constexpr std::string_view kFourLevels = "FOUR_LEVEL";

}  // namespace

void SpareBinder::include(uint8_t keycode) {
  first_ = std::min(first_, keycode);
  last_ = std::max(last_, keycode);
}

void SpareBinder::set_range(std::span<const SpareKeys::Slot> slots) {
  first_ = 255;
  last_ = 0;
  for (const auto& slot : slots)
    include(slot.keycode);
}

bool SpareBinder::load() {
  keyboard_.reset(XkbGetMap(display_, XkbAllMapComponentsMask, XkbUseCoreKbd));
  if (!keyboard_ || !keyboard_->map || XkbGetNames(display_, XkbKeyTypeNamesMask, keyboard_.get()) != Success)
    return false;
  type_ = XkbTwoLevelIndex;
  for (int type = 0; type < keyboard_->map->num_types; ++type) {
    if (keyboard_->map->types[type].num_levels != kLevelCombinations || !keyboard_->map->types[type].name)
      continue;
    char* name = XGetAtomName(display_, keyboard_->map->types[type].name);
    if (name && name == kFourLevels)
      type_ = type;
    if (name)
      XFree(name);
  }
  return true;
}

void SpareBinder::wait_until_read(Clock::time_point press, Clock::duration patience) {
  if (press <= all_read_ || press + patience <= Clock::now())
    return;
  XFlush(display_);
  const auto asked = Clock::now();
  if (ping_.ask(kPingPatience) == FocusPing::Answer::answered)
    all_read_ = asked;
  else
    std::this_thread::sleep_until(press + patience);
}

/// All spare keycodes and what lies between them, changed or not: it is one event for programs, and one that fetches what it was
/// told of gets the newest of all of them, even if it misses that there was a newer change.
void SpareBinder::send() {
  XkbMapChangesRec changes{};
  changes.changed = XkbKeySymsMask;
  changes.first_key_sym = first_;
  changes.num_key_syms = static_cast<unsigned char>(last_ - first_ + 1);
  own_serials_ = {own_serials_[1], NextRequest(display_)};
  XkbChangeMap(display_, keyboard_.get(), &changes);
  XSync(display_, False);
  last_change_ = Clock::now();
}

void SpareBinder::bind(std::span<const SpareKeys::Slot> slots) {
  Clock::time_point press{};
  const bool follows_another = Clock::now() - last_change_ < kFetchTime;
  for (const auto& slot : slots) {
    const int keycode = slot.keycode;
    if (XkbKeyNumGroups(keyboard_.get(), keycode) != 1 || XkbKeyKeyTypeIndex(keyboard_.get(), keycode, 0) != type_) {
      int types[XkbNumKbdGroups] = {type_};
      XkbChangeTypesOfKey(keyboard_.get(), keycode, 1, XkbGroup1Mask, types, nullptr);
    }
    KeySym& symbol = XkbKeySymEntry(keyboard_.get(), keycode, slot.levels, 0);
    if (symbol != NoSymbol && symbol != slot.keysym)
      press = std::max(press, last_press_[place(slot.keycode, slot.levels)]);
    symbol = slot.keysym;
    include(slot.keycode);
  }
  wait_until_read(press, kReadTime);
  std::this_thread::sleep_until(last_change_ + kChangePause);
  send();
  if (!follows_another)
    return;
  std::this_thread::sleep_for(kSecondTelling);
  send();
}

void SpareBinder::give_back(std::span<const SpareKeys::Slot> slots) {
  if (slots.empty() || !keyboard_)
    return;
  int types[XkbNumKbdGroups] = {};
  Clock::time_point press{};
  for (const auto& slot : slots) {
    XkbChangeTypesOfKey(keyboard_.get(), slot.keycode, 0, XkbAllGroupsMask, types, nullptr);
    press = std::max(press, last_press_[place(slot.keycode, slot.levels)]);
    include(slot.keycode);
  }
  wait_until_read(press, kReadTimeAtEnd);
  send();
}

}  // namespace vitrine
