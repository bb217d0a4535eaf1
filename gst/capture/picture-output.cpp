// SPDX-License-Identifier: LGPL-2.1-or-later
// Caps, buffers and metas of captured pictures.
#include "capture/picture-output.h"

#include "capture/picture-converter.h"

namespace vitrine {
namespace {

constexpr size_t kMostRegions = 16;

GstVideoFormat gst_format(PixelFormat format) {
  switch (format) {
    case PixelFormat::kNv12:
      return GST_VIDEO_FORMAT_NV12;
    case PixelFormat::kI420:
      return GST_VIDEO_FORMAT_I420;
    case PixelFormat::kY444:
      return GST_VIDEO_FORMAT_Y444;
    case PixelFormat::kBgrx:
      break;
  }
  return GST_VIDEO_FORMAT_BGRx;
}

void append(GstCaps* caps, PixelFormat format, Size size) {
  GstStructure* structure = gst_structure_new("video/x-raw", "format", G_TYPE_STRING,
                                              gst_video_format_to_string(gst_format(format)), "framerate",
                                              GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, nullptr);
  if (size.empty())
    gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE, 1,
                      G_MAXINT, nullptr);
  else
    gst_structure_set(structure, "width", G_TYPE_INT, size.width, "height", G_TYPE_INT, size.height,
                      "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
  if (format != PixelFormat::kBgrx) {
    const bool bt709_first = preferred_matrix() == ColorMatrix::kBt709;
    GValue list = G_VALUE_INIT;
    GValue name = G_VALUE_INIT;
    g_value_init(&list, GST_TYPE_LIST);
    g_value_init(&name, G_TYPE_STRING);
    for (const bool bt709 : {bt709_first, !bt709_first}) {
      g_value_set_static_string(&name, bt709 ? GST_VIDEO_COLORIMETRY_BT709 : GST_VIDEO_COLORIMETRY_BT601);
      gst_value_list_append_value(&list, &name);
    }
    g_value_unset(&name);
    gst_structure_take_value(structure, "colorimetry", &list);
  }
  // A chroma sample is the mean of its four pixels: it sits amid them.
  if (format == PixelFormat::kNv12 || format == PixelFormat::kI420)
    gst_structure_set(structure, "chroma-site", G_TYPE_STRING, "jpeg", nullptr);
  gst_caps_append_structure(caps, structure);
}

GstCaps* capture_clock() {
  static GstStaticCaps caps = GST_STATIC_CAPS("timestamp/x-vitrine-capture");
  return gst_static_caps_get(&caps);
}

}  // namespace

Ref<GstCaps> output_caps(Size size) {
  Ref<GstCaps> caps = Ref<GstCaps>::adopt(gst_caps_new_empty());
  for (PixelFormat format : {PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgrx, PixelFormat::kY444})
    append(caps.get(), format, size);
  return caps;
}

std::optional<OutputFormat> output_format(const GstVideoInfo& info) {
  const ColorMatrix matrix =
      info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT601 ? ColorMatrix::kBt601 : ColorMatrix::kBt709;
  for (PixelFormat format :
       {PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgrx, PixelFormat::kY444}) {
    if (gst_format(format) == GST_VIDEO_INFO_FORMAT(&info))
      return OutputFormat{format, matrix};
  }
  return std::nullopt;
}

Ref<GstMemory> wrap_frame(std::shared_ptr<const Frame> frame) {
  auto* holder = new std::shared_ptr<const Frame>(std::move(frame));
  const Frame& held = **holder;
  return Ref<GstMemory>::adopt(gst_memory_new_wrapped(
      GST_MEMORY_FLAG_READONLY, const_cast<uint8_t*>(held.data()), held.bytes(), 0, held.bytes(), holder,
      [](gpointer data) { delete static_cast<std::shared_ptr<const Frame>*>(data); }));
}

Ref<GstBuffer> make_buffer(GstMemory* memory, const PictureLayout& layout, const DamageGrid* damage,
                           std::chrono::steady_clock::time_point captured_at) {
  Ref<GstBuffer> buffer = Ref<GstBuffer>::adopt(gst_buffer_new());
  gst_buffer_append_memory(buffer.get(), gst_memory_ref(memory));
  gsize offsets[GST_VIDEO_MAX_PLANES] = {};
  gint strides[GST_VIDEO_MAX_PLANES] = {};
  for (int plane = 0; plane < layout.plane_count; plane++) {
    offsets[plane] = layout.planes[plane].offset;
    strides[plane] = layout.planes[plane].stride;
  }
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, gst_format(layout.format),
                                 layout.size.width, layout.size.height, layout.plane_count, offsets, strides);
  if (damage) {
    for (const Rect& rect : damage->rects(kMostRegions))
      gst_buffer_add_video_region_of_interest_meta(buffer.get(), "damage", rect.x, rect.y, rect.width,
                                                   rect.height);
  }
  const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(captured_at.time_since_epoch());
  gst_buffer_add_reference_timestamp_meta(buffer.get(), capture_clock(), time.count(), GST_CLOCK_TIME_NONE);
  return buffer;
}

}  // namespace vitrine
