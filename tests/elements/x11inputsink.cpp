// SPDX-License-Identifier: LGPL-2.1-or-later
// x11inputsink on a real Xvfb, seen by a real X client: what is typed, clicked and held, and what happens when things break.
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

// After GoogleTest: Xlib defines words such as None and Bool.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "protocol/input-record.h"
#include "ximagesrc-shm-xserver.h"

namespace vitrine {
namespace {

/// A client with a window over the whole screen that notes what it gets.
class Recorder {
 public:
  explicit Recorder(const std::string& display) : display_(XOpenDisplay(display.c_str())) {
    XSetWindowAttributes attributes{};
    attributes.override_redirect = True;
    attributes.event_mask = KeyPressMask | KeyReleaseMask | ButtonPressMask | ButtonReleaseMask | PointerMotionMask;
    window_ = XCreateWindow(display_, DefaultRootWindow(display_), 0, 0, 800, 600, 0, CopyFromParent, InputOutput, CopyFromParent,
                            CWOverrideRedirect | CWEventMask, &attributes);
    XMapRaised(display_, window_);
    XSync(display_, False);
    XSetInputFocus(display_, window_, RevertToParent, CurrentTime);
    XSync(display_, False);
  }
  ~Recorder() { XCloseDisplay(display_); }

  /// Takes in events until `enough` says so, or for two seconds.
  template <typename Enough>
  void wait(Enough enough) {
    for (int i = 0; i < 400 && !enough(); ++i) {
      while (XPending(display_) > 0)
        take();
      if (!enough())
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  bool any_key_down() {
    char keys[32];
    XQueryKeymap(display_, keys);
    return std::any_of(keys, keys + 32, [](char byte) { return byte != 0; });
  }
  bool auto_repeat() {
    XKeyboardState state;
    XGetKeyboardControl(display_, &state);
    return state.global_auto_repeat == AutoRepeatModeOn;
  }
  Display* display() { return display_; }

  std::vector<KeySym> pressed;   // printing keys
  int presses = 0, releases = 0;
  std::vector<std::string> buttons;

 private:
  void take() {
    XEvent event;
    XNextEvent(display_, &event);
    if (event.type == MappingNotify) {
      XRefreshKeyboardMapping(&event.xmapping);
    } else if (event.type == KeyPress || event.type == KeyRelease) {
      char text[16];
      KeySym symbol = NoSymbol;
      XLookupString(&event.xkey, text, sizeof text, &symbol, nullptr);
      ++(event.type == KeyPress ? presses : releases);
      if (event.type == KeyPress && !IsModifierKey(symbol))
        pressed.push_back(symbol);
    } else if (event.type == ButtonPress || event.type == ButtonRelease) {
      buttons.push_back((event.type == ButtonPress ? "+" : "-") + std::to_string(event.xbutton.button) + "@" +
                        std::to_string(event.xbutton.x_root) + "," + std::to_string(event.xbutton.y_root));
    }
  }

  Display* display_;
  Window window_;
};

class X11InputSink : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = XServer::start_xvfb("800x600x24");
    if (!server_) {
      std::puts("SKIP: Xvfb does not start");
      std::exit(77);
    }
    recorder_ = std::make_unique<Recorder>(server_->display());
  }
  void TearDown() override {
    stop();
    recorder_.reset();
  }

  void start(const std::string& properties = "") {
    GError* error = nullptr;
    pipeline_ = gst_parse_launch(("appsrc name=source is-live=true format=time caps=application/x-vitrine-control,version=1 ! "
                                  "x11inputsink name=sink display-name=" +
                                  server_->display() + " " + properties)
                                     .c_str(),
                                 &error);
    ASSERT_NE(pipeline_, nullptr) << error->message;
    source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
    sink_ = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
    ASSERT_NE(gst_element_set_state(pipeline_, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  }
  void stop() {
    if (!pipeline_)
      return;
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_clear_object(&source_);
    gst_clear_object(&sink_);
    gst_clear_object(&pipeline_);
  }
  void push_bytes(const std::vector<uint8_t>& bytes) {
    gst_app_src_push_buffer(GST_APP_SRC(source_), gst_buffer_new_memdup(bytes.data(), bytes.size()));
  }
  void push(const std::vector<InputBody>& bodies) {
    std::vector<uint8_t> bytes;
    for (const auto& body : bodies) {
      const uint32_t sequence = ++sequence_;
      encode_input({sequence, sequence - 1, 0, body}, bytes);
    }
    push_bytes(bytes);
  }
  void tap(uint16_t code, uint32_t keysym, uint16_t modifiers = 0) {
    push({KeyInput{true, false, code, keysym, modifiers}, KeyInput{false, false, code, keysym, modifiers}});
  }
  guint64 stat(const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(sink_, "stats", &stats, nullptr);
    guint64 value = 0;
    gst_structure_get_uint64(stats, name, &value);
    gst_structure_free(stats);
    return value;
  }
  /// The bus' next error, or empty after two seconds.
  std::string error_message() {
    GstBus* bus = gst_element_get_bus(pipeline_);
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 2 * GST_SECOND, GST_MESSAGE_ERROR);
    gst_object_unref(bus);
    if (!message)
      return "";
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    const std::string text = error->message;
    g_error_free(error);
    gst_message_unref(message);
    return text;
  }
  void set_layout(const std::string& layout) {
    ASSERT_EQ(std::system(("setxkbmap -display " + server_->display() + " " + layout).c_str()), 0);
  }

  std::unique_ptr<XServer> server_;
  std::unique_ptr<Recorder> recorder_;
  GstElement *pipeline_ = nullptr, *source_ = nullptr, *sink_ = nullptr;
  uint32_t sequence_ = 0;
};

TEST_F(X11InputSink, TypesByPosition) {
  start();
  tap(30, 'a');
  tap(57, ' ');
  tap(28, XK_Return);
  recorder_->wait([&] { return recorder_->releases >= 3; });
  EXPECT_EQ(recorder_->pressed, (std::vector<KeySym>{'a', ' ', XK_Return}));
}

TEST_F(X11InputSink, TypesCharactersThatTheLayoutHasAndThatItHasNot) {
  start();
  const std::vector<KeySym> typed = {'A', '@', XK_eacute, XK_ntilde, XK_ssharp, XK_EuroSign, 0x010065e5, 0x0101f600, 0x01000434, 'z'};
  for (const KeySym keysym : typed)
    tap(0, static_cast<uint32_t>(keysym));
  recorder_->wait([&] { return recorder_->pressed.size() >= typed.size(); });
  EXPECT_EQ(recorder_->pressed.size(), typed.size());
  for (size_t i = 0; i < typed.size() && i < recorder_->pressed.size(); ++i)
    EXPECT_EQ(recorder_->pressed[i], typed[i]) << "character " << i;
}

TEST_F(X11InputSink, FollowsTheServersLayout) {
  set_layout("de");
  start();
  // A German viewer's keys by position, @ as AltGr + Q.
  tap(44, 'y');
  push({KeyInput{true, false, 100, XK_ISO_Level3_Shift, kModifierAltGr}});
  tap(16, '@', kModifierAltGr);
  push({KeyInput{false, false, 100, XK_ISO_Level3_Shift, 0}});
  // A US viewer's @ is Shift + 2, which is " on this layout.
  push({KeyInput{true, false, 42, XK_Shift_L, kModifierShift}});
  tap(3, '@', kModifierShift);
  push({KeyInput{false, false, 42, XK_Shift_L, 0}});
  tap(40, XK_adiaeresis);
  recorder_->wait([&] { return recorder_->pressed.size() >= 4; });
  EXPECT_EQ(recorder_->pressed, (std::vector<KeySym>{'y', '@', '@', XK_adiaeresis}));
  EXPECT_FALSE(recorder_->any_key_down());
}

TEST_F(X11InputSink, FollowsALayoutThatChangesWhileItRuns) {
  start();
  tap(44, 'z');
  recorder_->wait([&] { return recorder_->pressed.size() >= 1; });
  set_layout("de");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  tap(44, 'z');
  recorder_->wait([&] { return recorder_->pressed.size() >= 2; });
  EXPECT_EQ(recorder_->pressed, (std::vector<KeySym>{'z', 'z'}));
}

TEST_F(X11InputSink, ClicksWhereItWasClicked) {
  start();
  push({PointerInput{{5, 5, 800, 600}}, ButtonInput{1, true, PicturePosition{321, 123, 800, 600}}, ButtonInput{1, false, {}},
        ButtonInput{3, true, PicturePosition{799, 599, 1600, 1200}}, ButtonInput{3, false, {}}});
  recorder_->wait([&] { return recorder_->buttons.size() >= 4; });
  EXPECT_EQ(recorder_->buttons, (std::vector<std::string>{"+1@321,123", "-1@321,123", "+3@399,299", "-3@399,299"}));
}

TEST_F(X11InputSink, MovesRelativelyWithoutAcceleration) {
  start();
  push({PointerInput{{100, 100, 800, 600}}, MotionInput{150, 1}, MotionInput{50, -2}, ButtonInput{1, true, {}}, ButtonInput{1, false, {}}});
  recorder_->wait([&] { return recorder_->buttons.size() >= 2; });
  EXPECT_EQ(recorder_->buttons.at(0), "+1@300,99");
}

TEST_F(X11InputSink, LetsGoWhenTheViewerFallsSilent) {
  start("release-timeout=200");
  push({KeyInput{true, false, 42, XK_Shift_L, 1}, KeyInput{true, false, 30, 'A', 1}, ButtonInput{1, true, {}}});
  recorder_->wait([&] { return recorder_->presses >= 2; });
  EXPECT_TRUE(recorder_->any_key_down());
  recorder_->wait([&] { return recorder_->releases >= 2; });
  EXPECT_FALSE(recorder_->any_key_down());
  EXPECT_EQ(stat("release-timeouts"), 1u);
}

TEST_F(X11InputSink, AliveRecordsKeepAKeyDown) {
  start("release-timeout=300");
  push({KeyInput{true, false, 30, 'a', 0}});
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    push({AliveInput{}});
  }
  EXPECT_TRUE(recorder_->any_key_down());
}

TEST_F(X11InputSink, LetsGoWhenItStopsAndGivesRepeatBack) {
  const bool before = recorder_->auto_repeat();
  start();
  push({KeyInput{true, false, 30, 'a', 0}});
  recorder_->wait([&] { return recorder_->presses >= 1; });
  EXPECT_FALSE(recorder_->auto_repeat());
  stop();
  EXPECT_FALSE(recorder_->any_key_down());
  EXPECT_EQ(recorder_->auto_repeat(), before);
}

TEST_F(X11InputSink, NoStormLeavesAKeyDown) {
  start();
  std::mt19937 random(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<InputBody> bodies;
    for (int i = 0; i < 20; ++i) {
      const auto code = static_cast<uint16_t>(random() % 4 ? 1 + random() % 126 : 0);
      const auto keysym = static_cast<uint32_t>(random() % 3 ? 'a' + random() % 26 : 0x01003042 + random() % 40);
      bodies.push_back(KeyInput{random() % 2 == 0, false, code, keysym, static_cast<uint16_t>(random() % 32)});
    }
    bodies.push_back(ReleaseInput{});
    push(bodies);
  }
  for (int i = 0; i < 400 && stat("records") < 100 * 21; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(stat("records"), 100u * 21);
  recorder_->wait([] { return false; });
  EXPECT_FALSE(recorder_->any_key_down());
}

TEST_F(X11InputSink, TakesRecordsThatAreCutAnywhere) {
  start();
  std::vector<uint8_t> bytes;
  for (uint32_t i = 1; i <= 20; ++i)
    encode_input({i, i - 1, 0, KeyInput{i % 2 == 1, false, 30, 'a', 0}}, bytes);
  for (size_t at = 0; at < bytes.size(); at += 7)
    push_bytes({bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + 7))});
  recorder_->wait([&] { return recorder_->releases >= 10; });
  EXPECT_EQ(recorder_->presses, 10);
  EXPECT_EQ(stat("refused"), 0u);
}

TEST_F(X11InputSink, RefusesGarbageAndGoesOn) {
  start();
  push_bytes({0xff, 0x00, 0x12});
  push_bytes(std::vector<uint8_t>(5000, 1));
  push_bytes({'{', '}'});
  tap(30, 'a');
  recorder_->wait([&] { return recorder_->releases >= 1; });
  EXPECT_EQ(recorder_->pressed, (std::vector<KeySym>{'a'}));
  EXPECT_EQ(stat("refused"), 2u);
}

TEST_F(X11InputSink, ALostServerIsOneErrorAndARestartWorks) {
  start();
  tap(30, 'a');
  recorder_->wait([&] { return recorder_->releases >= 1; });
  const std::string display = server_->display();
  // Our own client would end the process; it goes first.
  recorder_.reset();
  server_->kill_now();
  for (int i = 0; i < 5; ++i)
    tap(30, 'a');
  EXPECT_NE(error_message().find(display), std::string::npos);
  stop();
  SetUp();
  start();
  tap(30, 'a');
  recorder_->wait([&] { return recorder_->releases >= 1; });
  EXPECT_EQ(recorder_->pressed, (std::vector<KeySym>{'a'}));
}

TEST_F(X11InputSink, AMissingDisplayIsAClearError) {
  pipeline_ = gst_parse_launch("appsrc name=source ! x11inputsink display-name=:4711", nullptr);
  EXPECT_EQ(gst_element_set_state(pipeline_, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  EXPECT_NE(error_message().find(":4711"), std::string::npos);
}

TEST_F(X11InputSink, TheDocumentedLaunchLineRuns) {
  std::vector<uint8_t> bytes;
  encode_input({1, 0, 0, KeyInput{true, false, 30, 'a', 0}}, bytes);
  encode_input({2, 1, 0, KeyInput{false, false, 30, 'a', 0}}, bytes);
  char name[] = "/tmp/vitrine-input-XXXXXX";
  const int fd = mkstemp(name);
  ASSERT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(fd);
  const std::string line = std::string("gst-launch-1.0 -q filesrc location=") + name + " ! x11inputsink display-name=" + server_->display();
  EXPECT_EQ(std::system(line.c_str()), 0);
  unlink(name);
  recorder_->wait([&] { return recorder_->releases >= 1; });
  EXPECT_EQ(recorder_->pressed, (std::vector<KeySym>{'a'}));
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  return RUN_ALL_TESTS();
}
