// SPDX-License-Identifier: LGPL-2.1-or-later
// Recorder and pipeline of the tests of x11inputsink.
#include "x11inputsink-fixture.h"

#include <X11/XKBlib.h>
#include <gst/app/gstappsrc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

namespace vitrine {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

Recorder::Recorder(const std::string& display) : display_(XOpenDisplay(display.c_str())) {
  if (!display_) {
    std::fprintf(stderr, "cannot open display %s\n", display.c_str());
    std::exit(1);
  }
  XSetWindowAttributes attributes{};
  attributes.override_redirect = True;
  attributes.event_mask = KeyPressMask | KeyReleaseMask | ButtonPressMask | ButtonReleaseMask | PointerMotionMask;
  window_ = XCreateWindow(display_, DefaultRootWindow(display_), 0, 0, 4000, 4000, 0, CopyFromParent, InputOutput,
                          CopyFromParent, CWOverrideRedirect | CWEventMask, &attributes);
  XMapRaised(display_, window_);
  XSync(display_, False);
  XSetInputFocus(display_, window_, RevertToParent, CurrentTime);
  // The window that comes under the pointer gets an event or not, as the server pleases.
  XSync(display_, True);
}

Recorder::~Recorder() { XCloseDisplay(display_); }

bool Recorder::wait(const std::function<bool()>& enough) {
  for (const auto end = Clock::now() + milliseconds(2000); !enough();) {
    if (Clock::now() > end)
      return false;
    while (XPending(display_) > 0)
      take();
    if (!enough())
      std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

void Recorder::wait_for(milliseconds time) {
  const auto end = Clock::now() + time;
  wait([end] { return Clock::now() > end; });
}

bool Recorder::any_key_down() const {
  char keys[32];
  XQueryKeymap(display_, keys);
  return std::any_of(keys, keys + 32, [](char byte) { return byte != 0; });
}

bool Recorder::any_button_down() const {
  Window root, child;
  int x, y;
  unsigned mask = 0;
  XQueryPointer(display_, window_, &root, &child, &x, &y, &x, &y, &mask);
  return mask & (Button1Mask | Button2Mask | Button3Mask | Button4Mask | Button5Mask);
}

bool Recorder::auto_repeat() const {
  // What the server goes by; the core protocol's flag may say otherwise.
  XkbDescRec* keyboard = XkbAllocKeyboard();
  XkbGetControls(display_, XkbControlsEnabledMask, keyboard);
  const bool on = keyboard->ctrls->enabled_ctrls & XkbRepeatKeysMask;
  XkbFreeKeyboard(keyboard, XkbAllComponentsMask, True);
  return on;
}

unsigned Recorder::locked() const {
  XkbStateRec state{};
  XkbGetState(display_, XkbUseCoreKbd, &state);
  return state.locked_mods;
}

std::vector<KeySym> Recorder::symbols(unsigned keycode) const {
  int count = 0;
  KeySym* found = XGetKeyboardMapping(display_, static_cast<KeyCode>(keycode), 1, &count);
  std::vector<KeySym> result(found, found + count);
  XFree(found);
  while (!result.empty() && result.back() == NoSymbol)
    result.pop_back();
  return result;
}

void Recorder::take() {
  XEvent event;
  XNextEvent(display_, &event);
  const auto at = [](int x, int y) { return '@' + std::to_string(x) + ',' + std::to_string(y); };
  switch (event.type) {
    case MappingNotify:
      XRefreshKeyboardMapping(&event.xmapping);
      break;
    case KeyPress:
    case KeyRelease: {
      char text[16];
      KeySym symbol = NoSymbol;
      XLookupString(&event.xkey, text, sizeof text, &symbol, nullptr);
      ++(event.type == KeyPress ? presses : releases);
      if (event.type == KeyPress && !IsModifierKey(symbol) && symbol != XK_ISO_Level3_Shift) {
        pressed.push_back(symbol);
        states.push_back(event.xkey.state);
      }
      break;
    }
    case ButtonPress:
    case ButtonRelease:
      pointer.push_back((event.type == ButtonPress ? '+' : '-') + std::to_string(event.xbutton.button) +
                        at(event.xbutton.x_root, event.xbutton.y_root));
      break;
    case MotionNotify:
      pointer.push_back(at(event.xmotion.x_root, event.xmotion.y_root));
      break;
    default:
      break;
  }
}

void X11InputSink::SetUp() { serve(); }

void X11InputSink::TearDown() {
  stop();
  recorder_.reset();
}

void X11InputSink::serve(const std::vector<std::string>& more) {
  recorder_.reset();
  server_ = XServer::start_xvfb("800x600x24", more);
  if (!server_) {
    std::puts("SKIP: Xvfb does not start");
    std::exit(77);
  }
  recorder_ = std::make_unique<Recorder>(server_->display());
}

void X11InputSink::start(const std::string& properties) {
  GError* error = nullptr;
  const std::string line = "appsrc name=source is-live=true format=time caps=application/x-vitrine-control,version=1 ! "
                           "x11inputsink name=sink display-name=" +
                           server_->display() + " " + properties;
  pipeline_ = gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!pipeline_) {
    std::fprintf(stderr, "%s: %s\n", line.c_str(), error->message);
    std::exit(1);
  }
  source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
  sink_ = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
  ASSERT_NE(gst_element_set_state(pipeline_, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
}

void X11InputSink::stop() {
  if (!pipeline_)
    return;
  EXPECT_EQ(gst_element_set_state(pipeline_, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  gst_clear_object(&source_);
  gst_clear_object(&sink_);
  gst_clear_object(&pipeline_);
}

void X11InputSink::push_bytes(const std::vector<uint8_t>& bytes) {
  GstBuffer* buffer = bytes.empty() ? gst_buffer_new() : gst_buffer_new_memdup(bytes.data(), bytes.size());
  gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
}

void X11InputSink::push(const std::vector<InputBody>& bodies) {
  std::vector<uint8_t> bytes;
  for (const auto& body : bodies) {
    const uint32_t sequence = ++sequence_;
    encode_input({sequence, sequence - 1, 0, body}, bytes);
  }
  push_bytes(bytes);
}

void X11InputSink::tap(uint16_t code, uint32_t keysym, uint16_t modifiers) {
  push({key_down(code, keysym, modifiers), key_up(code, keysym, modifiers)});
}

void X11InputSink::type(const std::vector<KeySym>& keysyms) {
  for (const KeySym keysym : keysyms)
    tap(0, static_cast<uint32_t>(keysym));
}

guint64 X11InputSink::stat(const char* name) {
  GstStructure* stats = nullptr;
  g_object_get(sink_, "stats", &stats, nullptr);
  guint64 value = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, name, &value)) << name;
  gst_structure_free(stats);
  return value;
}

bool X11InputSink::wait_for_records(guint64 count) {
  for (int i = 0; i < 1000 && stat("records") < count; ++i)
    std::this_thread::sleep_for(milliseconds(5));
  return stat("records") == count;
}

std::vector<std::string> X11InputSink::errors() {
  std::vector<std::string> texts;
  GstBus* bus = gst_element_get_bus(pipeline_);
  while (GstMessage* message = gst_bus_timed_pop_filtered(bus, (texts.empty() ? 2000 : 200) * GST_MSECOND, GST_MESSAGE_ERROR)) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    texts.emplace_back(error->message);
    g_error_free(error);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return texts;
}

void X11InputSink::set_layout(const std::string& arguments) {
  ASSERT_EQ(std::system(("setxkbmap -display " + server_->display() + " " + arguments).c_str()), 0);
}

KeyInput key_down(uint16_t code, uint32_t keysym, uint16_t modifiers) { return {true, false, code, keysym, modifiers}; }
KeyInput key_up(uint16_t code, uint32_t keysym, uint16_t modifiers) { return {false, false, code, keysym, modifiers}; }
KeyInput key_repeat(uint16_t code, uint32_t keysym) { return {true, true, code, keysym, 0}; }

TemporaryFile::TemporaryFile(const std::vector<uint8_t>& bytes) : path_("/tmp/vitrine-input-XXXXXX") {
  const int fd = mkstemp(path_.data());
  EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(fd);
}

TemporaryFile::~TemporaryFile() { unlink(path_.c_str()); }

std::string TemporaryFile::read() const {
  std::ifstream file(path_);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace vitrine
