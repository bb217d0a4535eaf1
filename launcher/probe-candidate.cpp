// SPDX-License-Identifier: LGPL-2.1-or-later
// appsrc ! candidate ! appsink, one picture at a time.
#include "probe-candidate.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/ref.h"
#include "keeper-plans.h"
#include "pipeline-builder.h"
#include "probe-stream.h"
#include "profile-check.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr unsigned kFrames = 30, kRequestAt = 10, kBitrateAt = 20;
// How long one picture may take: the first waits for the driver too.
constexpr GstClockTime kFirstPatience = 4 * GST_SECOND, kPatience = 500 * GST_MSECOND, kHeldPatience = 20 * GST_MSECOND;

/// A desktop that stands still, and on it a window with text that scrolls. Drawn once: what is measured is encoding.
class Desktop {
 public:
  explicit Desktop(Size size)
      : width_(static_cast<size_t>(size.width)), rows_(static_cast<size_t>(size.height) + kFrames * kStep), still_(width_ * rows_), text_(width_ * rows_) {
    for (size_t y = 0; y < rows_; ++y)
      for (size_t x = 0; x < width_; ++x) {
        const bool dot = is_dot(static_cast<unsigned>(x), static_cast<unsigned>(y));
        still_[y * width_ + x] = dot ? 200 : 60;
        text_[y * width_ + x] = dot ? 40 : 225;
      }
  }
  void draw(GstVideoFrame* frame, unsigned number) const {
    const auto height = static_cast<size_t>(GST_VIDEO_FRAME_HEIGHT(frame));
    auto* luma = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0));
    for (size_t y = 0; y < height; ++y) {
      uint8_t* row = luma + y * static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0));
      std::copy_n(&still_[y * width_], width_, row);
      if (y > height / 8 && y < height * 7 / 8)
        std::copy_n(&text_[(y + number * kStep) * width_], width_ / 2, row + width_ / 8);
    }
    for (unsigned plane = 1; plane < GST_VIDEO_FRAME_N_PLANES(frame); ++plane) {
      // NV12 has one plane of both, as many rows as I420's two.
      const auto rows = static_cast<size_t>(GST_VIDEO_FRAME_COMP_HEIGHT(frame, plane));
      std::fill_n(static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, plane)),
                  static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane)) * rows, uint8_t{120});
    }
  }

 private:
  static constexpr size_t kStep = 6;
  /// Cells of 8×16 with something like letters in most of them.
  static bool is_dot(unsigned x, unsigned y) {
    const unsigned cell = (y / 16 * 977U + x / 8) * 2654435761U;
    return y % 16 < 11 && x % 8 < 6 && (cell >> 30) != 0 && ((cell ^ (cell >> 7)) >> (y / 2 % 6 * 3 + x / 2 % 3) & 1) != 0;
  }
  const size_t width_, rows_;
  std::vector<uint8_t> still_, text_;
};

class Trial {
 public:
  Trial(const Profile& profile, Settings settings, Size size) : profile_(profile), settings_(std::move(settings)), size_(size), desktop_(size) {
    result_.codec = profile.codec;
    result_.encoder = profile.encoder.at(0).name;
  }
  ~Trial() {
    if (pipeline_)
      gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  ProbeResult run() {
    if (build() && start())
      encode();
    return std::move(result_);
  }

 private:
  bool fail(const std::string& why) {
    if (result_.problem.empty())
      result_.problem = why;
    return false;
  }
  bool build();
  bool start();
  void encode();
  void judge();
  Ref<GstBuffer> picture(unsigned number);
  void take(GstSample* sample);
  std::string error_on_bus();

  const Profile& profile_;
  const Settings settings_;
  const Size size_;
  const Desktop desktop_;
  ProbeResult result_;
  PipelineModel model_;
  GstVideoInfo info_{};
  Ref<GstElement> pipeline_;
  GstElement *source_ = nullptr, *sink_ = nullptr;
  std::vector<gint64> pushed_us_;
  std::vector<double> times_;
  std::vector<unsigned> keyframes_;  // numbers of outputs
  size_t bytes_ = 0;
};

bool Trial::build() {
  std::string error;
  const Profile alone = [this] {
    Profile one = profile_;
    one.capture = {ProfileElement{}};
    one.capture[0].name = one.capture[0].factory = "appsrc";
    return one;
  }();
  auto model = make_model(alone, settings_, "", static_cast<int>(g_get_num_processors()), element_exists, error);
  if (!model)
    return fail(error);
  model_ = std::move(*model);
  std::vector<ModelElement> chain = encode_chain(model_);
  chain.push_back({"capsfilter", "", {{"caps", sent_caps(profile_.codec), ""}}});
  chain.push_back({"appsink", "probe-sink", {{"sync", "false", ""}, {"async", "false", ""}, {"max-buffers", "0", ""}}});
  pipeline_ = Ref<GstElement>::sink(gst_pipeline_new("probe"));
  GstElement* first = nullptr;
  if (!build_chain(GST_BIN(pipeline_.get()), chain, first, sink_, error))
    return fail(error);
  // Screens come as I420 where an encoder takes that, as NV12 to most of those of GPUs.
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(first, "sink"));
  const auto caps = Ref<GstCaps>::adopt(gst_pad_query_caps(pad.get(), nullptr));
  for (const auto format : {GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12}) {
    gst_video_info_set_format(&info_, format, static_cast<guint>(size_.width), static_cast<guint>(size_.height));
    info_.fps_n = static_cast<int>(settings_.number("framerate"));
    info_.fps_d = 1;
    const auto mine = Ref<GstCaps>::adopt(gst_video_info_to_caps(&info_));
    if (!gst_caps_can_intersect(caps.get(), mine.get()))
      continue;
    source_ = gst_element_factory_make("appsrc", "probe-source");
    if (!source_)
      return fail(_("no element \"appsrc\"; on Debian: apt install gstreamer1.0-plugins-base"));
    g_object_set(source_, "caps", mine.get(), "format", GST_FORMAT_TIME, "is-live", TRUE, "max-bytes", guint64{0}, nullptr);
    gst_bin_add(GST_BIN(pipeline_.get()), source_);
    return gst_element_link_pads(source_, "src", first, "sink") || fail(_("takes no pictures of this size"));
  }
  return fail(_("takes neither I420 nor NV12 of this size"));
}

std::string Trial::error_on_bus() {
  const auto bus = Ref<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
  const auto message = Ref<GstMessage>::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  if (!message)
    return "";
  ErrorSlot error;
  gst_message_parse_error(message.get(), error.out(), nullptr);
  return error.message();
}

bool Trial::start() {
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
    return true;
  const std::string why = error_on_bus();
  return fail(why.empty() ? _("does not start") : why);
}

Ref<GstBuffer> Trial::picture(unsigned number) {
  auto buffer = Ref<GstBuffer>::adopt(gst_buffer_new_allocate(nullptr, info_.size, nullptr));
  GstVideoFrame frame;
  if (gst_video_frame_map(&frame, &info_, buffer.get(), GST_MAP_WRITE)) {
    desktop_.draw(&frame, number);
    gst_video_frame_unmap(&frame);
  }
  GST_BUFFER_PTS(buffer.get()) = gst_util_uint64_scale(number, GST_SECOND, static_cast<guint64>(info_.fps_n));
  GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / static_cast<guint64>(info_.fps_n);
  return buffer;
}

void Trial::take(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const unsigned number = result_.frames++;
  const double ms = static_cast<double>(g_get_monotonic_time() - pushed_us_.at(std::min<size_t>(number, pushed_us_.size() - 1))) / 1000;
  if (number == 0)
    result_.ms_first = ms;
  else
    times_.push_back(ms);
  if (number > 0)
    bytes_ += gst_buffer_get_size(buffer);
  if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    keyframes_.push_back(number);
  GstMapInfo map;
  if (number > 0 || profile_.codec != "H264" || !gst_buffer_map(buffer, &map, GST_MAP_READ))
    return;
  const auto unit = look_into_h264({map.data, map.size});
  gst_buffer_unmap(buffer, &map);
  if (!unit.sps || !unit.pps || !unit.idr)
    fail(_("the first access unit lacks SPS, PPS or IDR"));
  else if (const std::string why = low_latency_problem(*unit.sps); !why.empty())
    result_.remarks.push_back(why);
}

void Trial::encode() {
  unsigned pushed = 0;
  for (; pushed < kFrames; ++pushed) {
    if (pushed == kRequestAt)
      gst_element_send_event(sink_, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
    if (pushed == kBitrateAt && !model_.bitrate_property.empty() &&
        !set_bitrate(pipeline_.get(), model_, static_cast<unsigned>(settings_.number("bitrate")) / 2))
      fail(_("refuses another bitrate while it runs"));
    auto buffer = picture(pushed);
    pushed_us_.push_back(g_get_monotonic_time());
    if (gst_app_src_push_buffer(GST_APP_SRC(source_), buffer.release()) != GST_FLOW_OK)
      break;
    // Of one that gave nothing in all the time for its first picture there is nothing to wait for.
    const bool held = result_.frames < pushed && (pushed > 2 || result_.frames == 0);
    GstClockTime patience = pushed == 0 ? kFirstPatience : held ? kHeldPatience : kPatience;
    while (auto sample = Ref<GstSample>::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), patience))) {
      take(sample.get());
      patience = 0;
      if (result_.frames > pushed)
        break;
    }
    if (const std::string why = error_on_bus(); !why.empty()) {
      fail(why);
      return;
    }
  }
  // One that is only slow gives the rest now, one that holds it back does not.
  while (result_.frames < pushed) {
    const auto sample = Ref<GstSample>::adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), kPatience));
    if (!sample)
      break;
    take(sample.get());
  }
  result_.held = pushed - std::min(pushed, result_.frames);
  result_.measured = result_.frames > 0;
  judge();
}

void Trial::judge() {
  if (result_.frames == 0) {
    const std::string why = error_on_bus();
    fail(why.empty() ? _("nothing comes out") : why);
    return;
  }
  std::sort(times_.begin(), times_.end());
  result_.ms_per_frame = times_.empty() ? result_.ms_first : times_[times_.size() / 2];
  // The 95 % interval of a median, McGill, Tukey, Larsen 1978: notches in box plots.
  if (const size_t n = times_.size(); n > 0)
    result_.ms_noise = 1.57 * (times_[n * 3 / 4] - times_[n / 4]) / std::sqrt(static_cast<double>(n));
  if (result_.frames > 1)
    result_.kbit = static_cast<double>(bytes_) * 8 / 1000 * info_.fps_n / (result_.frames - 1);
  const auto keyframe_in = [this](unsigned from, unsigned to) {
    return std::any_of(keyframes_.begin(), keyframes_.end(), [=](unsigned number) { return number >= from && number < to; });
  };
  result_.keyframe_first = keyframe_in(0, 1);
  result_.keyframe_on_request = keyframe_in(kRequestAt, kRequestAt + 4);
  result_.bitrate_without_keyframe = !keyframe_in(kBitrateAt, kFrames);
  if (result_.held > 0)
    fail(std::string(_("holds pictures back:")) + " " + std::to_string(result_.held));
  else if (!result_.keyframe_first)
    fail(_("does not begin with a keyframe"));
  else if (!result_.keyframe_on_request && profile_.encoder[0].keyframe_on_request)
    fail(_("makes no keyframe when asked to"));
  if (!result_.keyframe_on_request)
    result_.remarks.push_back(_("no keyframe on request"));
  if (model_.bitrate_property.empty())
    result_.remarks.push_back(_("its bitrate cannot be changed while it runs"));
  else if (!result_.bitrate_without_keyframe)
    result_.remarks.push_back(_("each change of bitrate costs a keyframe"));
}

}  // namespace

ProbeResult try_candidate(const Profile& profile, const Settings& settings, Size size) { return Trial(profile, settings, size).run(); }

}  // namespace vitrine
