// SPDX-License-Identifier: LGPL-2.1-or-later
// Behaviour of ximagesrc-shm: when it pushes, what it says, how it ends.
#include "ximagesrc-shm-fixture.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vitrine {
namespace {

using std::chrono::milliseconds;

constexpr char kCaps[] = "video/x-raw,format=NV12,framerate=60/1";

class XImageSrcShm : public testing::Test {
 protected:
  void SetUp() override {
    server_ = XServer::start_xvfb("640x480x24", {"-shmem"});
    ASSERT_TRUE(server_);
    painter_ = std::make_unique<Painter>(server_->display());
  }
  std::string on_display(const std::string& options) {
    return "display-name=" + server_->display() + " " + options;
  }

  std::unique_ptr<XServer> server_;
  std::unique_ptr<Painter> painter_;
};

GstEvent* force_key_unit() {
  return gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0);
}

TEST_F(XImageSrcShm, PushesNothingWhenNothingChanges) {
  Capture capture(on_display("show-pointer=false refine-frames=0"), kCaps);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(capture.pull());
  EXPECT_EQ(capture.count(milliseconds(700)), 0);
  painter_->fill({10, 10, 5, 5}, 0xff);
  painter_->sync();
  EXPECT_EQ(capture.count(milliseconds(300)), 1);
}

TEST_F(XImageSrcShm, RepeatsAfterMotionStops) {
  Capture capture(on_display("show-pointer=false refine-frames=5 refine-interval=20"), kCaps);
  ASSERT_TRUE(capture.play());
  const std::optional<Picture> first = capture.pull();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->damage.empty());
  for (int i = 0; i < 5; i++) {
    const std::optional<Picture> repeat = capture.pull(milliseconds(500));
    ASSERT_TRUE(repeat) << i;
    EXPECT_EQ(repeat->bytes, first->bytes);
    EXPECT_EQ(repeat->captured_ns, first->captured_ns);
    EXPECT_TRUE(repeat->damage.empty());
    EXPECT_GT(repeat->pts, first->pts);
  }
  EXPECT_EQ(capture.count(milliseconds(400)), 0);
}

TEST_F(XImageSrcShm, KeepsAliveWhenAskedTo) {
  Capture capture(on_display("show-pointer=false refine-frames=0 idle-framerate=20/1"), kCaps);
  ASSERT_TRUE(capture.play());
  const int frames = capture.count(milliseconds(1000));
  EXPECT_GE(frames, 10);
  EXPECT_LE(frames, 22);
  g_object_set(capture.source(), "idle-framerate", 0, 1, nullptr);
  capture.count(milliseconds(100));
  EXPECT_EQ(capture.count(milliseconds(300)), 0);
}

TEST_F(XImageSrcShm, AKeyUnitRequestRepeatsTheLastPictureAtOnce) {
  Capture capture(on_display("show-pointer=false refine-frames=0"), kCaps);
  ASSERT_TRUE(capture.play());
  const std::optional<Picture> first = capture.pull();
  ASSERT_TRUE(first);
  std::vector<int64_t> delays;
  for (int i = 0; i < 10; i++) {
    g_usleep(20000);
    const int64_t before = monotonic_ns();
    // Behind an encoder only the event of our own gets as far as the source.
    GstEvent* event = i % 2 ? force_key_unit()
                            : gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                   gst_structure_new_empty("vitrine-repeat-frame"));
    ASSERT_TRUE(capture.send_upstream(event));
    const std::optional<Picture> repeat = capture.pull(milliseconds(1000));
    ASSERT_TRUE(repeat);
    delays.push_back(repeat->arrived_ns - before);
    EXPECT_EQ(repeat->bytes, first->bytes);
  }
  std::sort(delays.begin(), delays.end());
  EXPECT_LT(delays[5], 50000000) << "half of the requests took longer than 50 ms";
  EXPECT_EQ(capture.count(milliseconds(200)), 0);
}

TEST_F(XImageSrcShm, KeepsToTheFramerate) {
  Capture capture(on_display("show-pointer=false refine-frames=0"), "video/x-raw,framerate=20/1");
  ASSERT_TRUE(capture.play());
  capture.settle();
  int frames = 0;
  const int64_t start = monotonic_ns();
  while (monotonic_ns() - start < 1000000000) {
    painter_->fill({0, 0, 100, 100}, static_cast<unsigned long>(monotonic_ns() >> 10) & 0xffffff);
    painter_->sync();
    while (capture.pull(milliseconds(5)))
      frames++;
  }
  EXPECT_LE(frames, 23);
  EXPECT_GE(frames, 10);
}

TEST_F(XImageSrcShm, TellsWhereThePictureChanged) {
  Capture capture(on_display("show-pointer=false refine-frames=0 startx=100 starty=50"), kCaps);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(capture.pull());
  painter_->fill({110, 60, 5, 5}, 0xff);
  painter_->fill({600, 450, 5, 5}, 0xff00);  // another colour: Xlib would make one request of both
  const int64_t before = monotonic_ns();
  painter_->sync();
  std::vector<Rect> damage;
  while (const std::optional<Picture> picture = capture.pull(milliseconds(300))) {
    damage.insert(damage.end(), picture->damage.begin(), picture->damage.end());
    EXPECT_GT(picture->captured_ns, before - 1000000000);
    EXPECT_LE(picture->captured_ns, picture->arrived_ns);
  }
  EXPECT_EQ(damage, (std::vector<Rect>{{0, 0, 64, 32}, {448, 384, 64, 32}}));
}

TEST_F(XImageSrcShm, TimesNeverGoBack) {
  Capture capture(on_display("show-pointer=false refine-frames=3 refine-interval=1"), kCaps);
  ASSERT_TRUE(capture.play());
  GstClockTime last = GST_CLOCK_TIME_NONE;
  for (int i = 0; i < 30; i++) {
    painter_->fill({i, i, 50, 50}, 0x1234 * i);
    painter_->sync();
    capture.send_upstream(force_key_unit());
    const std::optional<Picture> picture = capture.pull();
    ASSERT_TRUE(picture);
    if (GST_CLOCK_TIME_IS_VALID(last)) {
      EXPECT_GT(picture->pts, last);
    }
    last = picture->pts;
  }
}

TEST_F(XImageSrcShm, IsALiveSource) {
  Capture capture(on_display("show-pointer=false"), kCaps);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(capture.pull());
  GstQuery* query = gst_query_new_latency();
  ASSERT_TRUE(gst_element_query(capture.source(), query));
  gboolean live;
  GstClockTime min;
  GstClockTime max;
  gst_query_parse_latency(query, &live, &min, &max);
  gst_query_unref(query);
  EXPECT_TRUE(live);
  EXPECT_LE(min, 17 * GST_MSECOND);
  EXPECT_EQ(max, GST_CLOCK_TIME_NONE);
}

TEST_F(XImageSrcShm, StopsAtOnceWhileItWaits) {
  for (int i = 0; i < 5; i++) {
    Capture capture(on_display("show-pointer=false refine-frames=0"), kCaps);
    ASSERT_TRUE(capture.play());
    ASSERT_TRUE(capture.pull());
    const int64_t before = monotonic_ns();
    capture.stop();
    EXPECT_LT(monotonic_ns() - before, 500000000);
    ASSERT_TRUE(capture.play());  // and starts again
    ASSERT_TRUE(capture.pull());
  }
}

size_t entries(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator());
}

TEST_F(XImageSrcShm, StartingAndStoppingLeavesNothingBehind) {
  size_t fds = 0;
  size_t threads = 0;
  for (int i = 0; i < 12; i++) {
    {
      Capture capture(on_display(i % 2 ? "capture-mode=shm" : "capture-mode=fb"), kCaps);
      ASSERT_TRUE(capture.play());
      ASSERT_TRUE(capture.pull());
    }
    if (i == 3) {
      fds = entries("/proc/self/fd");
      threads = entries("/proc/self/task");
    }
  }
  // Eight more rounds: one lost in each would show. Idle threads of GLib's pools come and go.
  EXPECT_LT(entries("/proc/self/fd"), fds + 4);
  EXPECT_LT(entries("/proc/self/task"), threads + 4);
}

std::vector<int> segments_made_by(pid_t pid) {
  std::ifstream list("/proc/sysvipc/shm");
  std::string line;
  std::getline(list, line);
  std::vector<int> found;
  while (std::getline(list, line)) {
    long key, id, permissions, bytes, creator;
    if (std::sscanf(line.c_str(), "%ld %ld %ld %ld %ld", &key, &id, &permissions, &bytes, &creator) == 5 &&
        creator == pid)
      found.push_back(static_cast<int>(id));
  }
  return found;
}

TEST_F(XImageSrcShm, TheFramebufferSegmentGoesWithItsServer) {
  const std::vector<int> segments = segments_made_by(server_->pid());
  ASSERT_EQ(segments.size(), 1u);
  {
    Capture capture(on_display(""), kCaps);
    ASSERT_TRUE(capture.play());
    EXPECT_EQ(capture.mode_used(), "fb");
  }
  {
    Capture again(on_display(""), kCaps);  // still to be found by the next one
    ASSERT_TRUE(again.play());
    EXPECT_EQ(again.mode_used(), "fb");
  }
  shmid_ds status{};
  ASSERT_EQ(shmctl(segments[0], IPC_STAT, &status), 0);
  EXPECT_TRUE(status.shm_perm.mode & SHM_DEST) << "it would stay behind when the server ends";
}

TEST_F(XImageSrcShm, ASegmentOfAnotherProcessIsNotTaken) {
  auto plain = XServer::start_xvfb("640x480x24");
  ASSERT_TRUE(plain);
  // Looks like the framebuffer of that display, but for who made it and for its size.
  const int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  ASSERT_GE(id, 0);
  auto* words = static_cast<uint32_t*>(shmat(id, nullptr, 0));
  ASSERT_NE(words, reinterpret_cast<uint32_t*>(-1));
  const uint32_t header[] = {160, 7,  2,    24, 640,      480,    0,    0, 32,  0,
                             32,  32, 2560, 4,  0xff0000, 0xff00, 0xff, 8, 256, 256};
  for (size_t i = 0; i < std::size(header); i++)
    words[i] = __builtin_bswap32(header[i]);
  std::strcpy(reinterpret_cast<char*>(words) + 100, ("Xvfb host" + plain->display() + ".0").c_str());
  shmctl(id, IPC_RMID, nullptr);
  Capture capture("display-name=" + plain->display(), kCaps);
  ASSERT_TRUE(capture.play());
  EXPECT_EQ(capture.mode_used(), "shm");
  EXPECT_TRUE(capture.pull());
  shmdt(words);
}

TEST_F(XImageSrcShm, AServerThatDiesGivesOneErrorAndAnotherCanBeTaken) {
  for (const char* mode : {"fb", "shm", "getimage"}) {
    auto server = XServer::start_xvfb("320x240x24", {"-shmem"});
    ASSERT_TRUE(server);
    const std::string dead = server->display();
    Capture capture("display-name=" + dead + " capture-mode=" + mode, "video/x-raw");
    ASSERT_TRUE(capture.play());
    ASSERT_TRUE(capture.pull());
    server->kill_now();
    const std::string error = capture.message(GST_MESSAGE_ERROR);
    EXPECT_NE(error.find("\"" + dead + "\""), std::string::npos) << error;
    EXPECT_EQ(capture.message(GST_MESSAGE_ERROR, milliseconds(300)), "");
    capture.stop();
    EXPECT_FALSE(capture.play());
    EXPECT_NE(capture.message(GST_MESSAGE_ERROR).find("Cannot open X display \"" + dead + "\""),
              std::string::npos);
    capture.stop();
    g_object_set(capture.source(), "display-name", server_->display().c_str(), nullptr);
    ASSERT_TRUE(capture.play());
    EXPECT_TRUE(capture.pull());
    EXPECT_EQ(capture.mode_used(), mode);
  }
}

TEST_F(XImageSrcShm, SaysWhatIsWrongWithItsProperties) {
  const std::pair<std::string, std::string> wrong[] = {
      {"display-name=:4711", "\":4711\""},
      {on_display("startx=640"), "startx"},
      {on_display("starty=100 endy=50"), "endy"},
      {on_display("xid=4242424"), "window 0x40bbf8"},
      {on_display("xname=nobody-has-this-name"), "nobody-has-this-name"},
  };
  for (const auto& [options, words] : wrong) {
    Capture capture(options, kCaps);
    EXPECT_FALSE(capture.play()) << options;
    const std::string error = capture.message(GST_MESSAGE_ERROR);
    EXPECT_NE(error.find(words), std::string::npos) << options << ": " << error;
  }
}

TEST_F(XImageSrcShm, RefusesAScreenOfFewColours) {
  auto server = XServer::start_xvfb("320x240x16");
  ASSERT_TRUE(server);
  Capture capture("display-name=" + server->display(), kCaps);
  EXPECT_FALSE(capture.play());
  EXPECT_NE(capture.message(GST_MESSAGE_ERROR).find("colour depth is 16"), std::string::npos);
}

bool is_all(const Picture& picture, uint32_t color) {
  const auto* pixels = reinterpret_cast<const uint32_t*>(picture.bytes.data());
  return std::all_of(pixels, pixels + picture.bytes.size() / 4,
                     [color](uint32_t pixel) { return (pixel & 0xffffff) == color; });
}

TEST_F(XImageSrcShm, CapturesAWindowEvenBehindOthers) {
  const Window window = painter_->make_window({50, 40, 201, 101}, 0x00ff00);
  XStoreName(painter_->display(), window, "the green one");
  painter_->make_window({0, 0, 300, 300}, 0xff0000);
  for (const std::string& which : {"xid=" + std::to_string(window), std::string("xname=\"the green one\"")}) {
    Capture capture(on_display("show-pointer=false " + which), "video/x-raw,format=BGRx");
    ASSERT_TRUE(capture.play());
    std::optional<Picture> picture = capture.pull();
    ASSERT_TRUE(picture);
    EXPECT_EQ(picture->layout.size, (Size{201, 101}));
    EXPECT_TRUE(is_all(*picture, 0x00ff00));
    capture.settle();
    painter_->fill(window, {0, 0, 500, 500}, 0x0000ff);
    painter_->sync();
    picture = capture.pull();
    ASSERT_TRUE(picture);
    EXPECT_TRUE(is_all(*picture, 0x0000ff));
    painter_->fill(window, {0, 0, 500, 500}, 0x00ff00);
    painter_->sync();
    capture.settle();
  }
}

TEST_F(XImageSrcShm, FollowsAWindowThatGrowsAndEndsWithIt) {
  const Window window = painter_->make_window({50, 40, 200, 100}, 0x00ff00);
  Capture capture(on_display("show-pointer=false xid=" + std::to_string(window)), "video/x-raw,format=BGRx");
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(capture.pull());
  XMoveResizeWindow(painter_->display(), window, 500, 400, 301, 150);  // partly off the screen
  painter_->sync();
  std::optional<Picture> picture;
  for (int i = 0; i < 20 && (!picture || picture->layout.size != Size{301, 150}); i++)
    picture = capture.pull(milliseconds(300));
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->layout.size, (Size{301, 150}));
  capture.settle();
  XDestroyWindow(painter_->display(), window);
  painter_->sync();
  EXPECT_EQ(capture.message(GST_MESSAGE_INFO), "The captured window was closed");
  EXPECT_EQ(capture.message(GST_MESSAGE_EOS), "eos");
  EXPECT_EQ(capture.message(GST_MESSAGE_ERROR, milliseconds(0)), "");
}

/// A pointer in two colours that no theme can change.
void set_pointer(Painter& painter, int x, int y) {
  Display* display = painter.display();
  static const char source[] = {0x0f, 0x0f, 0x0f, 0x0f, 0x00, 0x00, 0x00, 0x00};
  static const char mask[] = {
      static_cast<char>(0xff), static_cast<char>(0xff), 0x3f, 0x3f, 0x1f, 0x1f, 0x0f, 0x0f};
  const Pixmap shape = XCreateBitmapFromData(display, painter.root(), source, 8, 8);
  const Pixmap shape_mask = XCreateBitmapFromData(display, painter.root(), mask, 8, 8);
  XColor red{0, 0xffff, 0, 0, DoRed | DoGreen | DoBlue, 0};
  XColor white{0, 0xffff, 0xffff, 0xffff, DoRed | DoGreen | DoBlue, 0};
  const Cursor cursor = XCreatePixmapCursor(display, shape, shape_mask, &red, &white, 3, 2);
  XDefineCursor(display, painter.root(), cursor);
  XWarpPointer(display, None, painter.root(), 0, 0, 0, 0, x, y);
  painter.sync();
}

std::vector<uint8_t> upstream_picture(const std::string& display) {
  std::vector<uint8_t> bytes;
  GstElement* pipeline =
      gst_parse_launch(("ximagesrc use-damage=false show-pointer=true num-buffers=1 display-name=" + display +
                        " ! video/x-raw,format=BGRx ! appsink name=sink sync=false")
                           .c_str(),
                       nullptr);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  if (GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 3 * GST_SECOND)) {
    GstMapInfo map;
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
      bytes.assign(map.data, map.data + map.size);
      gst_buffer_unmap(buffer, &map);
    }
    gst_sample_unref(sample);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  return bytes;
}

size_t differing_pixels(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  if (a.size() != b.size())
    return SIZE_MAX;
  size_t count = 0;
  for (size_t i = 0; i < a.size(); i += 4)
    count += std::memcmp(&a[i], &b[i], 3) != 0;
  return count;
}

TEST_F(XImageSrcShm, DrawsThePointerAsUpstreamDoes) {
  GstElementFactory* upstream = gst_element_factory_find("ximagesrc");
  if (!upstream)
    GTEST_SKIP() << "there is no ximagesrc to compare with";
  gst_object_unref(upstream);
  painter_->fill({0, 0, 640, 480}, 0x205080);
  set_pointer(*painter_, 333, 222);
  for (const char* mode : {"fb", "shm"}) {
    Capture capture(on_display(std::string("refine-frames=0 capture-mode=") + mode),
                    "video/x-raw,format=BGRx");
    ASSERT_TRUE(capture.play());
    const std::optional<Picture> picture = capture.pull();
    ASSERT_TRUE(picture);
    const std::vector<uint8_t> without =
        expected_picture(painter_->display(), painter_->root(), {0, 0, 640, 480}, picture->layout);
    EXPECT_GE(differing_pixels(picture->bytes, without), 30u);
    EXPECT_EQ(differing_pixels(picture->bytes, upstream_picture(server_->display())), 0u) << mode;
  }
}

TEST_F(XImageSrcShm, ThePointerIsInThePictureOnlyWhenAskedFor) {
  set_pointer(*painter_, 100, 100);
  for (const char* mode : {"fb", "shm"}) {
    Capture capture(on_display(std::string("show-pointer=false capture-mode=") + mode),
                    "video/x-raw,format=BGRx");
    ASSERT_TRUE(capture.play());
    for (int i = 0; i < 5; i++) {
      XWarpPointer(painter_->display(), None, painter_->root(), 0, 0, 0, 0, 100 + i * 5, 100);
      painter_->fill({90, 90, 60, 60}, 0x112233 * (i + 1));
      painter_->sync();
      EXPECT_TRUE(shows_the_screen(capture, *painter_, {0, 0, 640, 480})) << mode;
    }
    const std::string told = capture.message(GST_MESSAGE_ELEMENT);
    EXPECT_EQ(told, "element") << "the pointer's picture is told of";
  }
}

TEST_F(XImageSrcShm, FallsToTheNextBackendAndSaysSo) {
  auto server = XServer::start_xvfb("320x240x24", {"-extension", "MIT-SHM"});
  ASSERT_TRUE(server);
  Capture capture("capture-mode=fb display-name=" + server->display(), kCaps);
  ASSERT_TRUE(capture.play());
  EXPECT_EQ(capture.mode_used(), "getimage");
  Capture remote(on_display("remote=true"), kCaps);
  ASSERT_TRUE(remote.play());
  EXPECT_EQ(remote.mode_used(), "getimage");
  remote.stop();
  EXPECT_EQ(remote.mode_used(), "");
}

TEST_F(XImageSrcShm, TheLaunchLineOfItsDocumentationWorks) {
  const char* root = std::getenv("VITRINE_SOURCE_ROOT");
  ASSERT_NE(root, nullptr);
  std::ifstream source(std::string(root) + "/gst/capture/gstximagesrcshm.cpp");
  std::string line;
  while (std::getline(source, line) && line.find(" * gst-launch-1.0 ") != 0) {
  }
  ASSERT_FALSE(line.empty());
  for (const char* element : {"x264enc", "mp4mux"}) {
    GstElementFactory* factory = gst_element_factory_find(element);
    if (!factory)
      GTEST_SKIP() << "no " << element << " here";
    gst_object_unref(factory);
  }
  char directory[] = "/tmp/vitrine-launch-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string command = std::string("cd ") + directory + " && DISPLAY=" + server_->display() +
                              " timeout 30 " + line.substr(3) + " >/dev/null 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::error_code error;
  EXPECT_GT(std::filesystem::file_size(std::string(directory) + "/a.mp4", error), 1000u);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::run_with_xvfb(argc, argv);
}
