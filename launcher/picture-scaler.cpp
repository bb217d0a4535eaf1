// SPDX-License-Identifier: LGPL-2.1-or-later
// Caps of a filter.
#include "picture-scaler.h"

#include <algorithm>
#include <atomic>

#include "common/ref.h"
#include "pipeline-model.h"

namespace vitrine {
namespace {

/// Encoders want pairs of pixels.
int scaled(int length, double scale) { return std::max(2, static_cast<int>(length * scale / 2) * 2); }

}  // namespace

struct PictureScaler::State {
  Ref<GstElement> filter;
  std::atomic<double> wanted{1};
  double done = 1;  // of the streaming thread alone, as what follows

  void filter_for(const GstCaps* pictures) {
    done = wanted;
    int width = 0, height = 0;
    const GstStructure* picture = pictures ? gst_caps_get_structure(pictures, 0) : nullptr;
    auto caps = Ref<GstCaps>::adopt(gst_caps_new_any());
    if (done < 1 && picture && gst_structure_get_int(picture, "width", &width) && gst_structure_get_int(picture, "height", &height))
      caps = Ref<GstCaps>::adopt(gst_caps_new_full(
          // Rounding to whole pixels must not make them oblong.
          gst_structure_new("video/x-raw", "width", G_TYPE_INT, scaled(width, done), "height", G_TYPE_INT, scaled(height, done),
                            "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr),
          nullptr));
    if (!gst_caps_is_any(caps.get()))
      gst_caps_set_features_simple(caps.get(), gst_caps_features_new_any());
    g_object_set(filter.get(), "caps", caps.get(), nullptr);
  }
};

std::unique_ptr<PictureScaler> PictureScaler::find(GstBin* bin) {
  const auto scaler = Ref<GstElement>::adopt(gst_bin_get_by_name(bin, kScaler));
  auto filter = Ref<GstElement>::adopt(gst_bin_get_by_name(bin, kScaled));
  const auto sink = scaler ? Ref<GstPad>::adopt(gst_element_get_static_pad(scaler.get(), "sink")) : Ref<GstPad>();
  if (!sink || !filter)
    return nullptr;
  auto state = std::make_shared<State>();
  state->filter = std::move(filter);
  gst_pad_add_probe(
      sink.get(), GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      [](GstPad* pad, GstPadProbeInfo* info, gpointer data) {
        State& own = **static_cast<std::shared_ptr<State>*>(data);
        if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
          if (own.done != own.wanted)
            own.filter_for(Ref<GstCaps>::adopt(gst_pad_get_current_caps(pad)).get());
        } else if (GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info); GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
          // The display has another size.
          GstCaps* caps = nullptr;
          gst_event_parse_caps(event, &caps);
          own.filter_for(caps);
        }
        return GST_PAD_PROBE_OK;
      },
      new std::shared_ptr<State>(state), [](gpointer data) { delete static_cast<std::shared_ptr<State>*>(data); });
  return std::unique_ptr<PictureScaler>(new PictureScaler(std::move(state)));
}

void PictureScaler::set(double scale) { state_->wanted = std::clamp(scale, 0.1, 1.0); }

}  // namespace vitrine
