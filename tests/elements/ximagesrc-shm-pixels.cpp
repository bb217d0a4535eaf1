// SPDX-License-Identifier: LGPL-2.1-or-later
// The pictures of ximagesrc-shm are, byte for byte, what XGetImage and one whole conversion give.
#include "ximagesrc-shm-fixture.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace vitrine {
namespace {

using std::chrono::milliseconds;

struct Region {
  Rect rect;
  std::string options;
};

Region region(const Rect& rect) {
  return {rect, " startx=" + std::to_string(rect.x) + " starty=" + std::to_string(rect.y) + " endx=" +
                    std::to_string(rect.right() - 1) + " endy=" + std::to_string(rect.bottom() - 1)};
}

/// Random damage in every format; all pictures must become what the screen is.
void follow_random_damage(const XServer& server, const std::string& options, const std::string& expected_mode,
                          int rounds = 25, const std::string& framerate = "1000/1") {
  std::mt19937 random(11);
  Painter painter(server.display());
  const Size screen = painter.screen();
  const Region regions[] = {region(whole(screen)), region({13, 7, 301, 203})};
  for (const char* format : {"NV12", "I420", "BGRx", "Y444"}) {
    for (const Region& part : regions) {
      const std::string matrix = random() % 2 ? ",colorimetry=bt601" : ",colorimetry=bt709";
      const std::string caps = std::string("video/x-raw,format=") + format + ",framerate=" + framerate +
                               (std::strcmp(format, "BGRx") ? matrix : "");
      Capture capture("show-pointer=false refine-frames=0 display-name=" + server.display() + " " + options +
                          part.options,
                      caps);
      ASSERT_TRUE(capture.play());
      EXPECT_EQ(capture.mode_used(), expected_mode);
      ASSERT_TRUE(shows_the_screen(capture, painter, part.rect)) << caps;
      const PictureLayout layout =
          PictureLayout::make(PixelFormat::kBgrx, ColorMatrix::kBt709, {part.rect.width, part.rect.height});
      const auto pixels = [&] {
        return expected_picture(painter.display(), painter.root(), part.rect, layout);
      };
      std::vector<uint8_t> before = pixels();
      for (int round = 0; round < rounds; round++) {
        painter.paint_randomly(random);
        // Drawings beside the region give no picture.
        const std::vector<uint8_t> now = pixels();
        if (now == before)
          continue;
        ASSERT_TRUE(shows_the_screen(capture, painter, part.rect)) << caps << " round " << round;
        before = now;
      }
    }
  }
}

TEST(Pixels, XvfbSharedFramebuffer) {
  auto server = XServer::start_xvfb("800x600x24", {"-shmem"});
  ASSERT_TRUE(server);
  follow_random_damage(*server, "", "fb");
}

TEST(Pixels, XvfbFramebufferFile) {
  char directory[] = "/tmp/vitrine-fbdir-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  {
    auto server = XServer::start_xvfb("640x480x24", {"-fbdir", directory});
    ASSERT_TRUE(server);
    follow_random_damage(*server, "capture-mode=fb", "fb");
  }
  std::filesystem::remove_all(directory);
}

TEST(Pixels, XvfbSharedMemory) {
  auto server = XServer::start_xvfb("800x600x24");
  ASSERT_TRUE(server);
  follow_random_damage(*server, "", "shm");
}

TEST(Pixels, XvfbThroughTheSocket) {
  auto server = XServer::start_xvfb("640x480x24", {"-extension", "MIT-SHM"});
  ASSERT_TRUE(server);
  follow_random_damage(*server, "", "getimage");
}

TEST(Pixels, XvfbWithoutDamage) {
  auto server = XServer::start_xvfb("640x480x24", {"-shmem", "-extension", "DAMAGE"});
  ASSERT_TRUE(server);
  follow_random_damage(*server, "", "fb", 5, "60/1");
}

TEST(Pixels, XorgDummy) {
  auto server = XServer::start_xorg_dummy(800, 600);
  if (!server)
    GTEST_SKIP() << "Xorg with the dummy driver does not start here";
  follow_random_damage(*server, "", "shm");
}

TEST(Pixels, AWriterDownstreamSpoilsNothing) {
  auto server = XServer::start_xvfb("320x240x24", {"-shmem"});
  ASSERT_TRUE(server);
  Painter painter(server->display());
  Capture capture("show-pointer=false display-name=" + server->display(), "video/x-raw,format=I420");
  GstPad* pad = gst_element_get_static_pad(capture.source(), "src");
  // Writes into every buffer, in place where it may, and hands the written one on.
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        auto* original = gst_buffer_copy(GST_PAD_PROBE_INFO_BUFFER(info));
        auto* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
        GstMapInfo map;
        EXPECT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READWRITE));
        std::memset(map.data, 77, map.size);
        gst_buffer_unmap(buffer, &map);
        gst_buffer_unref(buffer);
        GST_PAD_PROBE_INFO_DATA(info) = original;
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  gst_object_unref(pad);
  ASSERT_TRUE(capture.play());
  for (int i = 0; i < 10; i++) {
    painter.fill({i * 20, i * 10, 10, 10}, 0xff8000 + i);
    painter.sync();
    ASSERT_TRUE(shows_the_screen(capture, painter, {0, 0, 320, 240})) << i;
  }
}

/// Changes the whole screen 60 times a second, one colour after the other.
void flicker(const std::string& display, int changes, std::atomic<bool>& done) {
  Painter painter(display);
  const Size size = painter.screen();
  const Window window = painter.make_window(whole(size), 0);
  auto next = std::chrono::steady_clock::now();
  for (int i = 1; i <= changes; i++) {
    painter.fill(window, whole(size), static_cast<unsigned long>(i) * 0x3a5c17 & 0xffffff);
    painter.sync();
    next += std::chrono::microseconds(16667);
    std::this_thread::sleep_until(next);
  }
  done = true;
  std::this_thread::sleep_for(milliseconds(300));
}

bool is_torn(const Picture& picture) {
  const auto* pixels = reinterpret_cast<const uint32_t*>(picture.bytes.data());
  const size_t count = picture.bytes.size() / 4;
  for (size_t i = 0; i < count; i += 61) {
    if ((pixels[i] ^ pixels[0]) & 0xffffff)
      return true;
  }
  return false;
}

TEST(Pixels, ATornPictureIsRepairedByTheNextOne) {
  const char* asked = std::getenv("VITRINE_TEAR_CHANGES");
  const int changes = asked ? std::atoi(asked) : 300;
  auto server = XServer::start_xvfb("1920x1080x24", {"-shmem"});
  ASSERT_TRUE(server);
  for (const char* mode : {"fb", "shm"}) {
    Capture capture(std::string("show-pointer=false refine-frames=0 capture-mode=") + mode +
                        " display-name=" + server->display(),
                    "video/x-raw,format=BGRx,framerate=60/1");
    ASSERT_TRUE(capture.play());
    EXPECT_EQ(capture.mode_used(), mode);
    std::atomic<bool> done = false;
    int frames = 0;
    int torn = 0;
    bool last_was_torn = false;
    std::thread writer(flicker, server->display(), changes, std::ref(done));
    for (;;) {
      const std::optional<Picture> picture = capture.pull(milliseconds(200));
      if (!picture && done)
        break;
      if (!picture || !picture->damage.size() || frames++ < 2)
        continue;
      const bool is = is_torn(*picture);
      EXPECT_FALSE(is && last_was_torn) << "frame " << frames << " by " << mode;
      last_was_torn = is;
      torn += is;
    }
    writer.join();
    EXPECT_FALSE(last_was_torn) << "the last picture stays torn";
    EXPECT_GT(frames, changes / 3);
    EXPECT_LE(torn, 1 + frames / 100);
    std::printf("%s: %d pictures of %d changes, %d torn\n", mode, frames, changes, torn);
  }
}

TEST(Pixels, ResizesGiveNewCapsAndRightPictures) {
  auto server = XServer::start_xvfb("1024x768x24", {"-shmem"});
  ASSERT_TRUE(server);
  Painter painter(server->display());
  std::mt19937 random(5);
  for (const char* mode : {"fb", "shm", "getimage"}) {
    Capture capture(std::string("show-pointer=false refine-frames=0 capture-mode=") + mode +
                        " display-name=" + server->display(),
                    "video/x-raw,format=I420");
    ASSERT_TRUE(capture.play());
    for (const Size size :
         {Size{1024, 768}, Size{640, 480}, Size{641, 479}, Size{1000, 700}, Size{1024, 768}}) {
      ASSERT_TRUE(painter.resize_screen(size));
      ASSERT_TRUE(shows_the_screen(capture, painter, whole(size))) << mode << " " << size.width;
      painter.paint_randomly(random);
      painter.fill({5, 5, 50, 50}, random() & 0xffffff);
      painter.sync();
      ASSERT_TRUE(shows_the_screen(capture, painter, whole(size))) << mode << " " << size.width;
      EXPECT_EQ(capture.mode_used(), mode);
    }
    EXPECT_EQ(capture.message(GST_MESSAGE_ERROR, milliseconds(0)), "");
  }
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::run_with_xvfb(argc, argv);
}
