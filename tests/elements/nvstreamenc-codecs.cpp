// SPDX-License-Identifier: LGPL-2.1-or-later
// What nvstreamenc makes of codecs, depths and GPUs that can more or less, on a fake NVIDIA driver (tests/fakes/cuda).
#include "nvstreamenc-fixture.h"

#include "common/ref.h"

namespace vitrine {
namespace {

TEST_F(NvStreamEnc, EncodesAv1) {
  for (const char* format : {"NV12", "BGRA", "BGRx", "P010_10LE"}) {
    Encoding encoding(kAppSource, "", "video/x-av1,stream-format=obu-stream,alignment=tu,profile=main");
    encoding.set_caps(raw_caps(format));
    ASSERT_TRUE(encoding.play());
    for (unsigned i = 0; i < 6; i++) {
      if (i == 4)
        encoding.send_upstream(gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1));
      std::string checksum;
      encoding.push(picture(raw_caps(format), i, &checksum));
      const std::optional<Unit> unit = encoding.pull();
      ASSERT_TRUE(unit) << format << ": " << encoding.error(milliseconds(0));
      EXPECT_EQ(unit->bytes.substr(0, 2), std::string("\x12\0", 2)) << "no temporal delimiter";
      EXPECT_NE(unit->bytes.find(checksum), std::string::npos) << format;
      EXPECT_EQ(unit->key, i == 0 || i == 4);
      EXPECT_EQ(unit->bytes.find("sps") != std::string::npos, unit->key) << "a sequence header with each keyframe";
    }
    EXPECT_EQ(encoding.stat("registrations"), 1u);
  }
}

TEST_F(NvStreamEnc, ChangesAv1WithoutAKeyframe) {
  Encoding encoding(kAppSource, "bitrate=1000", "video/x-av1");
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  for (unsigned i = 0; i < 101; i++) {
    g_object_set(encoding.encoder(), "bitrate", 1000 + i, nullptr);
    encoding.push(picture(raw_caps("NV12"), i, nullptr));
    const std::optional<Unit> unit = encoding.pull();
    ASSERT_TRUE(unit);
    EXPECT_EQ(unit->key, i == 0);
  }
  EXPECT_EQ(nvenc().reconfigures, 100u);
  EXPECT_EQ(nvenc().bitrate, 1100'000u);
  EXPECT_EQ(nvenc().sessions, 1u);
}

TEST_F(NvStreamEnc, EncodesTenBitWithH265) {
  Encoding encoding(kAppSource, "", "video/x-h265,profile=main-10");
  encoding.set_caps(raw_caps("P010_10LE"));
  ASSERT_TRUE(encoding.play());
  std::string checksum;
  encoding.push(picture(raw_caps("P010_10LE"), 0, &checksum));
  const std::optional<Unit> unit = encoding.pull();
  ASSERT_TRUE(unit) << encoding.error(milliseconds(0));
  EXPECT_NE(unit->bytes.find(checksum), std::string::npos);
}

TEST_F(NvStreamEnc, EncodesWithoutLoss) {
  for (const char* filter : {"video/x-h264,profile=high-4:4:4", "video/x-h265"}) {
    for (const char* format : {"NV12", "Y444"}) {
      Encoding encoding(kAppSource, "lossless=true", filter);
      encoding.set_caps(raw_caps(format));
      ASSERT_TRUE(encoding.play());
      encoding.push(picture(raw_caps(format), 0, nullptr));
      ASSERT_TRUE(encoding.pull()) << filter << ": " << encoding.error(milliseconds(0));
      EXPECT_TRUE(nvenc().lossless);
    }
  }
}

TEST_F(NvStreamEnc, RefreshesBitByBit) {
  for (const char* filter : {"video/x-h264", "video/x-h265", "video/x-av1"}) {
    Encoding encoding(kAppSource, "intra-refresh-period=60", filter);
    encoding.set_caps(raw_caps("NV12"));
    ASSERT_TRUE(encoding.play());
    for (unsigned i = 0; i < 3; i++) {
      encoding.push(picture(raw_caps("NV12"), i, nullptr));
      ASSERT_TRUE(encoding.pull()) << filter << ": " << encoding.error(milliseconds(0));
      g_object_set(encoding.encoder(), "bitrate", 2000 + i, nullptr);
    }
    EXPECT_EQ(nvenc().refresh_period, 60u) << filter << ", also after a change of the bitrate";
  }
}

TEST_F(NvStreamEnc, CountsTheBlocksOfEachCodec) {
  struct Step {
    const char* filter;
    uint64_t all;  // blocks of 320x240
  };
  for (const Step& step : {Step{"video/x-h264", 300}, Step{"video/x-h265", 80}, Step{"video/x-av1", 20}}) {
    Encoding encoding(kAppSource, "damage-qp-offset=5", step.filter);
    encoding.set_caps(raw_caps("NV12"));
    ASSERT_TRUE(encoding.play());
    GstBuffer* buffer = picture(raw_caps("NV12"), 0, nullptr);
    gst_buffer_add_video_region_of_interest_meta(buffer, "damage", 0, 0, 320, 240);
    encoding.push(buffer);
    ASSERT_TRUE(encoding.pull()) << step.filter << ": " << encoding.error(milliseconds(0));
    EXPECT_EQ(nvenc().mapped_blocks, step.all) << step.filter;
    // Without damage there is nothing to favour.
    encoding.push(picture(raw_caps("NV12"), 1, nullptr));
    ASSERT_TRUE(encoding.pull());
    EXPECT_EQ(nvenc().mapped_blocks, 0u);
  }
}

TEST_F(NvStreamEnc, LimitsQuantizersAsTheCodecCountsThem) {
  for (const auto& [filter, most] : {std::pair("video/x-h264", 51u), std::pair("video/x-av1", 200u)}) {
    Encoding encoding(kAppSource, "qp-max=200", filter);
    encoding.set_caps(raw_caps("NV12"));
    ASSERT_TRUE(encoding.play());
    encoding.push(picture(raw_caps("NV12"), 0, nullptr));
    ASSERT_TRUE(encoding.pull());
    EXPECT_EQ(nvenc().max_qp, most) << filter;
  }
}

/// Ends the process: 0 when a picture came out, else 1 with the error printed.
[[noreturn]] void encode_once(const char* filter) {
  Encoding encoding(kAppSource, "", filter);
  encoding.set_caps(raw_caps("NV12"));
  if (encoding.play())
    encoding.push(picture(raw_caps("NV12"), 0, nullptr));
  if (encoding.pull())
    std::_Exit(nvenc().misuses == 0 ? 0 : 2);
  std::fprintf(stderr, "%s\n", encoding.error(milliseconds(0)).c_str());
  std::_Exit(1);
}

/// The driver is looked at once, so that each needs a process of its own.
TEST_F(NvStreamEnc, SpeaksWhatTheDriverSpeaks) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  struct Step {
    const char* driver;
    const char* filter;
    int status;
    const char* error;
  };
  const Step steps[] = {
      {"driver=91", "video/x-h264", 1, "too old: it has NVENC 9.1, and 11.1 is needed \\(driver 470 or newer\\)"},
      {"driver=111", "video/x-h264", 0, ""},
      {"driver=111", "video/x-av1", 1, "too old: it has NVENC 11.1, and 12.0 is needed \\(for AV1 driver 525 or newer\\)"},
      {"driver=120", "video/x-av1", 0, ""},
      {"driver=130", "video/x-h265", 0, ""},
      {"driver=130,drops-111", "video/x-h264", 0, ""},
      {"driver=130,drops-111", "video/x-h265", 0, ""},
      {"driver=130,drops-111", "video/x-av1", 0, ""},
  };
  for (const Step& step : steps) {
    setenv("FAKE_NVENC", step.driver, 1);
    EXPECT_EXIT(encode_once(step.filter), testing::ExitedWithCode(step.status), step.error) << step.driver << " " << step.filter;
  }
}

[[noreturn]] void ask_and_encode(const char* filter) {
  GstElement* asked = gst_element_factory_make("nvstreamenc", nullptr);
  GstStructure* capabilities = nullptr;
  g_object_get(asked, "capabilities", &capabilities, nullptr);
  gst_structure_free(capabilities);
  gst_object_unref(asked);
  encode_once(filter);
}

/// The capabilities are asked for in the newest version, H.264 is encoded in the oldest.
TEST_F(NvStreamEnc, SpeaksTwoVersionsInOneProcess) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  for (const char* filter : {"video/x-h264", "video/x-h265", "video/x-av1"})
    EXPECT_EXIT(ask_and_encode(filter), testing::ExitedWithCode(0), "") << filter;
}

TEST_F(NvStreamEnc, TellsWhatTheGpuCanDo) {
  GstElement* encoder = gst_element_factory_make("nvstreamenc", nullptr);
  ASSERT_NE(encoder, nullptr);
  const auto ask = [encoder] {
    GstStructure* capabilities = nullptr;
    g_object_get(encoder, "capabilities", &capabilities, nullptr);
    return StructurePtr(capabilities);
  };
  const auto number = [](const GstStructure* in, const char* field) {
    int value = -1;
    gst_structure_get_int(in, field, &value);
    return value;
  };
  setenv("FAKE_NVENC", "sessions=3,no-444", 1);
  StructurePtr all = ask();
  EXPECT_STREQ(gst_structure_get_string(all.get(), "gpu"), "Fake GPU");
  EXPECT_EQ(number(all.get(), "sessions"), 3);
  EXPECT_EQ(number(all.get(), "free-capacity"), 75);
  for (const auto& [name, width] : {std::pair("h264", 4096), std::pair("h265", 4096), std::pair("av1", 8192)}) {
    GstStructure* codec = nullptr;
    ASSERT_TRUE(gst_structure_get(all.get(), name, GST_TYPE_STRUCTURE, &codec, nullptr)) << name;
    const StructurePtr owned(codec);
    gboolean has_444 = TRUE;
    EXPECT_EQ(number(codec, "width-max"), width);
    EXPECT_TRUE(gst_structure_get_boolean(codec, "444", &has_444));
    EXPECT_FALSE(has_444);
  }
  setenv("FAKE_NVENC", "no-av1", 1);
  all = ask();
  EXPECT_TRUE(gst_structure_has_field(all.get(), "h265"));
  EXPECT_FALSE(gst_structure_has_field(all.get(), "av1"));
  setenv("FAKE_NVENC", "no-encoder", 1);
  all = ask();
  EXPECT_STREQ(gst_structure_get_string(all.get(), "gpu"), "Fake GPU");
  EXPECT_NE(std::string(gst_structure_get_string(all.get(), "error")).find("no video encoder (NV_ENC_ERR_UNSUPPORTED_DEVICE)"),
            std::string::npos);
  gst_object_unref(encoder);
}

TEST_F(NvStreamEnc, SaysWhatAGpuCannotDo) {
  const std::string nv12 = raw_caps("NV12");
  fail_with("", "no-av1", "This GPU cannot encode AV1", nv12, "video/x-av1");
  fail_with("", "no-444", "This GPU cannot encode H.265 in 4:4:4", raw_caps("Y444"), "video/x-h265");
  fail_with("", "no-10-bit", "This GPU cannot encode H.265 with 10 bit", raw_caps("P010_10LE"), "video/x-h265");
  fail_with("", "", "NVENC has no 10 bit for H.264", raw_caps("P010_10LE"));
  fail_with("", "", "NVENC has no 4:4:4 for AV1", raw_caps("Y444"), "video/x-av1");
  fail_with("lossless=true", "no-lossless", "This GPU cannot encode H.264 without loss");
  fail_with("intra-refresh-period=30", "no-intra-refresh", "This GPU has no intra refresh for H.264");
  fail_with("", "", "This GPU encodes AV1 from 192x128 on, not 64x64", raw_caps("NV12", 64, 64), "video/x-av1");
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  return vitrine::run_with_xvfb(argc, argv);
}
