// SPDX-License-Identifier: LGPL-2.1-or-later
// Injector on a real X server, by XTEST. Spare keycodes are bound on demand and given back at the end.
#pragma once

#include <X11/Xlib.h>
#include <xkbcommon/xkbcommon.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "common/x11.h"
#include "remote/injector.h"

namespace vitrine {

class XTestInjector : public Injector {
 public:
  enum class OpenError { none, display, xtest, keymap };

  /// `name` empty means $DISPLAY. Null, with `error` set, when the display cannot be used.
  static std::unique_ptr<XTestInjector> open(const std::string& name, OpenError& error);
  ~XTestInjector() override;

  /// Switches the server's own autorepeat off until the end.
  void take_over_repeat();
  /// Takes in what has changed on the server (keymap, locks, screen size). False once the connection is gone.
  bool update();
  std::string display_name() const { return connection_->name(); }

  void key(uint8_t keycode, bool down) override;
  void button(uint8_t button, bool down) override;
  void move_to(int x, int y) override;
  void move_by(int dx, int dy) override;
  void flush() override;
  int width() const override { return width_; }
  int height() const override { return height_; }
  uint32_t keysym_of(uint8_t keycode, bool shift, bool level3) override;
  std::optional<KeyPlan> plan(uint32_t keysym, bool (*in_use)(uint8_t, void*), void* data) override;
  uint8_t shift_keycode() const override { return shift_keycode_; }
  uint8_t level3_keycode() const override { return level3_keycode_; }
  bool caps_lock() const override { return locked_ & LockMask; }
  bool num_lock() const override { return num_lock_mask_ && (locked_ & num_lock_mask_); }

 private:
  struct KeymapUnref {
    void operator()(xkb_keymap* keymap) const { xkb_keymap_unref(keymap); }
  };
  struct ContextUnref {
    void operator()(xkb_context* context) const { xkb_context_unref(context); }
  };
  /// A keycode that no key of the layout uses, and the keysym bound to it (0: none yet).
  struct Spare {
    uint8_t keycode;
    uint32_t keysym;
  };

  explicit XTestInjector(std::unique_ptr<X11Connection> connection) : connection_(std::move(connection)) {}
  bool load_keymap();
  void find_spares();
  std::optional<KeyPlan> plan_on_layout(uint32_t keysym);
  std::optional<KeyPlan> plan_on_spare(uint32_t keysym, bool (*in_use)(uint8_t, void*), void* data);
  xkb_layout_index_t layout_of(xkb_keycode_t keycode) const;
  Display* display() const { return connection_->display(); }

  const std::unique_ptr<X11Connection> connection_;
  std::unique_ptr<xkb_context, ContextUnref> context_;
  std::unique_ptr<xkb_keymap, KeymapUnref> keymap_;
  int xkb_event_ = 0;
  unsigned locked_ = 0, group_ = 0, num_lock_mask_ = 0;
  uint8_t shift_keycode_ = 0, level3_keycode_ = 0;
  xkb_mod_mask_t shift_mask_ = 0, lock_mask_ = 0, level3_mask_ = 0;
  int width_ = 0, height_ = 0;
  std::list<Spare> spares_;  // least recently used first
  bool repeat_taken_ = false, repeat_was_on_ = false;
};

}  // namespace vitrine
