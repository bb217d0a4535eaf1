// SPDX-License-Identifier: LGPL-2.1-or-later
// rtpdesktopcc alone, fed as rtpsession feeds it.
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <memory>

namespace {

struct HarnessEnd {
  void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
};

class RtpDesktopCc : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  void SetUp() override {
    GstElement* element = gst_element_factory_make("rtpdesktopcc", nullptr);
    ASSERT_TRUE(element);
    harness_.reset(gst_harness_new_with_element(element, "sink", "src"));
    gst_object_unref(element);
    gst_harness_set_src_caps_str(harness_.get(), "application/x-rtp");
  }
  guint estimate() const {
    guint bps = 0;
    g_object_get(harness_->element, "estimated-bitrate", &bps, nullptr);
    return bps;
  }
  guint64 taken_of(const char* field) const {
    GstStructure* stats = nullptr;
    g_object_get(harness_->element, "stats", &stats, nullptr);
    guint64 value = 0;
    gst_structure_get_uint64(stats, field, &value);
    gst_structure_free(stats);
    return value;
  }
  double loss() const {
    GstStructure* stats = nullptr;
    g_object_get(harness_->element, "stats", &stats, nullptr);
    double value = 0;
    gst_structure_get_double(stats, "loss", &value);
    gst_structure_free(stats);
    return value;
  }
  /// An RTP packet goes through; with header extensions or without.
  void packet(bool extended) {
    GstBuffer* buffer = gst_harness_create_buffer(harness_.get(), 1200);
    gst_buffer_memset(buffer, 0, extended ? 0x90 : 0x80, 1);
    ASSERT_EQ(gst_harness_push(harness_.get(), buffer), GST_FLOW_OK);
    gst_buffer_unref(gst_harness_pull(harness_.get()));
  }
  /// Feedback for one frame: `packets` left together at `sent_ms` and arrived 1200 bytes at a time over a link of `mbit`. Every `lost_every`th did not.
  void frame(guint packets, guint64 sent_ms, double mbit, guint lost_every = 0) {
    GValue list = G_VALUE_INIT;
    g_value_init(&list, g_type_from_name("GValueArray"));
    G_GNUC_BEGIN_IGNORE_DEPRECATIONS
    GValueArray* array = g_value_array_new(packets);
    for (guint i = 0; i < packets; ++i) {
      const auto arrival_ns = static_cast<guint64>((static_cast<double>(sent_ms) + 1200 * 8.0 * (i + 1) / mbit / 1000) * 1e6);
      const bool lost = lost_every != 0 && i % lost_every == lost_every - 1;
      GstStructure* packet = gst_structure_new("RTPTWCCPacket", "seqnum", G_TYPE_UINT, sequence_++, "local-ts", G_TYPE_UINT64, sent_ms * GST_MSECOND,
                                               "remote-ts", G_TYPE_UINT64, lost ? GST_CLOCK_TIME_NONE : arrival_ns + 3600 * GST_SECOND, "size",
                                               G_TYPE_UINT, 1200, "lost", G_TYPE_BOOLEAN, lost, nullptr);
      GValue value = G_VALUE_INIT;
      g_value_init(&value, GST_TYPE_STRUCTURE);
      gst_value_set_structure(&value, packet);
      g_value_array_append(array, &value);
      g_value_unset(&value);
      gst_structure_free(packet);
    }
    g_value_take_boxed(&list, array);
    G_GNUC_END_IGNORE_DEPRECATIONS
    GstStructure* structure = gst_structure_new_empty("RTPTWCCPackets");
    gst_structure_take_value(structure, "packets", &list);
    gst_harness_push_upstream_event(harness_.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure));
  }

  std::unique_ptr<GstHarness, HarnessEnd> harness_;
  guint sequence_ = 0;
};

TEST_F(RtpDesktopCc, PassesPacketsOnUnchanged) {
  for (int i = 0; i < 5; ++i) {
    GstBuffer* buffer = gst_harness_create_buffer(harness_.get(), 100);
    gst_buffer_memset(buffer, 0, static_cast<guint8>(i), 100);
    ASSERT_EQ(gst_harness_push(harness_.get(), buffer), GST_FLOW_OK);
    GstBuffer* out = gst_harness_pull(harness_.get());
    EXPECT_EQ(out, buffer);
    gst_buffer_unref(out);
  }
}

TEST_F(RtpDesktopCc, KeepsItsEstimateWithoutFeedback) {
  EXPECT_EQ(estimate(), 4'000'000u);
  g_object_set(harness_->element, "max-bitrate", 2'000'000u, nullptr);
  EXPECT_EQ(estimate(), 2'000'000u);
}

TEST_F(RtpDesktopCc, FeedbackRaisesTheEstimateAndListenersHearOfIt) {
  int notified = 0;
  g_signal_connect(harness_->element, "notify::estimated-bitrate", G_CALLBACK(+[](GstElement*, GParamSpec*, int* count) { ++*count; }), &notified);
  // The element reads the clock when feedback comes: the packets left just before.
  for (int i = 0; i < 30; ++i) {
    frame(20, static_cast<guint64>(g_get_monotonic_time() / 1000) - 20, 40);
    g_usleep(50'000);
  }
  EXPECT_GT(estimate(), 8'000'000u);
  EXPECT_LT(estimate(), 42'000'000u);
  EXPECT_GT(notified, 3);
}

TEST_F(RtpDesktopCc, LostPacketsAreCountedOnce) {
  for (int i = 0; i < 30; ++i) {
    frame(20, static_cast<guint64>(g_get_monotonic_time() / 1000) - 20, 40, 5);
    g_usleep(50'000);
  }
  EXPECT_NEAR(loss(), 0.2, 0.01);
  EXPECT_EQ(taken_of("clock-steps"), 0u);
  EXPECT_EQ(taken_of("feedback-taken"), 30u);
}

TEST_F(RtpDesktopCc, FallsWhenFeedbackDoesNotCome) {
  const auto send = [this](bool extended, int packets) {
    for (int i = 0; i < packets; ++i) {
      packet(extended);
      g_usleep(20'000);
    }
  };
  send(true, 60);
  EXPECT_EQ(estimate(), 4'000'000u) << "nobody has ever told anything";
  for (int i = 0; i < 3; ++i) {
    frame(4, static_cast<guint64>(g_get_monotonic_time() / 1000) - 20, 40);
    g_usleep(50'000);
  }
  const guint before = estimate();
  send(false, 60);
  EXPECT_EQ(estimate(), before) << "without a number there is no feedback";
  send(true, 60);
  EXPECT_LT(estimate(), before * 8 / 10);
}

TEST_F(RtpDesktopCc, IgnoresEventsThatAreNoFeedback) {
  GstStructure* odd = gst_structure_new("RTPTWCCPackets", "packets", G_TYPE_STRING, "no list", nullptr);
  gst_harness_push_upstream_event(harness_.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, odd));
  gst_harness_push_upstream_event(harness_.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("RTPTWCCPackets")));
  EXPECT_EQ(estimate(), 4'000'000u);
  EXPECT_EQ(taken_of("clock-steps"), 0u);
}

}  // namespace
