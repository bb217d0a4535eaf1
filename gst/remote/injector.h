// SPDX-License-Identifier: LGPL-2.1-or-later
// Where input goes: a display that takes keys, buttons and pointer moves. Behind it XTEST, or a fake in tests.
#pragma once

#include <cstdint>
#include <span>

#include "remote/keymap.h"

namespace vitrine {

/// Not thread-safe: the caller holds a lock around it. Nothing reaches the display before flush() or settle().
class Injector {
 public:
  virtual ~Injector() = default;
  virtual void key(uint8_t keycode, bool down) = 0;
  virtual void button(uint8_t button, bool down) = 0;
  virtual void move_to(int x, int y) = 0;
  virtual void move_by(int dx, int dy) = 0;
  /// Makes spare keycodes give these keysyms, all at once. Waits where a program may not have read yet what one gave before.
  virtual void bind(std::span<const SpareKeys::Slot> slots) = 0;
  virtual void flush() = 0;
  /// Waits until the display has done all this, so that keymap() knows the locks and the group that came of it.
  virtual void settle() = 0;

  virtual Keymap& keymap() = 0;
  virtual int width() const = 0;
  virtual int height() const = 0;
  /// The highest button number that the display's pointer has.
  virtual int buttons() const = 0;
};

}  // namespace vitrine
