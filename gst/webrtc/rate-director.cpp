// SPDX-License-Identifier: LGPL-2.1-or-later
// Encoder targets.
#include "webrtc/rate-director.h"

#include <algorithm>
#include <utility>

namespace vitrine {
namespace {

constexpr unsigned kFramerateDefault = 60;
constexpr double kPixelsDefault = 1920.0 * 1080;

void read_caps(const Fanout& fanout, double& pixels, uint32_t& framerate) {
  pixels = kPixelsDefault;
  framerate = kFramerateDefault;
  const auto caps = fanout.caps();
  if (!caps || gst_caps_is_empty(caps.get()) || gst_caps_is_any(caps.get()))
    return;
  const GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
  int width = 0, height = 0, numerator = 0, denominator = 1;
  if (gst_structure_get_int(structure, "width", &width) && gst_structure_get_int(structure, "height", &height) && width > 0 && height > 0)
    pixels = static_cast<double>(width) * height;
  if (gst_structure_get_fraction(structure, "framerate", &numerator, &denominator) && numerator > 0 && denominator > 0)
    framerate = std::max(1u, static_cast<unsigned>(numerator / denominator));
}

}  // namespace

void RateDirector::tick(int64_t now_us, const std::vector<std::shared_ptr<Fanout>>& media, const std::vector<RatedViewer>& viewers,
                        const Watched& watched) {
  for (const auto& fanout : media) {
    const auto info = fanout->info();
    if (info && info->video)
      direct(now_us, *fanout, viewers, watched(*fanout));
  }
  std::erase_if(streams_, [&](const auto& entry) {
    return std::none_of(media.begin(), media.end(), [&](const auto& fanout) { return fanout->name() == entry.first; });
  });
}

void RateDirector::direct(int64_t now_us, Fanout& fanout, const std::vector<RatedViewer>& viewers, bool watched) {
  Stream& stream = streams_[fanout.name()];
  std::vector<ViewerDemand> demands;
  for (const auto& viewer : viewers)
    if (viewer.stream == &fanout)
      demands.push_back({viewer.rate->target_bps(), viewer.rate->repair_share(now_us), viewer.holds_control});
  const double shared = EncoderPolicy::shared_bps(demands);
  std::vector<std::shared_ptr<ViewerRate>> paths;
  for (const auto& viewer : viewers)
    if (viewer.stream == &fanout && viewer.rate->target_bps() >= 0.8 * shared)
      paths.push_back(viewer.rate);
  stream.hold.set_paths(std::move(paths));
  auto sink = Ref<GstPad>::adopt(gst_element_get_static_pad(fanout.element(), "sink"));
  if (stream.hold.follow(sink.get(), fanout.pictures()))
    stream.units_before = fanout.frames();
  // An encoder has to show first that it works, and what it makes: that is what viewers are offered.
  stream.hold.set_watched(watched || fanout.frames() == stream.units_before);
  double pixels = 0;
  uint32_t framerate = 0;
  read_caps(fanout, pixels, framerate);
  const bool released = stream.hold.released(now_us);
  stream.refinement.set_framerate(framerate);
  stream.unseen |= !watched && stream.hold.owes();
  const bool refine = !demands.empty() && (std::exchange(stream.unseen, false) || to_be_sharpened(now_us, stream, fanout, pixels, released));
  if (released || refine)
    gst_pad_push_event(sink.get(), gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                        gst_structure_new("vitrine-repeat-frame", "refine", G_TYPE_BOOLEAN, refine, nullptr)));
  pixels = stream.size.update(now_us, pixels, stream.scale);
  EncoderTarget target;
  if (stream.policy.update(now_us, demands, pixels, framerate, target)) {
    stream.hold.set_framerate(target.framerate);
    stream.scale = target.scale;
    stream.picture_bytes = target.bitrate_kbit * 125.0 / (target.framerate > 0 ? target.framerate : framerate);
    // Encoders share their bitrate out to as many pictures as their caps say, so that fewer pictures would use less of it.
    if (target.framerate > 0 && target.framerate < framerate)
      target.bitrate_kbit = target.bitrate_kbit * framerate / target.framerate;
    tell_(fanout.name(), target);
  }
}

bool RateDirector::to_be_sharpened(int64_t now_us, Stream& stream, const Fanout& fanout, double pixels, bool released) const {
  // Encoders share the source, so that what one asks for all get; two that encode all the time leave viewers on few processors without pictures.
  if (streams_.size() > 1)
    return false;
  // What is left out is not sharpened: there is no room for it, or there are to be fewer pictures.
  if (stream.hold.owes() && !released)
    return false;
  return stream.refinement.wanted(now_us, fanout.last_unit(), pixels, stream.picture_bytes, released);
}

uint64_t RateDirector::left_out(const Fanout& stream) const {
  const auto found = streams_.find(stream.name());
  return found == streams_.end() ? 0 : found->second.hold.left_out();
}

}  // namespace vitrine
