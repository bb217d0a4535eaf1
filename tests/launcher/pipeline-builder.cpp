// SPDX-License-Identifier: LGPL-2.1-or-later
// From model to real elements: typed properties, links, and changes of the bitrate. Nothing is started.
#include <gtest/gtest.h>

#include <cstdio>

#include "pipeline-builder.h"

using namespace vitrine;

namespace {

PipelineModel make_test_model() {
  PipelineModel model;
  model.video = {{"videotestsrc", "capture", {{"is-live", "true", ""}}},
                 {"capsfilter", "", {{"caps", "video/x-raw,format=I420", "here"}}},
                 {"vp8enc", "encoder", {{"target-bitrate", "8000000", ""}}}};
  model.server = {"webrtcsignallerbin", "server", {{"port", "8080", ""}}};
  model.input = {"x11inputsink", "input", {}};
  model.bitrate_property = "target-bitrate";
  model.bitrate_factor = 1000;
  return model;
}

class PipelineBuilder : public testing::Test {
 protected:
  static gint target_bitrate(const Ref<GstElement>& pipeline) {
    const auto encoder = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "encoder"));
    gint value = -1;
    g_object_get(encoder.get(), "target-bitrate", &value, nullptr);
    return value;
  }
  PipelineModel model = make_test_model();
  std::string error;
};

}  // namespace

TEST_F(PipelineBuilder, EverythingIsMadeAndLinked) {
  const auto pipeline = build_pipeline(model, {"ada", "word"}, error);
  ASSERT_TRUE(pipeline) << error;
  EXPECT_EQ(target_bitrate(pipeline), 8000000);
  const auto encoder = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "encoder"));
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(encoder.get(), "src"));
  const auto peer = Ref<GstPad>::adopt(gst_pad_get_peer(pad.get()));
  ASSERT_TRUE(peer);
  EXPECT_STREQ(GST_PAD_NAME(peer.get()), "video_0");
}

TEST_F(PipelineBuilder, ARateIsSetInTheEncodersUnit) {
  const auto pipeline = build_pipeline(model, {}, error);
  ASSERT_TRUE(pipeline) << error;
  EXPECT_TRUE(set_bitrate(pipeline.get(), model, 2500));
  EXPECT_EQ(target_bitrate(pipeline), 2500000);
}

TEST_F(PipelineBuilder, ARateThatTheEncoderCannotTakeChangesNothing) {
  const auto pipeline = build_pipeline(model, {}, error);
  ASSERT_TRUE(pipeline) << error;
  EXPECT_FALSE(set_bitrate(pipeline.get(), model, 4000000));  // more than an int of bit/s
  EXPECT_EQ(target_bitrate(pipeline), 8000000);
  model.bitrate_property.clear();
  EXPECT_FALSE(set_bitrate(pipeline.get(), model, 2500));
}

TEST_F(PipelineBuilder, WhatDoesNotFitIsNamed) {
  model.video[2].properties[0] = {"end-usage", "often", "p:3: [encoder vp8enc] end-usage"};
  EXPECT_FALSE(build_pipeline(model, {}, error));
  EXPECT_EQ(error, "p:3: [encoder vp8enc] end-usage: 'often' does not fit; allowed is one of vbr, cbr, cq");

  model = make_test_model();
  model.video[1].properties[0].value = "audio/x-raw";
  EXPECT_FALSE(build_pipeline(model, {}, error));
  EXPECT_EQ(error.find("these elements do not fit together: "), 0U) << error;

  model = make_test_model();
  model.video[0].factory = "nosuchsrc";
  EXPECT_FALSE(build_pipeline(model, {}, error));
  EXPECT_EQ(error, "no element \"nosuchsrc\"");
}

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  for (const char* name : {"vp8enc", "videotestsrc"})
    if (!element_exists(name)) {
      std::printf("SKIP: there is no %s\n", name);
      return 77;
    }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
