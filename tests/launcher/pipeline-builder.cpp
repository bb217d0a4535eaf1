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
  gint target_bitrate() const {
    const auto encoder = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(bin.get()), "encoder"));
    gint value = -1;
    g_object_get(encoder.get(), "target-bitrate", &value, nullptr);
    return value;
  }
  bool build() {
    bin = Ref<GstElement>::sink(gst_bin_new(nullptr));
    return build_chain(GST_BIN(bin.get()), model.video, first, last, error);
  }
  PipelineModel model = make_test_model();
  Ref<GstElement> bin;
  GstElement* first = nullptr;
  GstElement* last = nullptr;
  std::string error;
};

}  // namespace

TEST_F(PipelineBuilder, AChainIsMadeAndLinked) {
  ASSERT_TRUE(build()) << error;
  EXPECT_EQ(target_bitrate(), 8000000);
  EXPECT_STREQ(GST_OBJECT_NAME(first), "capture");
  EXPECT_STREQ(GST_OBJECT_NAME(last), "encoder");
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(last, "sink"));
  EXPECT_TRUE(gst_pad_is_linked(pad.get()));
}

TEST_F(PipelineBuilder, TheFrameTakesInputAlsoWithoutAnybodyToPlayIt) {
  const auto pipeline = build_frame(model, {"ada", "word"}, error);
  ASSERT_TRUE(pipeline) << error;
  const auto control = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "control"));
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(control.get(), "sink"));
  const auto peer = Ref<GstPad>::adopt(gst_pad_get_peer(pad.get()));
  ASSERT_TRUE(peer);
  EXPECT_STREQ(GST_PAD_NAME(peer.get()), "control_src");
  EXPECT_EQ(gst_pad_chain(pad.get(), gst_buffer_new()), GST_FLOW_FLUSHING) << "it is not started";
  gst_element_set_state(control.get(), GST_STATE_PLAYING);
  gst_pad_send_event(pad.get(), gst_event_new_stream_start("control"));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_send_event(pad.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(gst_pad_chain(pad.get(), gst_buffer_new()), GST_FLOW_OK);
  gst_element_set_state(control.get(), GST_STATE_NULL);
}

TEST_F(PipelineBuilder, ARateIsSetInTheEncodersUnit) {
  ASSERT_TRUE(build()) << error;
  EXPECT_TRUE(set_bitrate(bin.get(), model, 2500));
  EXPECT_EQ(target_bitrate(), 2500000);
}

TEST_F(PipelineBuilder, ARateThatTheEncoderCannotTakeChangesNothing) {
  ASSERT_TRUE(build()) << error;
  EXPECT_FALSE(set_bitrate(bin.get(), model, 4000000));  // more than an int of bit/s
  EXPECT_EQ(target_bitrate(), 8000000);
  model.bitrate_property.clear();
  EXPECT_FALSE(set_bitrate(bin.get(), model, 2500));
}

TEST_F(PipelineBuilder, WhatDoesNotFitIsNamed) {
  model.video[2].properties[0] = {"end-usage", "often", "p:3: [encoder vp8enc] end-usage"};
  EXPECT_FALSE(build());
  EXPECT_EQ(error, "p:3: [encoder vp8enc] end-usage: 'often' does not fit; allowed is one of vbr, cbr, cq");

  model = make_test_model();
  model.video[1].properties[0].value = "audio/x-raw";
  EXPECT_FALSE(build());
  EXPECT_EQ(error.find("these elements do not fit together: "), 0U) << error;

  model = make_test_model();
  model.video[0].factory = "nosuchsrc";
  EXPECT_FALSE(build());
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
