// SPDX-License-Identifier: LGPL-2.1-or-later
// Where input goes: a display that takes keys, buttons and pointer moves. Behind it XTEST, or a fake in tests.
#pragma once

#include <cstdint>
#include <optional>

namespace vitrine {

/// How a keysym is typed on the display's present layout.
struct KeyPlan {
  uint8_t keycode = 0;
  // Level modifiers that must be down or up around the press; unset means that it does not matter.
  std::optional<bool> shift, level3;
};

/// Not thread-safe: the caller holds a lock around it. Nothing reaches the display before flush().
class Injector {
 public:
  virtual ~Injector() = default;
  virtual void key(uint8_t keycode, bool down) = 0;
  virtual void button(uint8_t button, bool down) = 0;
  virtual void move_to(int x, int y) = 0;
  virtual void move_by(int dx, int dy) = 0;
  virtual void flush() = 0;

  virtual int width() const = 0;
  virtual int height() const = 0;
  /// Keysym that a keycode gives with these level modifiers and the present locks; 0 if none.
  virtual uint32_t keysym_of(uint8_t keycode, bool shift, bool level3) = 0;
  /// A way to type a keysym, binding it to a spare keycode if no key has it; nothing if that is impossible.
  /// `in_use` tells which keycodes may not be rebound.
  virtual std::optional<KeyPlan> plan(uint32_t keysym, bool (*in_use)(uint8_t keycode, void* data), void* data) = 0;
  /// Keycodes of Shift and ISO_Level3_Shift, 0 if there is none.
  virtual uint8_t shift_keycode() const = 0;
  virtual uint8_t level3_keycode() const = 0;
  virtual bool caps_lock() const = 0;
  virtual bool num_lock() const = 0;
};

}  // namespace vitrine
