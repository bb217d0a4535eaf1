// SPDX-License-Identifier: LGPL-2.1-or-later
// Injector on a real X server, by XTEST. Spare keycodes are bound on demand and given back at the end.
#pragma once

#include <X11/Xlib.h>
#include <xkbcommon/xkbcommon.h>

#include <memory>
#include <string>

#include "common/x11.h"
#include "remote/injector.h"
#include "remote/spare-binder.h"

namespace vitrine {

/// A lost connection is noticed by alive(); whoever notices must destroy the injector on the same thread, since Xlib leaves the
/// display locked by the thread that met the error.
class XTestInjector : public Injector {
 public:
  enum class OpenError { none, display, xtest, xkb };

  /// `name` empty means $DISPLAY. Null, with `error` set, when the display cannot be used. Lets go of keys and buttons that
  /// somebody left down.
  static std::unique_ptr<XTestInjector> open(const std::string& name, OpenError& error);
  ~XTestInjector() override;

  /// Switches the server's own autorepeat off until the end; the server itself restores it should this process die.
  void take_over_repeat();
  /// Takes in what the server has told: keymap, locks, group, screen size.
  void update();
  bool alive() const { return connection_->alive(); }
  /// Readable when update() has something to do.
  int fd() const { return connection_->fd(); }
  std::string display_name() const { return connection_->name(); }
  Display* display() const { return connection_->display(); }

  void key(uint8_t keycode, bool down) override;
  void button(uint8_t button, bool down) override;
  void move_to(int x, int y) override;
  void move_by(int dx, int dy) override;
  void bind(std::span<const SpareKeys::Slot> slots) override { binder_->bind(slots); }
  void flush() override;
  void settle() override;
  Keymap& keymap() override { return *keymap_; }
  int width() const override { return width_; }
  int height() const override { return height_; }
  int buttons() const override { return buttons_; }

 private:
  struct ContextUnref {
    void operator()(xkb_context* context) const { xkb_context_unref(context); }
  };

  explicit XTestInjector(std::unique_ptr<X11Connection> connection) : connection_(std::move(connection)) {}
  bool set_up_xkb();
  bool load_keymap();
  void load_state();
  void release_leftovers();
  void handle(const XEvent& event, bool& reload);

  const std::unique_ptr<X11Connection> connection_;
  std::unique_ptr<xkb_context, ContextUnref> context_;
  std::unique_ptr<Keymap> keymap_;
  std::unique_ptr<SpareBinder> binder_;
  KeycodeSet level_keys_down_;
  uint8_t levels_down_ = 0;
  int xkb_event_ = 0;
  int width_ = 0, height_ = 0, buttons_ = 0;
  bool repeat_taken_ = false;
};

}  // namespace vitrine
