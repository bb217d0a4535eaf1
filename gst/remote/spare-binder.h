// SPDX-License-Identifier: LGPL-2.1-or-later
// Binds keysyms to spare keycodes of an X server, so that programs that are slow to read the changed keymap still get every character.
#pragma once

#include <X11/Xlib.h>
#include <X11/XKBlib.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <span>

#include "remote/focus-ping.h"
#include "remote/keymap.h"

namespace vitrine {

/// A program looks up a key when it comes to it, in the keymap as it is then. So a keysym stays where it is until the program with
/// the keyboard has read the last key that was pressed for it: it has answered a ping that was sent after that key or, where it
/// knows no pings, a second has passed. With four levels on each of some twenty keycodes that wait is rare.
/// Bound to the thread that uses the display.
class SpareBinder {
 public:
  explicit SpareBinder(Display* display) : display_(display), ping_(display) {}

  /// Reads the server's keymap; to be called when it has changed. False when the server tells none.
  bool load();
  /// The keymap's spare keycodes; to be called after load().
  void set_range(std::span<const SpareKeys::Slot> slots);
  /// How many levels a spare keycode can have: 4 where the keymap has the key type for it, else 2.
  uint8_t levels() const { return type_ == XkbTwoLevelIndex ? 2 : 4; }
  /// One change of the keymap for all of them, told to programs in one event.
  void bind(std::span<const SpareKeys::Slot> slots);
  /// To be called for each key that is pressed, with the level modifiers that are down.
  void pressed(uint8_t keycode, uint8_t levels) { last_press_[place(keycode, levels)] = Clock::now(); }
  /// Whether that event tells of a change made here.
  bool caused(const XkbMapNotifyEvent& event) const { return own_serials_[0] == event.serial || own_serials_[1] == event.serial; }
  /// Leaves the keycodes as they were, once programs have read what was typed.
  void give_back(std::span<const SpareKeys::Slot> slots);

 private:
  using Clock = std::chrono::steady_clock;
  struct KeyboardFree {
    void operator()(XkbDescPtr keyboard) const { XkbFreeKeyboard(keyboard, XkbAllComponentsMask, True); }
  };

  static size_t place(uint8_t keycode, uint8_t levels) { return size_t{keycode} * kLevelCombinations + levels; }
  void wait_until_read(Clock::time_point press, Clock::duration patience);
  void include(uint8_t keycode);
  void send();

  Display* const display_;
  FocusPing ping_;
  std::unique_ptr<XkbDescRec, KeyboardFree> keyboard_;
  int type_ = XkbTwoLevelIndex;
  std::array<Clock::time_point, 256 * kLevelCombinations> last_press_{};
  Clock::time_point all_read_, last_change_;
  uint8_t first_ = 255, last_ = 0;  // all spare keycodes are among these
  std::array<unsigned long, 2> own_serials_{};
};

}  // namespace vitrine
