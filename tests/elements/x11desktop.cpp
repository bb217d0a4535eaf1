// SPDX-License-Identifier: LGPL-2.1-or-later
// x11desktop on real X servers: what it says, whom it believes, and what it does with programs and servers that misbehave.
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gtest/gtest.h>

// After GoogleTest, which uses names that Xlib has macros for.
#include <X11/Xatom.h>
#include <X11/Xlib.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ximagesrc-shm-xserver.h"

using namespace vitrine;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

bool wait_until(const std::function<bool()>& enough, milliseconds patience = milliseconds(5000)) {
  for (const auto end = Clock::now() + patience; !enough();) {
    if (Clock::now() > end)
      return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

/// The element between a made-up server and a made-up viewer "v", which holds control.
class Desktop {
 public:
  explicit Desktop(const std::string& display, const std::string& properties = "") {
    pipeline_ = gst_parse_launch(("appsrc name=in caps=application/x-vitrine-control,version=1 ! x11desktop name=d display-name=" + display + " " +
                                  properties + " ! appsink name=out sync=false async=false")
                                     .c_str(),
                                 nullptr);
    in_ = gst_bin_get_by_name(GST_BIN(pipeline_), "in");
    out_ = gst_bin_get_by_name(GST_BIN(pipeline_), "out");
    element_ = gst_bin_get_by_name(GST_BIN(pipeline_), "d");
    started_ = gst_element_set_state(pipeline_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
    say(R"({"type":"desktop/session","holder":"v","viewers":["v"]})");
  }
  ~Desktop() { stop(); }
  void stop() {
    if (!pipeline_)
      return;
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    for (GstElement* element : {in_, out_, element_, pipeline_})
      gst_object_unref(element);
    pipeline_ = nullptr;
  }
  bool started() const { return started_; }
  void say(const std::string& message) {
    gst_app_src_push_buffer(GST_APP_SRC(in_), gst_buffer_new_memdup(message.data(), message.size()));
  }
  /// True once it has said something that contains all of these.
  bool hears(const std::vector<std::string>& parts, milliseconds patience = milliseconds(5000)) {
    return wait_until(
        [&] {
          while (GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(out_), 0)) {
            GstMapInfo map;
            gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ);
            heard_.emplace_back(reinterpret_cast<const char*>(map.data), map.size);
            gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
            gst_sample_unref(sample);
          }
          for (; looked_ < heard_.size(); ++looked_) {
            bool all = true;
            for (const auto& part : parts)
              all = all && heard_[looked_].find(part) != std::string::npos;
            if (all)
              return true;
          }
          return false;
        },
        patience);
  }
  uint64_t count(const char* name) const {
    GstStructure* stats = nullptr;
    guint64 value = 0;
    g_object_get(element_, "stats", &stats, nullptr);
    gst_structure_get_uint64(stats, name, &value);
    gst_structure_free(stats);
    return value;
  }

 private:
  GstElement *pipeline_ = nullptr, *in_ = nullptr, *out_ = nullptr, *element_ = nullptr;
  bool started_ = false;
  std::vector<std::string> heard_;
  size_t looked_ = 0;
};

/// A program with a window.
struct Client {
  explicit Client(const std::string& name) : display(XOpenDisplay(name.c_str())) {
    window = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 10, 10, 0, 0, 0);
    XSelectInput(display, window, PropertyChangeMask);
    clipboard = XInternAtom(display, "CLIPBOARD", False);
    utf8 = XInternAtom(display, "UTF8_STRING", False);
  }
  ~Client() { XCloseDisplay(display); }
  /// What the clipboard holds as UTF8_STRING; nothing longer than a property.
  std::string paste() const {
    const Atom property = XInternAtom(display, "PASTED", False);
    XConvertSelection(display, clipboard, utf8, property, window, CurrentTime);
    XEvent event{};
    if (!wait_until([&] { return XCheckTypedWindowEvent(display, window, SelectionNotify, &event) != False; }) ||
        event.xselection.property == None)
      return "";
    Atom type;
    int format;
    unsigned long count, left;
    unsigned char* data = nullptr;
    XGetWindowProperty(display, window, property, 0, 65536, True, AnyPropertyType, &type, &format, &count, &left, &data);
    const std::string text(reinterpret_cast<const char*>(data), count);
    XFree(data);
    return text;
  }
  /// Owns the clipboard and gives `text` as STRING, and only so, until `enough`.
  bool serve_latin1(const std::string& text, const std::function<bool()>& enough) const {
    XSetSelectionOwner(display, clipboard, window, CurrentTime);
    XSync(display, False);
    return wait_until([&] {
      XEvent event{};
      while (XCheckTypedEvent(display, SelectionRequest, &event)) {
        const XSelectionRequestEvent request = event.xselectionrequest;
        const bool lists = request.target == XInternAtom(display, "TARGETS", False), gives = request.target == XA_STRING;
        const Atom only = XA_STRING;
        if (lists)
          XChangeProperty(display, request.requestor, request.property, XA_ATOM, 32, PropModeReplace, reinterpret_cast<const unsigned char*>(&only), 1);
        if (gives)
          XChangeProperty(display, request.requestor, request.property, XA_STRING, 8, PropModeReplace,
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
        XEvent reply{};
        reply.xselection = {SelectionNotify, 0, False, nullptr, request.requestor, request.selection, request.target,
                            lists || gives ? request.property : None, request.time};
        XSendEvent(display, request.requestor, False, NoEventMask, &reply);
        XFlush(display);
      }
      return enough();
    });
  }
  Display* display;
  Window window;
  Atom clipboard, utf8;
};

struct Size {
  int width, height;
  bool operator==(const Size&) const = default;
};
Size size_of(const std::string& name) {
  Display* display = XOpenDisplay(name.c_str());
  const Size size{DisplayWidth(display, 0), DisplayHeight(display, 0)};
  XCloseDisplay(display);
  return size;
}

std::string size_wish(int width, int height) {
  return R"({"type":"desktop/size","from":"v","scale":1,"width":)" + std::to_string(width) + ",\"height\":" + std::to_string(height) + "}";
}

class X11Desktop : public testing::Test {
 protected:
  void SetUp() override {
    server = XServer::start_xvfb("1280x720x24");
    if (!server)
      GTEST_SKIP() << "Xvfb does not start";
  }
  std::unique_ptr<XServer> server;
};

}  // namespace

TEST_F(X11Desktop, SaysAtFirstWhatItSharesAndAsksWhoIsThere) {
  Desktop desktop(server->display(), "clipboard=in clipboard-limit=4096");
  ASSERT_TRUE(desktop.started());
  EXPECT_TRUE(desktop.hears({R"({"type":"desktop/ready"})"}));
  EXPECT_TRUE(desktop.hears({"desktop/state", R"("clipboard":"in","clipboardLimit":4096)", R"("resize":true)", R"("width":1280,"height":720)"}));
}

TEST_F(X11Desktop, TakesTextOfTheHolderOnly) {
  Desktop desktop(server->display());
  Client client(server->display());
  const auto send = [&](const std::string& from) {
    desktop.say(R"({"type":"desktop/clipboard","from":")" + from + R"(","id":1,"items":[{"type":"text/plain","size":6}]})");
    desktop.say(R"({"type":"desktop/clipboard-data","from":")" + from + R"(","id":1,"offset":0,"data":"aGVsbG8h"})");
  };
  send("somebody");
  EXPECT_FALSE(desktop.hears({"desktop/clipboard-ack"}, milliseconds(300)));
  send("v");
  EXPECT_TRUE(desktop.hears({"desktop/clipboard-ack", R"("to":"v")", R"("received":6)"}));
  EXPECT_TRUE(wait_until([&] { return client.paste() == "hello!"; }));
  EXPECT_EQ(desktop.count("clipboard-in"), 1U);
  // What came from the viewer does not go back.
  EXPECT_FALSE(desktop.hears({R"("type":"desktop/clipboard","to")"}, milliseconds(300)));
}

TEST_F(X11Desktop, RefusesOversizeAndNonsenseAndGoesOn) {
  Desktop desktop(server->display(), "clipboard-limit=4096");
  desktop.say(R"({"type":"desktop/clipboard","from":"v","id":1,"items":[{"type":"text/plain","size":4097}]})");
  EXPECT_TRUE(desktop.hears({"desktop/clipboard-refused", "too-large"}));
  desktop.say(R"({"type":"desktop/clipboard","from":"v","id":2,"items":[{"type":"text/plain","size":1}]})");
  desktop.say(R"({"type":"desktop/clipboard-data","from":"v","id":2,"offset":0,"data":"/w=="})");  // no UTF-8
  EXPECT_TRUE(desktop.hears({"desktop/clipboard-refused", "format"}));
  for (const char* nonsense : {"{", R"({"type":"desktop/size","from":"v"})", R"({"type":"desktop/clipboard-data","from":"v","id":1,"offset":0,"data":"*"})"})
    desktop.say(nonsense);
  EXPECT_TRUE(wait_until([&] { return desktop.count("refused") >= 5; }));
  desktop.say(size_wish(1000, 600));
  EXPECT_TRUE(desktop.hears({"desktop/state", R"("width":1000,"height":600)"}));
}

TEST_F(X11Desktop, CountsTextAsLongAsItIsInUtf8) {
  Desktop desktop(server->display(), "clipboard-limit=4096");
  desktop.hears({"desktop/state"});
  Client client(server->display());
  const auto hears = [&](const std::vector<std::string>& parts) { return [&desktop, parts] { return desktop.hears(parts, milliseconds(0)); }; };
  EXPECT_TRUE(client.serve_latin1(std::string(2048, '\xe9'), hears({R"("type":"desktop/clipboard","to":"v")", R"("size":4096)"})));
  EXPECT_TRUE(client.serve_latin1(std::string(2049, '\xe9'), hears({"desktop/clipboard-refused", "too-large"})));
}

TEST_F(X11Desktop, GivesUpOnAnOwnerThatNeverAnswers) {
  Desktop desktop(server->display());
  desktop.hears({"desktop/state"});
  Client client(server->display());
  XSetSelectionOwner(client.display, client.clipboard, client.window, CurrentTime);
  XSync(client.display, False);  // and never looks at a request
  EXPECT_TRUE(desktop.hears({"desktop/clipboard-refused", "timeout"}, milliseconds(8000)));
  EXPECT_EQ(desktop.count("clipboard-timeouts"), 1U);
  desktop.say(size_wish(800, 600));
  EXPECT_TRUE(desktop.hears({R"("width":800,"height":600)"}));
}

TEST_F(X11Desktop, FollowsSizesWithinLimitsAndGivesTheFirstOneBack) {
  Desktop desktop(server->display(), "max-width=1100");
  for (const auto& [wish, becomes] : {std::pair{Size{1001, 701}, Size{1000, 700}}, {Size{640, 480}, Size{640, 480}},
                                      {Size{5000, 5000}, Size{1100, 720}}, {Size{1, 1}, Size{200, 150}}}) {
    desktop.say(size_wish(wish.width, wish.height));
    EXPECT_TRUE(desktop.hears({"desktop/state", "\"width\":" + std::to_string(becomes.width) + ",\"height\":" + std::to_string(becomes.height)}));
    EXPECT_EQ(size_of(server->display()), becomes);
  }
  EXPECT_EQ(desktop.count("resizes"), 4U);
  desktop.stop();
  EXPECT_EQ(size_of(server->display()), (Size{1280, 720}));
}

TEST_F(X11Desktop, EndsWithAnErrorWhenTheServerDies) {
  Desktop desktop(server->display());
  desktop.hears({"desktop/state"});
  server->kill_now();
  desktop.say(size_wish(800, 600));
  std::this_thread::sleep_for(milliseconds(200));
  desktop.stop();
}

TEST(X11DesktopAlone, WithoutADisplayItDoesNotStart) { EXPECT_FALSE(Desktop(":4711").started()); }

TEST(X11DesktopDummy, FollowsSizesOnXorg) {
  const auto server = XServer::start_xorg_dummy(1280, 720);
  if (!server)
    GTEST_SKIP() << "Xorg with the dummy driver does not start";
  Desktop desktop(server->display());
  const Size before = size_of(server->display());
  desktop.say(size_wish(1001, 601));
  EXPECT_TRUE(wait_until([&] { return size_of(server->display()) == Size{1000, 600} || desktop.count("resizes-refused") > 0; }));
  // An older driver has fixed modes: then it is the nearest one, and the session goes on.
  if (desktop.count("resizes-refused") == 0) {
    EXPECT_EQ(size_of(server->display()), (Size{1000, 600}));
    desktop.stop();
    EXPECT_EQ(size_of(server->display()), before);
  }
}

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
