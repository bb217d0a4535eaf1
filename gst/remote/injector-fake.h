// SPDX-License-Identifier: LGPL-2.1-or-later
// Injector without a display, for tests: a keyboard of any layout that writes down what it is told and what a client would see.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "remote/injector.h"
#include "remote/layout-match.h"

namespace vitrine {

/// A made-up display of 800 × 600 pixels with a pointer of 10 buttons. Not a real X server.
class FakeInjector : public Injector {
 public:
  explicit FakeInjector(const std::string& layout = "us", const std::string& variant = "", const std::string& options = "");

  void key(uint8_t keycode, bool down) override;
  void button(uint8_t button, bool down) override;
  void move_to(int x, int y) override;
  void move_by(int dx, int dy) override;
  void bind(std::span<const SpareKeys::Slot> slots) override;
  void flush() override { ++flushes_; }
  void settle() override;
  Keymap& keymap() override { return *keymap_; }
  int width() const override { return 800; }
  int height() const override { return 600; }
  int buttons() const override { return 10; }

  /// Key +38 and -38, button B1 and b1, motion @x,y and ~dx,dy, binding =keycode/levels:keysym, each with a space; the places of one
  /// binding with commas. Forgets it.
  std::string take_log();
  /// UTF-8 of what a client would have read since the last call.
  std::string take_text();
  const std::vector<uint32_t>& keysyms() const { return keysyms_; }
  bool anything_down() const;
  int flushes() const { return flushes_; }
  bool caps_lock() const { return locked() & 2; }
  uint32_t locked() const { return xkb_state_serialize_mods(server_.get(), XKB_STATE_MODS_LOCKED); }

 private:
  uint32_t keysym_now(uint8_t keycode) const;

  XkbStatePtr server_;
  std::unique_ptr<Keymap> keymap_;
  std::map<uint8_t, std::array<uint32_t, kLevelCombinations>> bound_;
  std::map<int, bool> keys_, buttons_;
  std::vector<uint32_t> keysyms_;
  std::string log_, text_;
  int flushes_ = 0;
};

}  // namespace vitrine
