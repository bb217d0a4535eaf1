// SPDX-License-Identifier: LGPL-2.1-or-later
// ximagesrc-cuda by NvFBC: a fake NVIDIA driver (tests/fakes/cuda) that takes pictures of a real Xvfb.
#include "ximagesrc-shm-fixture.h"

#include <dlfcn.h>

#include <cstdlib>

#include "fake-cuda.h"
#include "fake-nvfbc.h"

namespace vitrine {
namespace {

using std::chrono::milliseconds;

constexpr char kElement[] = "ximagesrc-cuda";

template <typename Counters>
Counters& counters_of(const char* file, const char* function) {
  void* library = dlopen(file, RTLD_NOW);
  const auto find = library ? reinterpret_cast<Counters* (*)()>(dlsym(library, function)) : nullptr;
  if (!find) {
    std::fprintf(stderr, "%s is not the fake one\n", file);
    std::exit(1);
  }
  return *find();
}

FakeCudaCounters& cuda() {
  static FakeCudaCounters& counters = counters_of<FakeCudaCounters>("libcuda.so.1", "fake_cuda_counters");
  return counters;
}

FakeNvfbcCounters& nvfbc() {
  static FakeNvfbcCounters& counters = counters_of<FakeNvfbcCounters>("libnvidia-fbc.so.1", "fake_nvfbc_counters");
  return counters;
}

std::string caps(const char* format, const char* framerate = "1000/1") {
  return std::string("video/x-raw(memory:CUDAMemory),format=") + format + ",framerate=" + framerate;
}

class NvFbc : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("FAKE_CUDA");
    unsetenv("FAKE_NVFBC");
    cuda().misuses = nvfbc().misuses = 0;
    cuda().registrations = nvfbc().handles = nvfbc().captures = 0;
    server_ = XServer::start_xvfb("800x600x24", {"-shmem"});
    ASSERT_TRUE(server_);
    setenv("DISPLAY", server_->display().c_str(), 1);
  }
  void TearDown() override {
    EXPECT_EQ(cuda().misuses, 0u);
    EXPECT_EQ(nvfbc().misuses, 0u);
    EXPECT_EQ(nvfbc().live_handles, 0u);
    EXPECT_EQ(nvfbc().live_captures, 0u);
    EXPECT_EQ(cuda().live_device_blocks, 0u);
    EXPECT_EQ(cuda().live_registrations, 0u);
    EXPECT_EQ(cuda().live_contexts, 0u);
  }
  std::string options(const char* mode = "nvfbc") const {
    return std::string("capture-mode=") + mode +
           " show-pointer=false refine-frames=0 display-name=" + server_->display() + " ";
  }

  std::unique_ptr<XServer> server_;
};

TEST_F(NvFbc, ShowsTheScreenWithoutTouchingIt) {
  std::mt19937 random(11);
  Painter painter(server_->display());
  const Rect regions[] = {whole(painter.screen()), {13, 7, 301, 203}};
  for (const char* format : {"NV12", "BGRA"}) {
    for (const Rect& part : regions) {
      Capture capture(options() + "startx=" + std::to_string(part.x) + " starty=" + std::to_string(part.y) + " endx=" +
                          std::to_string(part.right() - 1) + " endy=" + std::to_string(part.bottom() - 1),
                      caps(format), kElement);
      ASSERT_TRUE(capture.play()) << capture.message(GST_MESSAGE_ERROR);
      EXPECT_EQ(capture.mode_used(), "nvfbc");
      ASSERT_TRUE(shows_the_screen(capture, painter, part)) << format;
      const PictureLayout layout = PictureLayout::make(PixelFormat::kBgrx, ColorMatrix::kBt709, {part.width, part.height});
      const auto pixels = [&] { return expected_picture(painter.display(), painter.root(), part, layout); };
      std::vector<uint8_t> before = pixels();
      for (int round = 0; round < 15; round++) {
        painter.paint_randomly(random);
        const std::vector<uint8_t> now = pixels();
        if (now == before)
          continue;
        ASSERT_TRUE(shows_the_screen(capture, painter, part)) << format << " round " << round;
        before = now;
      }
    }
  }
  EXPECT_EQ(cuda().registrations, 0u);
  EXPECT_FALSE(nvfbc().with_cursor);
}

TEST_F(NvFbc, SendsNothingWhileNothingChanges) {
  Painter painter(server_->display());
  Capture capture(options(), caps("NV12", "60/1"), kElement);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen())));
  capture.settle();
  const uint64_t grabs = nvfbc().grabs;
  EXPECT_EQ(capture.count(milliseconds(400)), 0);
  EXPECT_EQ(nvfbc().grabs, grabs) << "the driver is not asked either";
  painter.fill({70, 40, 10, 10}, 0xff00ff);
  painter.sync();
  EXPECT_TRUE(capture.pull());
}

TEST_F(NvFbc, LeavesThePointerToTheDriver) {
  Painter painter(server_->display());
  Capture capture("capture-mode=nvfbc refine-frames=0 display-name=" + server_->display(), caps("NV12"), kElement);
  ASSERT_TRUE(capture.play());
  EXPECT_TRUE(nvfbc().with_cursor);
  ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen()))) << "none is drawn by us";
}

TEST_F(NvFbc, FollowsTheSizeOfTheScreen) {
  Painter painter(server_->display());
  Capture capture(options(), caps("NV12"), kElement);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen())));
  for (const Size size : {Size{640, 480}, Size{333, 241}, Size{800, 600}}) {
    ASSERT_TRUE(painter.resize_screen(size));
    painter.fill({5, 5, 50, 50}, 0x123456);
    painter.sync();
    ASSERT_TRUE(shows_the_screen(capture, painter, whole(size))) << size.width;
    EXPECT_EQ(capture.mode_used(), "nvfbc");
  }
}

TEST_F(NvFbc, GoesOnWhenAModeWasSet) {
  setenv("FAKE_NVFBC", "must-recreate=4", 1);
  Painter painter(server_->display());
  Capture capture(options(), caps("NV12"), kElement);
  ASSERT_TRUE(capture.play());
  for (unsigned i = 0; i < 12; i++) {
    painter.fill({20, 20, 300, 200}, 0x102030u * i);
    painter.sync();
    ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen()))) << i;
  }
  EXPECT_EQ(capture.mode_used(), "nvfbc");
  EXPECT_GT(nvfbc().captures, 2u);
}

/// Another way is taken, at once or later, and the picture is right.
void falls_back(const XServer& server, const std::string& options, const char* fault, const char* mode) {
  setenv("FAKE_NVFBC", fault, 1);
  Painter painter(server.display());
  Capture capture(options, caps("NV12"), kElement);
  ASSERT_TRUE(capture.play()) << fault << ": " << capture.message(GST_MESSAGE_ERROR);
  for (unsigned i = 0; i < 6; i++) {
    painter.fill({20, 20, 300, 200}, 0x203040u * i);
    painter.sync();
    ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen()))) << fault << " " << i;
  }
  EXPECT_EQ(capture.mode_used(), mode) << fault;
}

TEST_F(NvFbc, GivesWayWhereItIsNotPermittedOrFails) {
  for (const char* fault : {"refuse-handle", "no-capture", "unsupported", "refuse-setup", "x-error=1", "x-error=5"})
    falls_back(*server_, options(), fault, "fb");
}

TEST_F(NvFbc, IsNotTriedOnServersThatAreNotNvidias) {
  falls_back(*server_, options("auto"), "", "fb");
  EXPECT_EQ(nvfbc().handles, 0u);
}

TEST_F(NvFbc, CapturesNoOtherDisplay) {
  setenv("DISPLAY", ":4711", 1);
  falls_back(*server_, options(), "", "fb");
  EXPECT_EQ(nvfbc().handles, 0u);
}

TEST_F(NvFbc, EndsWithTheServer) {
  Capture capture(options(), caps("NV12"), kElement);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(capture.pull());
  const std::string display = server_->display();
  server_.reset();
  EXPECT_EQ(capture.message(GST_MESSAGE_ERROR), "Lost the connection to X display \"" + display + "\"");
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::run_with_xvfb(argc, argv);
}
