// SPDX-License-Identifier: LGPL-2.1-or-later
// XTEST, and the server's keymap through libxkbcommon.
#include "remote/injector-xtest.h"

#include <X11/XKBlib.h>
#include <X11/Xlib-xcb.h>
#include <X11/extensions/XTest.h>
#include <xkbcommon/xkbcommon-x11.h>

#include <vector>

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
  if (!self->set_up_xkb()) {
    error = OpenError::xkb;
    return nullptr;
  }
  Display* display = self->display();
  XSelectInput(display, self->connection_->root(), StructureNotifyMask);
  self->width_ = DisplayWidth(display, DefaultScreen(display));
  self->height_ = DisplayHeight(display, DefaultScreen(display));
  unsigned char buttons[256];
  self->buttons_ = XGetPointerMapping(display, buttons, sizeof buttons);
  // Injected events must not wait behind a grabbed server.
  XTestGrabControl(display, True);
  self->release_leftovers();
  self->settle();
  return self;
}

XTestInjector::~XTestInjector() {
  if (!alive())
    return;
  flush();
  if (keymap_)
    binder_->give_back(keymap_->spares().bound());
  if (repeat_taken_)
    XAutoRepeatOn(display());
  XSync(display(), False);
}

bool XTestInjector::set_up_xkb() {
  int opcode, error, major = XkbMajorVersion, minor = XkbMinorVersion;
  context_.reset(xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES));
  if (!context_ || !XkbQueryExtension(display(), &opcode, &xkb_event_, &error, &major, &minor) ||
      !xkb_x11_setup_xkb_extension(XGetXCBConnection(display()), XKB_X11_MIN_MAJOR_XKB_VERSION,
                                   XKB_X11_MIN_MINOR_XKB_VERSION, XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, nullptr, nullptr,
                                   nullptr, nullptr))
    return false;
  // Before the keymap is read, so that no change in between is missed.
  const unsigned keymap_events = XkbMapNotifyMask | XkbNewKeyboardNotifyMask;
  XkbSelectEvents(display(), XkbUseCoreKbd, keymap_events, keymap_events);
  const unsigned long state_details = XkbModifierLockMask | XkbGroupStateMask;
  XkbSelectEventDetails(display(), XkbUseCoreKbd, XkbStateNotify, state_details, state_details);
  binder_ = std::make_unique<SpareBinder>(display());
  return load_keymap();
}

bool XTestInjector::load_keymap() {
  xcb_connection_t* xcb = XGetXCBConnection(display());
  const int32_t device = xkb_x11_get_core_keyboard_device_id(xcb);
  if (device < 0)
    return false;
  XkbKeymapPtr keymap(xkb_x11_keymap_new_from_device(context_.get(), xcb, device, XKB_KEYMAP_COMPILE_NO_FLAGS));
  if (!keymap)
    return false;
  if (!binder_->load())
    return false;
  const auto bound = keymap_ ? keymap_->spares().bound() : std::vector<SpareKeys::Slot>{};
  keymap_ = std::make_unique<Keymap>(std::move(keymap), bound, binder_->levels());
  binder_->set_range(keymap_->spares().all());
  load_state();
  return true;
}

void XTestInjector::load_state() {
  XkbStateRec state;
  if (XkbGetState(display(), XkbUseCoreKbd, &state) == Success)
    keymap_->set_state(state.locked_mods, state.group);
}

void XTestInjector::release_leftovers() {
  char keys[32];
  XQueryKeymap(display(), keys);
  for (int keycode = 8; keycode <= 255; ++keycode)
    if (keys[keycode / 8] & (1 << keycode % 8))
      XTestFakeKeyEvent(display(), static_cast<unsigned>(keycode), False, CurrentTime);
  Window root, child;
  int x, y;
  unsigned mask = 0;
  XQueryPointer(display(), connection_->root(), &root, &child, &x, &y, &x, &y, &mask);
  for (unsigned button = 1; button <= 5; ++button)
    if (mask & (Button1Mask << (button - 1)))
      XTestFakeButtonEvent(display(), button, False, CurrentTime);
}

void XTestInjector::take_over_repeat() {
  // XKB's control is what the server goes by, and what it restores for a client that dies; the core protocol's flag is neither.
  std::unique_ptr<XkbDescRec, void (*)(XkbDescPtr)> keyboard(
      XkbAllocKeyboard(), [](XkbDescPtr pointer) { XkbFreeKeyboard(pointer, XkbAllComponentsMask, True); });
  if (!keyboard || XkbGetControls(display(), XkbControlsEnabledMask, keyboard.get()) != Success ||
      !(keyboard->ctrls->enabled_ctrls & XkbRepeatKeysMask))
    return;
  repeat_taken_ = true;
  unsigned controls = XkbRepeatKeysMask, values = XkbRepeatKeysMask;
  XkbSetAutoResetControls(display(), XkbRepeatKeysMask, &controls, &values);
  XAutoRepeatOff(display());
  XSync(display(), False);
}

void XTestInjector::handle(const XEvent& event, bool& reload) {
  if (event.type == ConfigureNotify && event.xconfigure.window == connection_->root()) {
    width_ = event.xconfigure.width;
    height_ = event.xconfigure.height;
    return;
  }
  if (event.type != xkb_event_)
    return;
  const auto& xkb = reinterpret_cast<const XkbEvent&>(event);
  switch (xkb.any.xkb_type) {
    case XkbStateNotify:
      keymap_->set_state(xkb.state.locked_mods, static_cast<uint32_t>(xkb.state.group));
      break;
    case XkbMapNotify:
      reload = reload || !binder_->caused(xkb.map);
      break;
    case XkbNewKeyboardNotify:
      reload = true;
      break;
    default:
      break;
  }
}

void XTestInjector::update() {
  bool reload = false;
  while (alive() && XPending(display()) > 0) {
    XEvent event;
    XNextEvent(display(), &event);
    if (alive())
      handle(event, reload);
  }
  if (reload && alive())
    load_keymap();
}

void XTestInjector::key(uint8_t keycode, bool down) {
  if (keymap_->levels_of(keycode)) {
    level_keys_down_.set(keycode, down);
    levels_down_ = 0;
    for (size_t key = 8; key < level_keys_down_.size(); ++key)
      levels_down_ |= level_keys_down_[key] ? keymap_->levels_of(static_cast<uint8_t>(key)) : 0;
  } else if (down) {
    binder_->pressed(keycode, levels_down_);
  }
  XTestFakeKeyEvent(display(), keycode, down, CurrentTime);
}

void XTestInjector::button(uint8_t button, bool down) { XTestFakeButtonEvent(display(), button, down, CurrentTime); }
void XTestInjector::move_to(int x, int y) { XTestFakeMotionEvent(display(), -1, x, y, CurrentTime); }
void XTestInjector::move_by(int dx, int dy) { XTestFakeRelativeMotionEvent(display(), dx, dy, CurrentTime); }

void XTestInjector::flush() { XFlush(display()); }

void XTestInjector::settle() {
  XSync(display(), False);
  update();
}

}  // namespace vitrine
