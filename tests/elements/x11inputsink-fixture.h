// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of x11inputsink share: a client that writes down what it gets, and a pipeline under test on an X server of its own.
#pragma once

#include <gst/gst.h>
#include <gtest/gtest.h>

// After GoogleTest: Xlib defines words such as None and Bool.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/input-record.h"
#include "ximagesrc-shm-xserver.h"

namespace vitrine {

/// Programs that are not built so cannot load plugins that are built with AddressSanitizer.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// A client with a window over the whole screen and the keyboard.
class Recorder {
 public:
  explicit Recorder(const std::string& display);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Takes in events until `enough` says so; false when it does not within two seconds.
  bool wait(const std::function<bool()>& enough);
  /// Takes in what comes within a time.
  void wait_for(std::chrono::milliseconds time);
  bool any_key_down() const;
  bool any_button_down() const;
  bool auto_repeat() const;
  unsigned locked() const;
  /// Keysyms on a keycode, without trailing empty ones.
  std::vector<KeySym> symbols(unsigned keycode) const;
  Display* display() const { return display_; }

  std::vector<KeySym> pressed;    // keys that are not modifiers
  std::vector<unsigned> states;   // modifiers that were down at each
  int presses = 0, releases = 0;  // modifiers too
  std::vector<std::string> pointer;  // "+1@x,y", "-1@x,y", "@x,y" when moved

 private:
  void take();

  Display* display_;
  Window window_;
};

/// A server, a recorder and `appsrc ! x11inputsink` for each test.
class X11InputSink : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  void serve(const std::vector<std::string>& more = {});
  void start(const std::string& properties = "");
  void stop();
  void push_bytes(const std::vector<uint8_t>& bytes);
  void push(const std::vector<InputBody>& bodies);
  void tap(uint16_t code, uint32_t keysym, uint16_t modifiers = 0);
  void type(const std::vector<KeySym>& keysyms);
  guint64 stat(const char* name);
  bool wait_for_records(guint64 count);
  /// The texts of the errors on the bus: waits up to two seconds for the first, and a moment for others.
  std::vector<std::string> errors();
  void set_layout(const std::string& arguments);

  std::unique_ptr<XServer> server_;
  std::unique_ptr<Recorder> recorder_;
  GstElement *pipeline_ = nullptr, *source_ = nullptr, *sink_ = nullptr;
  uint32_t sequence_ = 0;
};

KeyInput key_down(uint16_t code, uint32_t keysym, uint16_t modifiers = 0);
KeyInput key_up(uint16_t code, uint32_t keysym, uint16_t modifiers = 0);
KeyInput key_repeat(uint16_t code, uint32_t keysym);

/// A file with these bytes that goes with its owner.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<uint8_t>& bytes = {});
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }
  std::string read() const;

 private:
  std::string path_;
};

}  // namespace vitrine
