// SPDX-License-Identifier: LGPL-2.1-or-later
// nvstreamenc on a fake NVIDIA driver (tests/fakes/cuda), alone and behind ximagesrc-cuda on a real X server.
#include "nvstreamenc-fixture.h"

namespace vitrine {
namespace {

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
  const auto screen = [&] {
    const std::vector<uint8_t> pixels = expected_picture(painter.display(), painter.root(), {0, 0, 800, 600}, layout);
    return checksum_text(pixels.data(), 800, 800, 900);
  };
  std::string last = screen();
  for (int round = 0; round < 40; round++) {
    painter.paint_randomly(random);
    const std::string checksum = screen();
    // A drawing beside the screen changes nothing; then nothing comes.
    if (checksum == last)
      continue;
    last = checksum;
    bool seen = false;
    for (int i = 0; i < 50 && !seen; i++)
      if (const std::optional<Unit> unit = encoding.pull(milliseconds(200)))
        seen = unit->bytes.find(checksum) != std::string::npos;
    EXPECT_TRUE(seen) << round;
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
  for (int i = 0; i < 50 && !key; i++)
    if (const std::optional<Unit> unit = encoding.pull(milliseconds(200)))
      key = unit->key;
  EXPECT_TRUE(key);
  EXPECT_EQ(nvenc().sessions, 1u);
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
