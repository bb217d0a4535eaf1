// SPDX-License-Identifier: LGPL-2.1-or-later
// What rtpsession makes of PLI and FIR is heard at a payloader.
#include "webrtc/keyframe-requests.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <memory>

namespace {

TEST(KeyframeRequests, AreHeardAtAPayloaderAndNothingElseIs) {
  gst_init(nullptr, nullptr);
  std::unique_ptr<GstHarness, void (*)(GstHarness*)> harness(gst_harness_new_parse("rtpvp8pay"), gst_harness_teardown);
  gst_harness_set_src_caps_str(harness.get(), "video/x-vp8");
  GstPad* peer = gst_pad_get_peer(harness->sinkpad);
  int lost = 0;
  vitrine::watch_keyframe_requests(peer, [&lost] { ++lost; });
  gst_object_unref(peer);

  const auto send = [&](GstEvent* event) { gst_harness_push_upstream_event(harness.get(), event); };
  // As gst_rtp_session_request_remote_key_unit() and its like write it.
  send(gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new("GstForceKeyUnit", "ssrc", G_TYPE_UINT, 7u, "all-headers", G_TYPE_BOOLEAN,
                                                                         TRUE, "count", G_TYPE_UINT, 0u, nullptr)));
  EXPECT_EQ(lost, 1);
  send(gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  EXPECT_EQ(lost, 2);
  send(gst_event_new_reconfigure());
  send(gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("GstRTPRetransmissionRequest")));
  EXPECT_EQ(lost, 2);
}

}  // namespace
