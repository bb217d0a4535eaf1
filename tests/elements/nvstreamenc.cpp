// SPDX-License-Identifier: LGPL-2.1-or-later
// nvstreamenc on a fake NVIDIA driver (tests/fakes/cuda), alone and behind ximagesrc-cuda on a real X server.
#include "ximagesrc-shm-fixture.h"

#include <dlfcn.h>
#include <gst/app/gstappsrc.h>
#include <gst/cuda/gstcudautils.h>

#include <cstdlib>
#include <cstring>

#include "checksum.h"
#include "fake-cuda.h"
#include "fake-nvenc.h"

namespace vitrine {
namespace {

using std::chrono::milliseconds;

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

FakeNvencCounters& nvenc() {
  static FakeNvencCounters& counters = counters_of<FakeNvencCounters>("libnvidia-encode.so.1", "fake_nvenc_counters");
  return counters;
}

struct Unit {
  std::string bytes;
  bool key = false;
  GstClockTime pts = 0;
};

/// `SOURCE ! nvstreamenc OPTIONS ! FILTER ! appsink`.
class Encoding {
 public:
  explicit Encoding(const std::string& source, const std::string& options = "", const std::string& filter = "video/x-h264") {
    const std::string line = source + " ! nvstreamenc name=encoder " + options + " ! " + filter +
                             " ! appsink name=sink sync=false max-buffers=2000";
    GError* error = nullptr;
    pipeline_ = gst_parse_launch(line.c_str(), &error);
    if (error) {
      std::fprintf(stderr, "%s: %s\n", line.c_str(), error->message);
      std::exit(1);
    }
    encoder_ = gst_bin_get_by_name(GST_BIN(pipeline_), "encoder");
    sink_ = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
    source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
  }
  ~Encoding() {
    stop();
    for (GstElement* element : {encoder_, sink_, source_, pipeline_})
      gst_object_unref(element);
  }
  Encoding(const Encoding&) = delete;
  Encoding& operator=(const Encoding&) = delete;

  GstElement* pipeline() { return pipeline_; }
  GstElement* encoder() { return encoder_; }
  bool play() { return gst_element_set_state(pipeline_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE; }
  void stop() { gst_element_set_state(pipeline_, GST_STATE_NULL); }

  void push(GstBuffer* buffer) { gst_app_src_push_buffer(GST_APP_SRC(source_), buffer); }
  void set_caps(const std::string& text) {
    GstCaps* caps = gst_caps_from_string(text.c_str());
    gst_app_src_set_caps(GST_APP_SRC(source_), caps);
    gst_caps_unref(caps);
  }
  std::optional<Unit> pull(milliseconds timeout = milliseconds(3000)) {
    GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), timeout.count() * GST_MSECOND);
    if (!sample)
      return std::nullopt;
    GstBuffer* buffer = gst_sample_get_buffer(sample);
    Unit unit;
    unit.key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    unit.pts = GST_BUFFER_PTS(buffer);
    GstMapInfo map;
    EXPECT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
    unit.bytes.assign(reinterpret_cast<char*>(map.data), map.size);
    gst_buffer_unmap(buffer, &map);
    gst_sample_unref(sample);
    return unit;
  }
  std::string error(milliseconds timeout = milliseconds(3000)) {
    GstBus* bus = gst_element_get_bus(pipeline_);
    GstMessage* message = gst_bus_timed_pop_filtered(bus, timeout.count() * GST_MSECOND, GST_MESSAGE_ERROR);
    gst_object_unref(bus);
    if (!message)
      return {};
    GError* details = nullptr;
    gst_message_parse_error(message, &details, nullptr);
    const std::string text = details->message;
    g_error_free(details);
    gst_message_unref(message);
    return text;
  }
  void send_upstream(GstEvent* event) {
    GstPad* pad = gst_element_get_static_pad(sink_, "sink");
    gst_pad_push_event(pad, event);
    gst_object_unref(pad);
  }
  uint64_t stat(const char* field) {
    GstStructure* stats = nullptr;
    g_object_get(encoder_, "stats", &stats, nullptr);
    guint64 value = UINT64_MAX;
    gst_structure_get_uint64(stats, field, &value);
    gst_structure_free(stats);
    return value;
  }

 private:
  GstElement* pipeline_ = nullptr;
  GstElement* encoder_ = nullptr;
  GstElement* sink_ = nullptr;
  GstElement* source_ = nullptr;
};

constexpr char kAppSource[] = "appsrc name=source format=time";

std::string raw_caps(const char* format, int width = 320, int height = 240) {
  return std::string("video/x-raw,format=") + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=60/1";
}

/// A picture in system memory, and the checksum the fake encoder must see.
GstBuffer* picture(const std::string& caps_text, unsigned seed, std::string* checksum) {
  GstCaps* caps = gst_caps_from_string(caps_text.c_str());
  GstVideoInfo info;
  gst_video_info_from_caps(&info, caps);
  gst_caps_unref(caps);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, info.size, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  std::mt19937 random(seed);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = static_cast<uint8_t>(random());
  if (checksum) {
    const bool packed = GST_VIDEO_INFO_N_PLANES(&info) == 1;
    const auto row = static_cast<size_t>(info.width) * (packed ? 4 : 1);
    // Widths of these tests leave no gaps, so the planes are one block of rows.
    *checksum = checksum_text(map.data, row, row, info.size / row);
  }
  gst_buffer_unmap(buffer, &map);
  GST_BUFFER_PTS(buffer) = seed * GST_SECOND / 60;
  return buffer;
}

class NvStreamEnc : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("FAKE_CUDA");
    unsetenv("FAKE_NVENC");
    cuda().misuses = 0;
    nvenc().misuses = 0;
    nvenc().sessions = 0;
    nvenc().idrs = 0;
    nvenc().reconfigures = 0;
    nvenc().resets = 0;
    nvenc().invalidations = 0;
  }
  void TearDown() override {
    EXPECT_EQ(cuda().misuses, 0u);
    EXPECT_EQ(nvenc().misuses, 0u);
    EXPECT_EQ(nvenc().live_sessions, 0u);
    EXPECT_EQ(nvenc().live_resources, 0u);
    EXPECT_EQ(cuda().live_device_blocks, 0u);
    EXPECT_EQ(cuda().live_host_blocks, 0u);
    EXPECT_EQ(cuda().live_registrations, 0u);
    EXPECT_EQ(cuda().live_streams, 0u);
    EXPECT_EQ(cuda().live_contexts, 0u);
  }
};

TEST_F(NvStreamEnc, EncodesEveryFormatFromMainMemory) {
  for (const char* filter : {"video/x-h264", "video/x-h265"}) {
    for (const char* format : {"NV12", "BGRA", "BGRx", "Y444"}) {
      Encoding encoding(kAppSource, "", filter);
      encoding.set_caps(raw_caps(format));
      ASSERT_TRUE(encoding.play());
      for (unsigned i = 0; i < 5; i++) {
        std::string checksum;
        encoding.push(picture(raw_caps(format), i, &checksum));
        const std::optional<Unit> unit = encoding.pull();
        ASSERT_TRUE(unit) << format << ": " << encoding.error(milliseconds(0));
        EXPECT_NE(unit->bytes.find(checksum), std::string::npos) << format;
        EXPECT_EQ(unit->key, i == 0);
        EXPECT_EQ(unit->pts, i * GST_SECOND / 60);
      }
      EXPECT_EQ(encoding.stat("registrations"), 1u);
    }
  }
}

TEST_F(NvStreamEnc, ChangesTheBitrateAThousandTimesWithoutAKeyframe) {
  Encoding encoding(kAppSource, "bitrate=1000");
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  for (unsigned i = 0; i < 1001; i++) {
    g_object_set(encoding.encoder(), "bitrate", 1000 + i, nullptr);
    encoding.push(picture(raw_caps("NV12"), i, nullptr));
    const std::optional<Unit> unit = encoding.pull();
    ASSERT_TRUE(unit);
    EXPECT_EQ(unit->key, i == 0);
    EXPECT_EQ(nvenc().bitrate, (1000 + i) * 1000);
  }
  EXPECT_EQ(nvenc().reconfigures, 1000u);
  EXPECT_EQ(nvenc().resets, 0u);
  EXPECT_EQ(nvenc().idrs, 1u);
  EXPECT_EQ(nvenc().sessions, 1u);
}

TEST_F(NvStreamEnc, ChangesSizeAndFramerateInOneSession) {
  Encoding encoding(kAppSource);
  struct Step {
    std::string caps;
    bool key;
  };
  const Step steps[] = {{raw_caps("NV12"), true},
                        {raw_caps("NV12", 640, 480), true},
                        {"video/x-raw,format=NV12,width=640,height=480,framerate=30/1", false},
                        {raw_caps("NV12", 64, 48), true}};
  unsigned number = 0;
  for (const Step& step : steps) {
    encoding.set_caps(step.caps);
    if (number == 0) {
      ASSERT_TRUE(encoding.play());
    }
    for (int i = 0; i < 3; i++) {
      std::string checksum;
      encoding.push(picture(step.caps, number++, &checksum));
      const std::optional<Unit> unit = encoding.pull();
      ASSERT_TRUE(unit);
      EXPECT_EQ(unit->key, i == 0 && step.key) << step.caps;
      EXPECT_NE(unit->bytes.find(checksum), std::string::npos) << step.caps;
    }
  }
  EXPECT_EQ(nvenc().sessions, 1u);
}

TEST_F(NvStreamEnc, OpensANewSessionBeyondTheLargestSize) {
  Encoding encoding(kAppSource, "max-width=320 max-height=240");
  unsigned number = 0;
  for (const int width : {320, 640}) {
    const std::string caps = raw_caps("NV12", width, 240);
    encoding.set_caps(caps);
    if (number == 0) {
      ASSERT_TRUE(encoding.play());
    }
    encoding.push(picture(caps, number++, nullptr));
    const std::optional<Unit> unit = encoding.pull();
    ASSERT_TRUE(unit);
    EXPECT_TRUE(unit->key);
  }
  EXPECT_EQ(nvenc().sessions, 2u);
}

TEST_F(NvStreamEnc, SendsAKeyframeWhenAsked) {
  Encoding encoding(kAppSource);
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  for (unsigned i = 0; i < 6; i++) {
    if (i == 3)
      encoding.send_upstream(gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1));
    encoding.push(picture(raw_caps("NV12"), i, nullptr));
    const std::optional<Unit> unit = encoding.pull();
    ASSERT_TRUE(unit);
    EXPECT_EQ(unit->key, i == 0 || i == 3) << i;
    EXPECT_EQ(unit->bytes.find("sps") != std::string::npos, unit->key);
  }
}

void lose_frames(bool can_invalidate) {
  Encoding encoding(kAppSource);
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  for (unsigned i = 0; i < 10; i++) {
    if (i == 6)
      encoding.send_upstream(gst_event_new_custom(
          GST_EVENT_CUSTOM_UPSTREAM,
          gst_structure_new("vitrine-lost-frames", "pts", G_TYPE_UINT64, 4 * GST_SECOND / 60, nullptr)));
    encoding.push(picture(raw_caps("NV12"), i, nullptr));
    const std::optional<Unit> unit = encoding.pull();
    ASSERT_TRUE(unit);
    EXPECT_EQ(unit->key, i == 0 || (i == 6 && !can_invalidate)) << i;
  }
  EXPECT_EQ(nvenc().invalidations, can_invalidate ? 2u : 0u);
}

TEST_F(NvStreamEnc, LeavesLostFramesAlone) {
  lose_frames(true);
}

TEST_F(NvStreamEnc, SendsAKeyframeWhereReferencesCannotBeInvalidated) {
  setenv("FAKE_NVENC", "no-invalidation", 1);
  lose_frames(false);
}

TEST_F(NvStreamEnc, GivesDamageAnotherQuantizer) {
  Encoding encoding(kAppSource, "damage-qp-offset=-4");
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  struct Step {
    Rect damage;
    uint64_t blocks;
  };
  // 20x15 blocks of 16 pixels.
  const Step steps[] = {{{0, 0, 16, 16}, 1}, {{15, 15, 2, 2}, 4}, {{0, 0, 320, 240}, 300}, {{0, 0, 0, 0}, 0},
                        {{5000, 5000, 10, 10}, 0}, {{310, 230, 4000, 4000}, 1}};
  unsigned number = 0;
  for (const Step& step : steps) {
    GstBuffer* buffer = picture(raw_caps("NV12"), number++, nullptr);
    const auto value = [](int pixels) { return static_cast<guint>(pixels); };
    gst_buffer_add_video_region_of_interest_meta(buffer, "damage", value(step.damage.x), value(step.damage.y),
                                                 value(step.damage.width), value(step.damage.height));
    encoding.push(buffer);
    ASSERT_TRUE(encoding.pull());
    EXPECT_EQ(nvenc().mapped_blocks, step.blocks) << number;
  }
}

TEST_F(NvStreamEnc, TakesTheProfileThatDownstreamWants) {
  for (const char* profile : {"high", "main", "constrained-baseline"}) {
    Encoding encoding(kAppSource, "", std::string("video/x-h264,profile=") + profile);
    encoding.set_caps(raw_caps("NV12"));
    ASSERT_TRUE(encoding.play());
    encoding.push(picture(raw_caps("NV12"), 0, nullptr));
    EXPECT_TRUE(encoding.pull()) << profile << ": " << encoding.error(milliseconds(0));
  }
}

TEST_F(NvStreamEnc, EncodesTheScreenWhereItIs) {
  auto server = XServer::start_xvfb("800x600x24", {"-shmem"});
  ASSERT_TRUE(server);
  Painter painter(server->display());
  cuda().uploaded_bytes = 0;
  cuda().downloaded_bytes = 0;
  Encoding encoding("ximagesrc-cuda name=source show-pointer=false refine-frames=0 display-name=" + server->display() +
                    " ! video/x-raw(memory:CUDAMemory),format=NV12,framerate=1000/1");
  ASSERT_TRUE(encoding.play());
  ASSERT_TRUE(encoding.pull()) << encoding.error(milliseconds(0));
  std::mt19937 random(3);
  const PictureLayout layout = PictureLayout::make(PixelFormat::kNv12, ColorMatrix::kBt709, {800, 600});
  for (int round = 0; round < 40; round++) {
    painter.paint_randomly(random);
    const std::vector<uint8_t> expected = expected_picture(painter.display(), painter.root(), {0, 0, 800, 600}, layout);
    const std::string checksum = checksum_text(expected.data(), 800, 800, 900);
    bool seen = false;
    while (std::optional<Unit> unit = encoding.pull(milliseconds(100)))
      seen = unit->bytes.find(checksum) != std::string::npos;
    // A drawing beside the screen changes nothing; then nothing comes.
    static std::string last;
    EXPECT_TRUE(seen || checksum == last) << round;
    last = checksum;
  }
  EXPECT_EQ(encoding.stat("idrs"), 1u);
  EXPECT_EQ(encoding.stat("copies"), 0u);
  // One for each buffer of the pool, not one for each frame.
  EXPECT_LE(encoding.stat("registrations"), 6u);
  EXPECT_GT(encoding.stat("frames"), 20u);
  EXPECT_EQ(cuda().uploaded_bytes, 0u);
  EXPECT_EQ(cuda().downloaded_bytes, 0u);
  EXPECT_EQ(cuda().live_contexts, 1u) << "source and encoder share one";

  ASSERT_TRUE(painter.resize_screen({640, 480}));
  painter.fill({0, 0, 300, 300}, 0x336699);
  painter.sync();
  bool key = false;
  while (std::optional<Unit> unit = encoding.pull(milliseconds(300)))
    key = key || unit->key;
  EXPECT_TRUE(key);
  EXPECT_EQ(nvenc().sessions, 1u);
}

TEST_F(NvStreamEnc, TellsWhatTheGpuCanDo) {
  GstElement* encoder = gst_element_factory_make("nvstreamenc", nullptr);
  ASSERT_NE(encoder, nullptr);
  GstStructure* capabilities = nullptr;
  g_object_get(encoder, "capabilities", &capabilities, nullptr);
  GstStructure* h264 = nullptr;
  ASSERT_TRUE(gst_structure_get(capabilities, "h264", GST_TYPE_STRUCTURE, &h264, nullptr));
  int width = 0;
  EXPECT_TRUE(gst_structure_get_int(h264, "width-max", &width));
  EXPECT_EQ(width, 4096);
  gst_structure_free(h264);
  gst_structure_free(capabilities);
  setenv("FAKE_NVENC", "no-encoder", 1);
  g_object_get(encoder, "capabilities", &capabilities, nullptr);
  EXPECT_NE(std::string(gst_structure_get_string(capabilities, "error")).find("NV_ENC_ERR_UNSUPPORTED_DEVICE"),
            std::string::npos);
  gst_structure_free(capabilities);
  gst_object_unref(encoder);
}

/// One clear error, no hang; then it works again.
void fail_with(const std::string& options, const char* fault, const std::string& expected,
               const std::string& caps = raw_caps("NV12")) {
  setenv("FAKE_NVENC", fault, 1);
  Encoding encoding(kAppSource, options);
  encoding.set_caps(caps);
  ASSERT_TRUE(encoding.play());
  for (unsigned i = 0; i < 6; i++) {
    g_object_set(encoding.encoder(), "bitrate", 2000 + i, nullptr);
    encoding.push(picture(caps, i, nullptr));
  }
  const std::string error = encoding.error();
  EXPECT_NE(error.find(expected), std::string::npos) << fault << ": " << error;
  encoding.stop();
  unsetenv("FAKE_NVENC");
  if (caps != raw_caps("NV12"))
    return;  // appsrc would come back with the caps it had
  g_object_set(encoding.encoder(), "qp-min", -1, "qp-max", -1, nullptr);
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  encoding.push(picture(raw_caps("NV12"), 0, nullptr));
  EXPECT_TRUE(encoding.pull()) << fault << ": " << encoding.error(milliseconds(0));
}

TEST_F(NvStreamEnc, SaysWhyItCannotEncode) {
  fail_with("", "no-encoder", "This GPU has no video encoder (NV_ENC_ERR_UNSUPPORTED_DEVICE)");
  fail_with("", "out-of-sessions", "All encoding sessions of this GPU are taken");
  fail_with("", "fail-after=3", "NVENC refuses: nvEncEncodePicture: NV_ENC_ERR_GENERIC");
  fail_with("", "refuse-reconfigure", "NVENC refuses: nvEncReconfigureEncoder: NV_ENC_ERR_UNSUPPORTED_PARAM");
  fail_with("qp-min=40 qp-max=20", "", "NVENC refuses: nvEncInitializeEncoder: NV_ENC_ERR_INVALID_PARAM");
  fail_with("", "", "This GPU encodes H.264 up to 4096x4096, not 5000x240", raw_caps("NV12", 5000, 240));
}

TEST_F(NvStreamEnc, EndsWithTheStream) {
  Encoding encoding(kAppSource);
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  for (unsigned i = 0; i < 10; i++)
    encoding.push(picture(raw_caps("NV12"), i, nullptr));
  GstElement* source = gst_bin_get_by_name(GST_BIN(encoding.pipeline()), "source");
  gst_app_src_end_of_stream(GST_APP_SRC(source));
  gst_object_unref(source);
  int units = 0;
  while (encoding.pull(milliseconds(1000)))
    units++;
  EXPECT_EQ(units, 10);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::run_with_xvfb(argc, argv);
}
