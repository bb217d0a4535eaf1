// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures before a real encoder: which of them pass while somebody watches, while nobody does, and where the encoder feeds a file too.
#include "webrtc/frame-hold.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

namespace vitrine {
namespace {

constexpr int64_t kMs = 1000;

/// 60 pictures per second into x264enc; counts what comes out.
class Encoded {
 public:
  explicit Encoded(const std::string& behind) {
    gst_init(nullptr, nullptr);
    const std::string line = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=60/1 ! videoconvert ! x264enc tune=zerolatency "
                             "speed-preset=ultrafast ! " + behind;
    pipeline_ = Ref<GstElement>::adopt(gst_parse_launch(line.c_str(), nullptr));
    auto end = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "end"));
    encoded_ = Ref<GstPad>::adopt(gst_element_get_static_pad(end.get(), "sink"));
    gst_pad_add_probe(
        encoded_.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo*, gpointer units) {
          ++*static_cast<std::atomic<int>*>(units);
          return GST_PAD_PROBE_OK;
        },
        &units_, nullptr);
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    gst_element_get_state(pipeline_.get(), nullptr, nullptr, GST_CLOCK_TIME_NONE);
  }
  ~Encoded() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  GstPad* pad() const { return encoded_.get(); }
  /// More units have come within five seconds.
  bool flows() const {
    for (int i = 0, before = units_; i < 500; ++i, g_usleep(10 * kMs))
      if (units_ > before + 2)
        return true;
    return false;
  }
  /// None come for a while, once those that were on their way have.
  bool stands() const {
    g_usleep(200 * kMs);
    const int before = units_;
    g_usleep(500 * kMs);
    return units_ == before;
  }

 private:
  Ref<GstElement> pipeline_;
  Ref<GstPad> encoded_;
  std::atomic<int> units_{0};
};

TEST(FrameHold, NothingPassesWhileNobodyWatchesAndTheNewestIsOwed) {
  const Encoded encoded("fakesink name=end");
  ASSERT_TRUE(encoded.flows());
  FrameHold hold;
  const auto log = std::make_shared<PictureLog>();
  EXPECT_TRUE(hold.follow(encoded.pad(), log));
  EXPECT_FALSE(hold.follow(encoded.pad(), log)) << "the same encoder";
  EXPECT_TRUE(encoded.flows()) << "everything passes until something else is said";
  hold.set_watched(false);
  EXPECT_TRUE(encoded.stands());
  EXPECT_TRUE(hold.owes());
  EXPECT_FALSE(hold.released(g_get_monotonic_time()));
  EXPECT_EQ(hold.left_out(), 0u) << "nobody missed them";
  hold.set_watched(true);
  // Either a picture has come by itself since, or this one is owed.
  EXPECT_TRUE(hold.released(g_get_monotonic_time()) || !hold.owes());
  EXPECT_TRUE(encoded.flows());
}

TEST(FrameHold, AnEncoderThatFeedsAFileTooGoesOn) {
  const Encoded encoded("tee name=t ! queue ! fakesink t. ! queue ! fakesink name=end");
  ASSERT_TRUE(encoded.flows());
  FrameHold hold;
  EXPECT_TRUE(hold.follow(encoded.pad(), std::make_shared<PictureLog>()));
  hold.set_watched(false);
  EXPECT_TRUE(encoded.flows());
}

TEST(FrameHold, KeepsAFramerate) {
  const Encoded encoded("fakesink name=end");
  ASSERT_TRUE(encoded.flows());
  FrameHold hold;
  EXPECT_TRUE(hold.follow(encoded.pad(), std::make_shared<PictureLog>()));
  hold.set_framerate(5);
  for (int i = 0; i < 500 && hold.left_out() <= 20; ++i)
    g_usleep(10 * kMs);
  EXPECT_GT(hold.left_out(), 20u);
  EXPECT_TRUE(encoded.flows());
}

}  // namespace
}  // namespace vitrine
