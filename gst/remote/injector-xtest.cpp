// SPDX-License-Identifier: LGPL-2.1-or-later
// XTEST, and the server's keymap through libxkbcommon.
#include "remote/injector-xtest.h"

#include <X11/XKBlib.h>
#include <X11/Xlib-xcb.h>
#include <X11/extensions/XTest.h>
#include <X11/keysym.h>
#include <xkbcommon/xkbcommon-x11.h>

#include <algorithm>

namespace vitrine {

std::unique_ptr<XTestInjector> XTestInjector::open(const std::string& name, OpenError& error) {
  error = OpenError::none;
  auto connection = X11Connection::open(name);
  if (!connection) {
    error = OpenError::display;
    return nullptr;
  }
  int event, first_error, major, minor;
  if (!XTestQueryExtension(connection->display(), &event, &first_error, &major, &minor)) {
    error = OpenError::xtest;
    return nullptr;
  }
  std::unique_ptr<XTestInjector> self(new XTestInjector(std::move(connection)));
  Display* display = self->display();
  int opcode, xkb_error;
  major = XkbMajorVersion;
  minor = XkbMinorVersion;
  self->context_.reset(xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES));
  if (!XkbQueryExtension(display, &opcode, &self->xkb_event_, &xkb_error, &major, &minor) ||
      !xkb_x11_setup_xkb_extension(XGetXCBConnection(display), XKB_X11_MIN_MAJOR_XKB_VERSION, XKB_X11_MIN_MINOR_XKB_VERSION,
                                   XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, nullptr, nullptr, nullptr, nullptr) ||
      !self->load_keymap()) {
    error = OpenError::keymap;
    return nullptr;
  }
  self->find_spares();
  XkbSelectEvents(display, XkbUseCoreKbd, XkbMapNotifyMask | XkbNewKeyboardNotifyMask | XkbStateNotifyMask,
                  XkbMapNotifyMask | XkbNewKeyboardNotifyMask | XkbStateNotifyMask);
  XSelectInput(display, self->connection_->root(), StructureNotifyMask);
  XkbStateRec state;
  if (XkbGetState(display, XkbUseCoreKbd, &state) == Success) {
    self->locked_ = state.locked_mods;
    self->group_ = state.group;
  }
  self->width_ = DisplayWidth(display, DefaultScreen(display));
  self->height_ = DisplayHeight(display, DefaultScreen(display));
  // Injected events must not wait behind a grabbed server.
  XTestGrabControl(display, True);
  XSync(display, False);
  return self;
}

XTestInjector::~XTestInjector() {
  if (!connection_->alive())
    return;
  KeySym none[1] = {NoSymbol};
  for (const auto& spare : spares_)
    if (spare.keysym)
      XChangeKeyboardMapping(display(), spare.keycode, 1, none, 1);
  if (repeat_taken_ && repeat_was_on_)
    XAutoRepeatOn(display());
  XSync(display(), False);
}

void XTestInjector::take_over_repeat() {
  XKeyboardState state;
  XGetKeyboardControl(display(), &state);
  repeat_was_on_ = state.global_auto_repeat == AutoRepeatModeOn;
  repeat_taken_ = true;
  XAutoRepeatOff(display());
  XSync(display(), False);
}

bool XTestInjector::load_keymap() {
  xcb_connection_t* xcb = XGetXCBConnection(display());
  const int32_t device = xkb_x11_get_core_keyboard_device_id(xcb);
  if (device < 0)
    return false;
  std::unique_ptr<xkb_keymap, KeymapUnref> keymap(
      xkb_x11_keymap_new_from_device(context_.get(), xcb, device, XKB_KEYMAP_COMPILE_NO_FLAGS));
  if (!keymap)
    return false;
  keymap_ = std::move(keymap);
  const auto mask = [this](const char* name) -> xkb_mod_mask_t {
    const xkb_mod_index_t index = xkb_keymap_mod_get_index(keymap_.get(), name);
    return index == XKB_MOD_INVALID ? 0 : xkb_mod_mask_t{1} << index;
  };
  shift_mask_ = mask(XKB_MOD_NAME_SHIFT);
  lock_mask_ = mask(XKB_MOD_NAME_CAPS);
  level3_mask_ = mask("Mod5");
  num_lock_mask_ = XkbKeysymToModifiers(display(), XK_Num_Lock);
  shift_keycode_ = XKeysymToKeycode(display(), XK_Shift_L);
  level3_keycode_ = XKeysymToKeycode(display(), XK_ISO_Level3_Shift);
  return true;
}

void XTestInjector::find_spares() {
  int first, last, per_keycode;
  XDisplayKeycodes(display(), &first, &last);
  KeySym* symbols = XGetKeyboardMapping(display(), static_cast<KeyCode>(first), last - first + 1, &per_keycode);
  XModifierKeymap* modifiers = XGetModifierMapping(display());
  const auto is_modifier = [&](int keycode) {
    const int count = 8 * modifiers->max_keypermod;
    return std::find(modifiers->modifiermap, modifiers->modifiermap + count, keycode) != modifiers->modifiermap + count;
  };
  for (int keycode = last; symbols && keycode >= first; --keycode) {
    const KeySym* row = symbols + (keycode - first) * per_keycode;
    const bool unused = std::all_of(row, row + per_keycode, [](KeySym symbol) { return symbol == NoSymbol; });
    if (unused && !is_modifier(keycode))
      spares_.push_back({static_cast<uint8_t>(keycode), 0});
  }
  XFreeModifiermap(modifiers);
  if (symbols)
    XFree(symbols);
}

bool XTestInjector::update() {
  bool reload = false;
  while (connection_->alive() && XEventsQueued(display(), QueuedAfterReading) > 0) {
    XEvent event;
    XNextEvent(display(), &event);
    if (event.type == MappingNotify) {
      XRefreshKeyboardMapping(&event.xmapping);
      reload = true;
    } else if (event.type == ConfigureNotify && event.xconfigure.window == connection_->root()) {
      width_ = event.xconfigure.width;
      height_ = event.xconfigure.height;
    } else if (event.type == xkb_event_) {
      const auto& xkb = reinterpret_cast<const XkbEvent&>(event);
      if (xkb.any.xkb_type == XkbStateNotify) {
        locked_ = xkb.state.locked_mods;
        group_ = static_cast<unsigned>(xkb.state.group);
      } else {
        reload = true;
      }
    }
  }
  if (reload && connection_->alive())
    load_keymap();
  return connection_->alive();
}

void XTestInjector::key(uint8_t keycode, bool down) { XTestFakeKeyEvent(display(), keycode, down, CurrentTime); }
void XTestInjector::button(uint8_t button, bool down) { XTestFakeButtonEvent(display(), button, down, CurrentTime); }
void XTestInjector::move_to(int x, int y) { XTestFakeMotionEvent(display(), -1, x, y, CurrentTime); }
void XTestInjector::move_by(int dx, int dy) { XTestFakeRelativeMotionEvent(display(), dx, dy, CurrentTime); }
void XTestInjector::flush() { XFlush(display()); }

xkb_layout_index_t XTestInjector::layout_of(xkb_keycode_t keycode) const {
  const xkb_layout_index_t count = xkb_keymap_num_layouts_for_key(keymap_.get(), keycode);
  return count == 0 ? 0 : std::min<xkb_layout_index_t>(group_, count - 1);
}

uint32_t XTestInjector::keysym_of(uint8_t keycode, bool shift, bool level3) {
  std::unique_ptr<xkb_state, decltype(&xkb_state_unref)> state(xkb_state_new(keymap_.get()), xkb_state_unref);
  const xkb_mod_mask_t depressed = (shift ? shift_mask_ : 0) | (level3 ? level3_mask_ : 0);
  xkb_state_update_mask(state.get(), depressed, 0, locked_, 0, 0, group_);
  return xkb_state_key_get_one_sym(state.get(), keycode);
}

std::optional<KeyPlan> XTestInjector::plan_on_layout(uint32_t keysym) {
  const xkb_mod_mask_t locks = (locked_ & LockMask ? lock_mask_ : 0) | (num_lock() ? num_lock_mask_ : 0);
  const xkb_mod_mask_t ours = shift_mask_ | level3_mask_;
  std::optional<KeyPlan> best;
  int best_cost = 99;
  for (xkb_keycode_t code = xkb_keymap_min_keycode(keymap_.get()); code <= std::min<xkb_keycode_t>(255, xkb_keymap_max_keycode(keymap_.get()));
       ++code) {
    const xkb_layout_index_t layout = layout_of(code);
    const xkb_level_index_t levels = xkb_keymap_num_levels_for_key(keymap_.get(), code, layout);
    for (xkb_level_index_t level = 0; level < levels; ++level) {
      const xkb_keysym_t* symbols;
      if (xkb_keymap_key_get_syms_by_level(keymap_.get(), code, layout, level, &symbols) != 1 || symbols[0] != keysym)
        continue;
      xkb_mod_mask_t masks[16], used = 0;
      const size_t count = xkb_keymap_key_get_mods_for_level(keymap_.get(), code, layout, level, masks, 16);
      // Which modifiers the key looks at at all: those of any of its levels.
      for (xkb_level_index_t other = 0; other < levels; ++other) {
        xkb_mod_mask_t all[16];
        const size_t n = xkb_keymap_key_get_mods_for_level(keymap_.get(), code, layout, other, all, 16);
        for (size_t i = 0; i < n; ++i)
          used |= all[i];
      }
      for (size_t i = 0; i < count; ++i) {
        // Only Shift and AltGr are pressed or lifted; what is locked has to fit as it is, other modifiers must not be needed.
        if ((masks[i] & ~ours) != (locks & used & ~ours))
          continue;
        KeyPlan plan{static_cast<uint8_t>(code), {}, {}};
        if (used & shift_mask_)
          plan.shift = (masks[i] & shift_mask_) != 0;
        if (used & level3_mask_)
          plan.level3 = (masks[i] & level3_mask_) != 0;
        const int cost = (plan.shift.value_or(false) ? 1 : 0) + (plan.level3.value_or(false) ? 2 : 0);
        if (cost < best_cost) {
          best = plan;
          best_cost = cost;
        }
      }
    }
  }
  return best;
}

std::optional<KeyPlan> XTestInjector::plan_on_spare(uint32_t keysym, bool (*in_use)(uint8_t, void*), void* data) {
  auto found = std::find_if(spares_.begin(), spares_.end(), [keysym](const Spare& s) { return s.keysym == keysym; });
  if (found == spares_.end()) {
    found = std::find_if(spares_.begin(), spares_.end(), [&](const Spare& s) { return !in_use(s.keycode, data); });
    if (found == spares_.end())
      return std::nullopt;
    // On both levels, so that a held Shift does not matter.
    KeySym symbols[2] = {keysym, keysym};
    XChangeKeyboardMapping(display(), found->keycode, 2, symbols, 1);
    XSync(display(), False);
    found->keysym = keysym;
  }
  spares_.splice(spares_.end(), spares_, found);
  return KeyPlan{spares_.back().keycode, {}, {}};
}

std::optional<KeyPlan> XTestInjector::plan(uint32_t keysym, bool (*in_use)(uint8_t, void*), void* data) {
  auto plan = plan_on_layout(keysym);
  // Unicode keysyms of Latin-1 characters are the characters themselves on every layout.
  if (!plan && keysym >= 0x01000020 && keysym <= 0x010000ff)
    plan = plan_on_layout(keysym - 0x01000000);
  // A character may be on the layout under its legacy keysym (Cyrillic, Greek, Hebrew…).
  if (!plan && keysym > 0x01000100) {
    const uint32_t legacy = xkb_utf32_to_keysym(keysym - 0x01000000);
    if (legacy && legacy != keysym)
      plan = plan_on_layout(legacy);
  }
  return plan ? plan : plan_on_spare(keysym, in_use, data);
}

}  // namespace vitrine
