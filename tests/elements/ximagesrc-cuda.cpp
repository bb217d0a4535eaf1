// SPDX-License-Identifier: LGPL-2.1-or-later
// ximagesrc-cuda on real X servers and a fake NVIDIA driver (tests/fakes/cuda), which runs the real kernels on the host.
#include "ximagesrc-shm-fixture.h"

#include <dlfcn.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>

#include <cstdlib>

#include "fake-cuda.h"

namespace vitrine {
namespace {

using std::chrono::milliseconds;

constexpr char kElement[] = "ximagesrc-cuda";

FakeCudaCounters& counters() {
  static FakeCudaCounters* const the_counters = [] {
    void* library = dlopen("libcuda.so.1", RTLD_NOW);
    const auto find =
        library ? reinterpret_cast<FakeCudaCountersFunction>(dlsym(library, "fake_cuda_counters")) : nullptr;
    if (!find) {
      std::fprintf(stderr, "libcuda.so.1 is not the fake one\n");
      std::exit(1);
    }
    return find();
  }();
  return *the_counters;
}

std::string caps(const char* format, const char* framerate = "1000/1") {
  return std::string("video/x-raw(memory:CUDAMemory),format=") + format + ",framerate=" + framerate;
}

uint64_t stat(Capture& capture, const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(capture.source(), "stats", &stats, nullptr);
  guint64 value = UINT64_MAX;
  gst_structure_get_uint64(stats, field, &value);
  gst_structure_free(stats);
  return value;
}

/// Every test ends with nothing left on the device and no call that a real driver would have refused.
class XImageSrcCuda : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("FAKE_CUDA");
    counters().misuses = 0;
    counters().registrations = 0;
  }
  void TearDown() override {
    EXPECT_EQ(counters().misuses, 0u);
    EXPECT_EQ(counters().live_registrations, 0u);
    EXPECT_EQ(counters().live_device_blocks, 0u);
    EXPECT_EQ(counters().live_host_blocks, 0u);
    EXPECT_EQ(counters().live_streams, 0u);
    EXPECT_EQ(counters().live_events, 0u);
    EXPECT_EQ(counters().live_modules, 0u);
    EXPECT_EQ(counters().live_contexts, 0u);
  }

  static std::unique_ptr<XServer> start(const std::vector<std::string>& options = {"-shmem"}) {
    return XServer::start_xvfb("800x600x24", options);
  }
  static std::string base(const XServer& server) {
    return "show-pointer=false refine-frames=0 display-name=" + server.display() + " ";
  }
};

void follow_random_damage(const XServer& server, const std::string& base, const char* expected_mode,
                          bool registered = true) {
  std::mt19937 random(7);
  Painter painter(server.display());
  const Rect regions[] = {whole(painter.screen()), {13, 7, 301, 203}};
  for (const char* format : {"NV12", "BGRA", "BGRx"}) {
    for (const Rect& part : regions) {
      Capture capture(base + " startx=" + std::to_string(part.x) + " starty=" + std::to_string(part.y) + " endx=" +
                          std::to_string(part.right() - 1) + " endy=" + std::to_string(part.bottom() - 1),
                      caps(format), kElement);
      ASSERT_TRUE(capture.play()) << capture.message(GST_MESSAGE_ERROR);
      EXPECT_EQ(capture.mode_used(), expected_mode);
      ASSERT_TRUE(shows_the_screen(capture, painter, part)) << format;
      const PictureLayout layout =
          PictureLayout::make(PixelFormat::kBgrx, ColorMatrix::kBt709, {part.width, part.height});
      const auto pixels = [&] { return expected_picture(painter.display(), painter.root(), part, layout); };
      std::vector<uint8_t> before = pixels();
      for (int round = 0; round < 20; round++) {
        painter.paint_randomly(random);
        const std::vector<uint8_t> now = pixels();
        if (now == before)
          continue;
        ASSERT_TRUE(shows_the_screen(capture, painter, part)) << format << " round " << round;
        before = now;
      }
      EXPECT_EQ(stat(capture, "registrations"), registered ? 1u : 0u);
      if (registered)
        EXPECT_EQ(stat(capture, "cpu-copied-bytes"), 0u);
      else
        EXPECT_GT(stat(capture, "cpu-copied-bytes"), 0u);
    }
  }
}

TEST_F(XImageSrcCuda, ReadsTheFramebufferWithoutACopy) {
  auto server = start();
  ASSERT_TRUE(server);
  follow_random_damage(*server, base(*server), "fb");
}

TEST_F(XImageSrcCuda, ReadsSharedMemoryWithoutACopy) {
  auto server = start({});
  ASSERT_TRUE(server);
  follow_random_damage(*server, base(*server), "shm");
}

TEST_F(XImageSrcCuda, StagesWhatTheServerDoesNotShare) {
  auto server = start();
  ASSERT_TRUE(server);
  follow_random_damage(*server, base(*server) + "capture-mode=getimage ", "getimage", false);
}

TEST_F(XImageSrcCuda, StagesWhenRegistrationIsRefused) {
  auto server = start();
  ASSERT_TRUE(server);
  setenv("FAKE_CUDA", "refuse-register", 1);
  follow_random_damage(*server, base(*server), "fb", false);
}

TEST_F(XImageSrcCuda, UploadsWhenNothingCanBePinned) {
  auto server = start();
  ASSERT_TRUE(server);
  setenv("FAKE_CUDA", "refuse-register,refuse-pinned", 1);
  counters().uploaded_bytes = 0;
  follow_random_damage(*server, base(*server), "fb", false);
  EXPECT_GT(counters().uploaded_bytes, 0u);
}

TEST_F(XImageSrcCuda, KeepsTheRegistrationOfAFramebufferThatIsResized) {
  auto server = start();
  ASSERT_TRUE(server);
  Painter painter(server->display());
  Capture capture(base(*server), caps("NV12"), kElement);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen())));
  for (const Size size : {Size{640, 480}, Size{333, 241}, Size{800, 600}}) {
    ASSERT_TRUE(painter.resize_screen(size));
    painter.fill({5, 5, 50, 50}, 0x123456);
    painter.sync();
    ASSERT_TRUE(shows_the_screen(capture, painter, whole(size))) << size.width;
  }
  EXPECT_EQ(stat(capture, "registrations"), 1u);
}

TEST_F(XImageSrcCuda, RegistersSharedMemoryOnceForEachSize) {
  auto server = start({});
  ASSERT_TRUE(server);
  Painter painter(server->display());
  Capture capture(base(*server), caps("NV12"), kElement);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen())));
  ASSERT_TRUE(painter.resize_screen({640, 480}));
  painter.sync();
  ASSERT_TRUE(shows_the_screen(capture, painter, {0, 0, 640, 480}));
  EXPECT_EQ(stat(capture, "registrations"), 2u);
}

TEST_F(XImageSrcCuda, DrawsThePointerAsTheCpuDoes) {
  auto server = start();
  ASSERT_TRUE(server);
  Painter painter(server->display());
  const std::string options = "refine-frames=0 display-name=" + server->display();
  Capture on_device(options, caps("NV12"), kElement);
  Capture on_cpu(options, "video/x-raw,format=NV12,colorimetry=bt709,framerate=1000/1");
  ASSERT_TRUE(on_device.play());
  ASSERT_TRUE(on_cpu.play());
  for (const int at : {100, 101, 399, 0}) {
    painter.fill({at, at, 90, 90}, 0x4080c0u + static_cast<unsigned>(at));
    XWarpPointer(painter.display(), None, painter.root(), 0, 0, 0, 0, at + 5, at + 3);
    painter.fill({0, 0, 1, 1}, static_cast<unsigned>(at));
    painter.sync();
    std::optional<Picture> device;
    std::optional<Picture> cpu;
    while (std::optional<Picture> next = on_device.pull(milliseconds(400)))
      device = std::move(next);
    while (std::optional<Picture> next = on_cpu.pull(milliseconds(400)))
      cpu = std::move(next);
    ASSERT_TRUE(device && cpu);
    EXPECT_EQ(device->bytes, cpu->bytes) << at;
    EXPECT_NE(device->bytes, expected_picture(painter.display(), painter.root(), whole(painter.screen()), device->layout))
        << "no pointer is drawn";
  }
}

TEST_F(XImageSrcCuda, SharesTheContextOfThePipeline) {
  auto server = start();
  ASSERT_TRUE(server);
  GstCudaContext* context = gst_cuda_context_new(0);
  ASSERT_NE(context, nullptr);
  {
    Capture capture(base(*server), caps("NV12"), kElement);
    GstContext* shared = gst_context_new_cuda_context(context);
    gst_element_set_context(capture.pipeline(), shared);
    gst_context_unref(shared);
    ASSERT_TRUE(capture.play());
    GstSample* sample = capture.pull_sample();
    ASSERT_NE(sample, nullptr);
    GstMemory* memory = gst_buffer_peek_memory(gst_sample_get_buffer(sample), 0);
    ASSERT_TRUE(gst_is_cuda_memory(memory));
    EXPECT_EQ(GST_CUDA_MEMORY_CAST(memory)->context, context);
    gst_sample_unref(sample);
    // Who comes later asks for it.
    GstQuery* query = gst_query_new_context(GST_CUDA_CONTEXT_TYPE);
    GstPad* pad = gst_element_get_static_pad(capture.source(), "src");
    EXPECT_TRUE(gst_pad_query(pad, query));
    gst_object_unref(pad);
    gst_query_unref(query);
  }
  gst_object_unref(context);
}

TEST_F(XImageSrcCuda, ChangesNothingWhereNothingChanged) {
  auto server = start();
  ASSERT_TRUE(server);
  Painter painter(server->display());
  Capture capture(base(*server), caps("NV12", "60/1"), kElement);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(shows_the_screen(capture, painter, whole(painter.screen())));
  capture.settle();
  const uint64_t launches = counters().launches;
  EXPECT_EQ(capture.count(milliseconds(300)), 0);
  painter.fill({70, 40, 10, 10}, 0xff00ff);
  painter.sync();
  EXPECT_TRUE(capture.pull());
  EXPECT_EQ(counters().launches, launches + 1);
}

/// One clear error, no hang, nothing left behind; then the element works again.
void fail_with(const XServer& server, const std::string& options, const char* fault, const std::string& expected) {
  setenv("FAKE_CUDA", fault, 1);
  Painter painter(server.display());
  Capture capture(options, caps("NV12"), kElement);
  std::string error;
  if (capture.play()) {
    for (int i = 0; i < 50 && error.empty(); i++) {
      painter.fill({i, i, 100, 100}, 0x010203u * static_cast<unsigned>(i));
      painter.sync();
      error = capture.message(GST_MESSAGE_ERROR, milliseconds(100));
    }
  } else {
    error = capture.message(GST_MESSAGE_ERROR);
  }
  EXPECT_NE(error.find(expected), std::string::npos) << fault << ": " << error;
  capture.stop();
  unsetenv("FAKE_CUDA");
  ASSERT_TRUE(capture.play()) << fault;
  EXPECT_TRUE(shows_the_screen(capture, painter, whole(painter.screen()))) << fault;
}

TEST_F(XImageSrcCuda, SaysWhyItCannotStart) {
  auto server = start();
  ASSERT_TRUE(server);
  fail_with(*server, base(*server), "refuse-module", "cuModuleLoadData: CUDA_ERROR_INVALID_IMAGE");
  fail_with(*server, base(*server), "refuse-memory", "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY");
}

TEST_F(XImageSrcCuda, SaysThatTheDeviceIsLost) {
  auto server = start();
  ASSERT_TRUE(server);
  for (const char* fault : {"fail-launch=1", "fail-launch=2", "fail-launch=7"})
    fail_with(*server, base(*server), fault, "cuLaunchKernel: CUDA_ERROR_ILLEGAL_ADDRESS");
}

TEST_F(XImageSrcCuda, EndsWithTheServer) {
  auto server = start();
  ASSERT_TRUE(server);
  Capture capture(base(*server), caps("NV12"), kElement);
  ASSERT_TRUE(capture.play());
  ASSERT_TRUE(capture.pull());
  const std::string display = server->display();
  server.reset();
  EXPECT_EQ(capture.message(GST_MESSAGE_ERROR), "Lost the connection to X display \"" + display + "\"");
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::run_with_xvfb(argc, argv);
}
