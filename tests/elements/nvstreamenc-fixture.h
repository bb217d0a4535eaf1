// SPDX-License-Identifier: LGPL-2.1-or-later
// Pipelines with nvstreamenc on the fake NVIDIA driver, and what every test of it must leave behind: nothing.
#pragma once

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

inline FakeCudaCounters& cuda() {
  static FakeCudaCounters& counters = counters_of<FakeCudaCounters>("libcuda.so.1", "fake_cuda_counters");
  return counters;
}

inline FakeNvencCounters& nvenc() {
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

inline constexpr char kAppSource[] = "appsrc name=source format=time";

inline std::string raw_caps(const char* format, int width = 320, int height = 240) {
  return std::string("video/x-raw,format=") + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=60/1";
}

/// A picture in system memory, and the checksum the fake encoder must see.
inline GstBuffer* picture(const std::string& caps_text, unsigned seed, std::string* checksum) {
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
    const bool wide = GST_VIDEO_INFO_COMP_DEPTH(&info, 0) > 8;
    const auto row = static_cast<size_t>(info.width) * (packed ? 4 : wide ? 2 : 1);
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
    // The last reference to a context may be another thread's.
    for (int i = 0; i < 100 && cuda().live_contexts != 0; ++i)
      g_usleep(10'000);
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

/// One clear error, no hang; then it works again.
void fail_with(const std::string& options, const char* fault, const std::string& expected,
               const std::string& caps = raw_caps("NV12"), const std::string& filter = "video/x-h264");

}  // namespace vitrine
