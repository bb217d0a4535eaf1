// SPDX-License-Identifier: LGPL-2.1-or-later
// Caps and buffers of pictures in main memory.
#include "capture/system-output.h"

#include "capture/picture-converter.h"

namespace vitrine {
namespace {

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

Ref<GstMemory> wrap_frame(std::shared_ptr<const Frame> frame) {
  auto* holder = new std::shared_ptr<const Frame>(std::move(frame));
  const Frame& held = **holder;
  return Ref<GstMemory>::adopt(gst_memory_new_wrapped(
      GST_MEMORY_FLAG_READONLY, const_cast<uint8_t*>(held.data()), held.bytes(), 0, held.bytes(), holder,
      [](gpointer data) { delete static_cast<std::shared_ptr<const Frame>*>(data); }));
}

}  // namespace

Ref<GstCaps> SystemOutput::caps(Size size) const {
  Ref<GstCaps> caps = Ref<GstCaps>::adopt(gst_caps_new_empty());
  for (PixelFormat format : {PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgrx, PixelFormat::kY444})
    append(caps.get(), format, size);
  return caps;
}

void SystemOutput::stop() {
  memory_.reset();
  canvas_.reset();
}

bool SystemOutput::layout(const GstVideoInfo& info, PictureLayout* layout) const {
  const ColorMatrix matrix =
      info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT601 ? ColorMatrix::kBt601 : ColorMatrix::kBt709;
  for (PixelFormat format :
       {PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgrx, PixelFormat::kY444}) {
    if (gst_format(format) != GST_VIDEO_INFO_FORMAT(&info))
      continue;
    *layout = PictureLayout::make(format, matrix, {info.width, info.height});
    return true;
  }
  return false;
}

bool SystemOutput::decide_allocation(GstQuery* query) {
  while (gst_query_get_n_allocation_pools(query) > 0)
    gst_query_remove_nth_allocation_pool(query, 0);
  return true;
}

Canvas& SystemOutput::renew(const PictureLayout& layout, Point origin) {
  memory_.reset();
  canvas_ = std::make_unique<FrameCanvas>(layout, origin.x, origin.y);
  return *canvas_;
}

Ref<GstBuffer> SystemOutput::finish(GstBaseSrc* element, DamageGrid* damage, GstFlowReturn* flow) {
  memory_ = wrap_frame(canvas_->finish(damage));
  return again(element, flow);
}

Ref<GstBuffer> SystemOutput::again(GstBaseSrc*, GstFlowReturn*) {
  const PictureLayout& layout = canvas_->layout();
  Ref<GstBuffer> buffer = Ref<GstBuffer>::adopt(gst_buffer_new());
  gst_buffer_append_memory(buffer.get(), gst_memory_ref(memory_.get()));
  gsize offsets[GST_VIDEO_MAX_PLANES] = {};
  gint strides[GST_VIDEO_MAX_PLANES] = {};
  for (int plane = 0; plane < layout.plane_count; plane++) {
    offsets[plane] = layout.planes[plane].offset;
    strides[plane] = layout.planes[plane].stride;
  }
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, gst_format(layout.format),
                                 layout.size.width, layout.size.height, layout.plane_count, offsets, strides);
  return buffer;
}

}  // namespace vitrine
