// SPDX-License-Identifier: LGPL-2.1-or-later
// x11inputsink on a real Xvfb: pointer, what lets go of what is held, streams of bytes, and what happens when things break.
#include <fcntl.h>
#include <gst/app/gstappsrc.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "x11inputsink-fixture.h"

#include <X11/extensions/Xrandr.h>

namespace vitrine {
namespace {

using std::chrono::milliseconds;
using Keysyms = std::vector<KeySym>;
using Events = std::vector<std::string>;

constexpr KeySym kSun = 0x010065e5;

PicturePosition at(uint16_t x, uint16_t y, uint16_t width = 800, uint16_t height = 600) { return {x, y, width, height}; }

class Pointer : public X11InputSink {
 protected:
  bool wait_for_events(size_t count) {
    return recorder_->wait([&] { return recorder_->pointer.size() >= count; });
  }
  /// Without the moves.
  Events clicks() const {
    Events result;
    std::copy_if(recorder_->pointer.begin(), recorder_->pointer.end(), std::back_inserter(result),
                 [](const std::string& event) { return event[0] != '@'; });
    return result;
  }
  bool wait_for_clicks(size_t count) {
    return recorder_->wait([&] { return clicks().size() >= count; });
  }
};

TEST_F(Pointer, ClicksWhereItWasClicked) {
  start();
  push({PointerInput{at(5, 5)}, ButtonInput{1, true, at(321, 123)}, ButtonInput{1, false, {}},
        ButtonInput{3, true, at(799, 599, 1600, 1200)}, ButtonInput{3, false, {}}, ButtonInput{9, true, at(0, 0)},
        ButtonInput{9, false, {}}});
  EXPECT_TRUE(wait_for_clicks(6));
  EXPECT_EQ(clicks(), (Events{"+1@321,123", "-1@321,123", "+3@399,299", "-3@399,299", "+9@0,0", "-9@0,0"}));
}

TEST_F(Pointer, Drags) {
  start();
  push({ButtonInput{1, true, at(100, 100)}});
  for (uint16_t i = 1; i <= 5; ++i)
    push({PointerInput{at(static_cast<uint16_t>(100 + 10 * i), 100)}});
  push({ButtonInput{1, false, at(150, 101)}});
  EXPECT_TRUE(wait_for_clicks(2));
  const auto press = std::find(recorder_->pointer.begin(), recorder_->pointer.end(), "+1@100,100");
  EXPECT_EQ(Events(press, recorder_->pointer.end()),
            (Events{"+1@100,100", "@110,100", "@120,100", "@130,100", "@140,100", "@150,100", "@150,101", "-1@150,101"}));
}

TEST_F(Pointer, ScalesToTheScreenAsItIsNow) {
  start();
  push({PointerInput{at(0, 0, 400, 300)}, PointerInput{at(399, 299, 400, 300)}, PointerInput{at(65535, 65535)}});
  EXPECT_TRUE(wait_for_events(1));
  EXPECT_TRUE(recorder_->wait([&] { return !recorder_->pointer.empty() && recorder_->pointer.back() == "@799,599"; }));
  EXPECT_EQ(stat("clamped"), 2u);

  Display* display = recorder_->display();
  XRRScreenResources* resources = XRRGetScreenResources(display, DefaultRootWindow(display));
  for (int i = 0; i < resources->ncrtc; ++i)
    XRRSetCrtcConfig(display, resources, resources->crtcs[i], CurrentTime, 0, 0, 0L, RR_Rotate_0, nullptr, 0);
  XRRFreeScreenResources(resources);
  XRRSetScreenSize(display, DefaultRootWindow(display), 640, 480, 160, 120);
  XSync(display, False);
  recorder_->wait_for(milliseconds(100));
  push({PointerInput{at(400, 300)}, ButtonInput{1, true, {}}, ButtonInput{1, false, {}}});
  EXPECT_TRUE(wait_for_clicks(2));
  EXPECT_EQ(clicks().at(0), "+1@320,240");
}

TEST_F(Pointer, MovesRelativelyWithoutAcceleration) {
  start();
  push({PointerInput{at(100, 100)}, MotionInput{150, 1}, MotionInput{50, -2}, ButtonInput{1, true, {}}, MotionInput{-10, 10},
        ButtonInput{1, false, {}}});
  EXPECT_TRUE(wait_for_clicks(2));
  EXPECT_EQ(clicks(), (Events{"+1@300,99", "-1@290,109"}));
}

TEST_F(Pointer, ScrollsByWholeNotches) {
  start();
  push({PointerInput{at(10, 10)}});
  for (int i = 0; i < 10; ++i)
    push({ScrollInput{0, 25}});  // 250 in all: two notches
  push({ScrollInput{-120, 0}, ScrollInput{120, -240}});
  EXPECT_TRUE(wait_for_clicks(12));
  recorder_->wait_for(milliseconds(50));
  EXPECT_EQ(clicks(), (Events{"+5@10,10", "-5@10,10", "+5@10,10", "-5@10,10", "+6@10,10", "-6@10,10", "+4@10,10", "-4@10,10",
                              "+4@10,10", "-4@10,10", "+7@10,10", "-7@10,10"}));
}

TEST_F(Pointer, ButtonsThatTheServerHasNotAreCounted) {
  start();
  push({ButtonInput{255, true, at(1, 1)}, ButtonInput{255, false, {}}, ButtonInput{2, true, {}}, ButtonInput{2, false, {}}});
  EXPECT_TRUE(wait_for_clicks(2));
  EXPECT_EQ(clicks(), (Events{"+2@1,1", "-2@1,1"}));
  EXPECT_EQ(stat("clamped"), 2u);
}

class LetsGo : public X11InputSink {
 protected:
  void hold() {
    push({key_down(42, XK_Shift_L, kModifierShift), key_down(30, 'A', kModifierShift), key_down(0, kSun),
          ButtonInput{1, true, at(1, 1)}});
    EXPECT_TRUE(recorder_->wait([&] { return recorder_->any_key_down() && recorder_->any_button_down(); }));
  }
  bool wait_for_nothing_down() {
    return recorder_->wait([&] { return !recorder_->any_key_down() && !recorder_->any_button_down(); });
  }
};

TEST_F(LetsGo, OnARelease) {
  start();
  hold();
  push({ReleaseInput{}});
  EXPECT_TRUE(wait_for_nothing_down());
}

TEST_F(LetsGo, WhenTheViewerFallsSilent) {
  start("release-timeout=300");
  hold();
  EXPECT_EQ(stat("release-timeouts"), 0u);
  EXPECT_TRUE(wait_for_nothing_down());
  EXPECT_EQ(stat("release-timeouts"), 1u);
}

TEST_F(LetsGo, NotWhileTheViewerIsAlive) {
  start("release-timeout=400");
  hold();
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(milliseconds(80));
    push({AliveInput{}});
  }
  EXPECT_TRUE(recorder_->any_key_down());
  EXPECT_EQ(stat("release-timeouts"), 0u);
  EXPECT_TRUE(wait_for_nothing_down());
}

TEST_F(LetsGo, NeverBySilenceIfThatIsAskedFor) {
  start("release-timeout=0");
  hold();
  recorder_->wait_for(milliseconds(300));
  EXPECT_TRUE(recorder_->any_key_down());
}

TEST_F(LetsGo, WhenItStopsAndGivesRepeatBack) {
  ASSERT_TRUE(recorder_->auto_repeat());
  start();
  hold();
  EXPECT_FALSE(recorder_->auto_repeat());
  stop();
  EXPECT_FALSE(recorder_->any_key_down());
  EXPECT_FALSE(recorder_->any_button_down());
  EXPECT_TRUE(recorder_->auto_repeat());
}

TEST_F(LetsGo, AtTheEndOfTheStream) {
  start();
  hold();
  gst_app_src_end_of_stream(GST_APP_SRC(source_));
  EXPECT_TRUE(wait_for_nothing_down());
}

TEST_F(LetsGo, WhenFlushed) {
  start();
  hold();
  EXPECT_TRUE(gst_element_send_event(source_, gst_event_new_flush_start()));
  EXPECT_TRUE(wait_for_nothing_down());
  EXPECT_TRUE(gst_element_send_event(source_, gst_event_new_flush_stop(TRUE)));
}

TEST_F(LetsGo, OfWhatAnotherLeftWhenItWasKilled) {
  if (kSanitized)
    GTEST_SKIP() << "gst-launch-1.0 cannot load a sanitized plugin";
  const TemporaryFile records([] {
    std::vector<uint8_t> bytes;
    encode_input({1, 0, 0, key_down(30, 'a')}, bytes);
    encode_input({2, 1, 0, key_down(0, kSun)}, bytes);
    encode_input({3, 2, 0, ButtonInput{1, true, at(1, 1)}}, bytes);
    return bytes;
  }());
  // A pipe that stays open keeps the stream going.
  int ends[2];
  ASSERT_EQ(pipe2(ends, 0), 0);
  const std::string bytes = records.read();
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[0], 0);
    close(ends[0]);
    close(ends[1]);
    const std::string display = "display-name=" + server_->display();
    execlp("gst-launch-1.0", "gst-launch-1.0", "-q", "fdsrc", "fd=0", "!", "x11inputsink", "release-timeout=0", display.c_str(),
           nullptr);
    _exit(127);
  }
  close(ends[0]);
  ASSERT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->any_button_down(); }));
  EXPECT_FALSE(recorder_->auto_repeat());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ends[1]);
  EXPECT_TRUE(recorder_->any_key_down()) << "the server does that itself by now";
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->auto_repeat(); })) << "nobody will switch it on again";
  start();
  EXPECT_TRUE(wait_for_nothing_down());
  // Nor is the keycode that the other bound lost.
  stop();
  for (unsigned keycode = 8; keycode <= 255; ++keycode)
    for (const KeySym symbol : recorder_->symbols(keycode))
      EXPECT_NE(symbol, kSun);
}

class Stream : public X11InputSink {};

TEST_F(Stream, RecordsMayBeCutAnywhere) {
  start();
  std::vector<uint8_t> bytes;
  for (uint32_t i = 1; i <= 20; ++i)
    encode_input({i, i - 1, 0, KeyInput{i % 2 == 1, false, 30, 'a', 0}}, bytes);
  for (size_t begin = 0; begin < bytes.size(); begin += 7)
    push_bytes({bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), begin + 7))});
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->releases >= 10; }));
  EXPECT_EQ(recorder_->presses, 10);
  EXPECT_EQ(stat("refused"), 0u);
}

TEST_F(Stream, RefusesGarbageAndGoesOn) {
  start();
  push_bytes({0xff, 0x00, 0x12});
  push_bytes(std::vector<uint8_t>(5000, 1));
  push_bytes({'{', '}'});
  const std::string size = R"({"type":"desktop/size","width":800,"height":600})", bad_utf8 = "{\"type\":\"desktop/keyboard\xc3\"}";
  push_bytes({size.begin(), size.end()});  // not ours to judge
  push_bytes({bad_utf8.begin(), bad_utf8.end()});
  push_bytes({});
  tap(30, 'a');
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->releases >= 1; }));
  EXPECT_EQ(recorder_->pressed, (Keysyms{'a'}));
  EXPECT_EQ(stat("refused"), 4u);
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::vector<uint8_t> noise(1 + random() % 80);
    std::generate(noise.begin(), noise.end(), [&] { return static_cast<uint8_t>(random() % 4 ? random() % 9 : random()); });
    noise[0] = static_cast<uint8_t>(random() % 4 ? 1 : 0);
    push_bytes(noise);
  }
  // Ends whatever record the noise has begun.
  push_bytes(std::vector<uint8_t>(4200, 0xff));
  recorder_->pressed.clear();
  push({ReleaseInput{}});
  tap(48, 'b');
  EXPECT_TRUE(recorder_->wait([&] { return std::count(recorder_->pressed.begin(), recorder_->pressed.end(), KeySym{'b'}) > 0; }));
  EXPECT_TRUE(recorder_->wait([&] { return !recorder_->any_key_down(); }));
}

TEST_F(Stream, CountsWhatItDoes) {
  start();
  tap(30, 'a');
  push({PointerInput{at(1, 1)}, ScrollInput{0, 120}});
  push({key_down(30, 'a'), key_down(0, 0)});
  EXPECT_TRUE(wait_for_records(6));
  EXPECT_EQ(stat("batches"), 3u);
  EXPECT_EQ(stat("events"), 2u + 3u + 1u);
  EXPECT_EQ(stat("unknown-keys"), 1u);
  GstStructure* stats = nullptr;
  g_object_get(sink_, "stats", &stats, nullptr);
  guint held = 0;
  EXPECT_TRUE(gst_structure_get_uint(stats, "keys-held", &held));
  EXPECT_EQ(held, 1u);
  gst_structure_free(stats);
  EXPECT_EQ(gst_element_set_state(pipeline_, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(stat("records"), 6u) << "of the run that has ended";
}

TEST_F(Stream, TheLaunchLineOfItsDocumentationRuns) {
  if (kSanitized)
    GTEST_SKIP() << "gst-launch-1.0 cannot load a sanitized plugin";
  std::ifstream source(std::string(std::getenv("VITRINE_SOURCE_ROOT")) + "/gst/remote/gstx11inputsink.cpp");
  std::string line;
  while (std::getline(source, line) && line.find(" * gst-launch-1.0 ") != 0) {
  }
  ASSERT_FALSE(line.empty());
  std::vector<uint8_t> bytes;
  for (uint32_t i = 1; i <= 400; ++i)  // more than one buffer of filesrc
    encode_input({i, i - 1, 0, KeyInput{i % 2 == 1, false, 30, 'a', 0}}, bytes);
  char directory[] = "/tmp/vitrine-launch-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string input = std::string(directory) + "/input.bin";
  std::ofstream(input).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const std::string command =
      std::string("cd ") + directory + " && DISPLAY=" + server_->display() + " timeout 30 " + line.substr(3) + " >/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  unlink(input.c_str());
  rmdir(directory);
  EXPECT_TRUE(recorder_->wait([&] { return recorder_->releases >= 200; }));
  EXPECT_EQ(recorder_->presses, 200);
}

class Failures : public X11InputSink {
 protected:
  /// The only error of a pipeline that cannot start.
  std::string refusal(const std::string& properties) {
    pipeline_ = gst_parse_launch(("appsrc name=source ! x11inputsink name=sink " + properties).c_str(), nullptr);
    EXPECT_EQ(gst_element_set_state(pipeline_, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    const auto texts = errors();
    EXPECT_EQ(texts.size(), 1u);
    source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
    sink_ = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
    return texts.empty() ? "" : texts[0];
  }
};

TEST_F(Failures, ALostServerIsOneErrorAndARestartWorks) {
  for (const bool busy : {true, false}) {
    start();
    tap(30, 'a');
    EXPECT_TRUE(recorder_->wait([&] { return recorder_->releases >= 1; }));
    push({key_down(30, 'a'), ButtonInput{1, true, {}}});
    EXPECT_TRUE(wait_for_records(4));
    const std::string display = server_->display();
    recorder_.reset();  // a client of Xlib's own would end this process
    server_->kill_now();
    // Noticed without any input too.
    for (int i = 0; busy && i < 5; ++i)
      tap(30, 'a');
    const auto texts = errors();
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_NE(texts[0].find(display), std::string::npos) << texts[0];
    EXPECT_EQ(gst_element_set_state(pipeline_, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    serve();
    g_object_set(sink_, "display-name", server_->display().c_str(), nullptr);
    EXPECT_NE(gst_element_set_state(pipeline_, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    tap(30, 'a');
    EXPECT_TRUE(recorder_->wait([&] { return recorder_->releases >= 1; }));
    EXPECT_EQ(recorder_->pressed, (Keysyms{'a'}));
    stop();
    recorder_->releases = 0;
  }
}

TEST_F(Failures, AMissingDisplayIsNamed) {
  EXPECT_NE(refusal("display-name=:4711").find(":4711"), std::string::npos);
}

TEST_F(Failures, NoDisplayAtAllSaysWhatToSet) {
  const char* before = std::getenv("DISPLAY");
  const std::string kept = before ? before : "";
  unsetenv("DISPLAY");
  const std::string text = refusal("");
  if (before)
    setenv("DISPLAY", kept.c_str(), 1);
  EXPECT_NE(text.find("display-name"), std::string::npos) << text;
}

TEST_F(Failures, AServerWithoutXtestIsNamed) {
  serve({"-extension", "XTEST"});
  const std::string text = refusal("display-name=" + server_->display());
  EXPECT_NE(text.find(server_->display()), std::string::npos) << text;
  EXPECT_NE(text.find("XTEST"), std::string::npos) << text;
}

TEST_F(Failures, ManyStartsAndStopsWhileInputComes) {
  start();
  std::mt19937 random(23);
  for (int i = 0; i < 8; ++i) {
    for (int j = 0; j < 20; ++j)
      push({PointerInput{at(static_cast<uint16_t>(random() % 800), 5)}, key_down(30, 'a'), key_up(30, 'a')});
    EXPECT_EQ(gst_element_set_state(pipeline_, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    EXPECT_FALSE(recorder_->any_key_down());
    EXPECT_NE(gst_element_set_state(pipeline_, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  }
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  return RUN_ALL_TESTS();
}
