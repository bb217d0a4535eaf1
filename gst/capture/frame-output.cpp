// SPDX-License-Identifier: LGPL-2.1-or-later
// The metas that every captured picture carries.
#include "capture/frame-output.h"

namespace vitrine {
namespace {

constexpr size_t kMostRegions = 16;

GstCaps* capture_clock() {
  static GstStaticCaps caps = GST_STATIC_CAPS("timestamp/x-vitrine-capture");
  return gst_static_caps_get(&caps);
}

}  // namespace

void add_capture_metas(GstBuffer* buffer, const DamageGrid* damage,
                       FrameOutput::Clock::time_point captured_at) {
  if (damage) {
    for (const Rect& rect : damage->rects(kMostRegions))
      gst_buffer_add_video_region_of_interest_meta(buffer, "damage", rect.x, rect.y, rect.width, rect.height);
  }
  const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(captured_at.time_since_epoch());
  gst_buffer_add_reference_timestamp_meta(buffer, capture_clock(), time.count(), GST_CLOCK_TIME_NONE);
}

}  // namespace vitrine
