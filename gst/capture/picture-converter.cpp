// SPDX-License-Identifier: LGPL-2.1-or-later
// Conversion by libyuv (BT.601) and by our own rows (BT.709), one rectangle at a time.
#include "capture/picture-converter.h"

#include <libyuv.h>

#include <cassert>
#include <cstring>

#include "capture/row-bt709.h"

namespace vitrine {
namespace {

uint8_t* sample(const PictureLayout& layout, uint8_t* picture, int plane, int x, int y) {
  const Plane& p = layout.planes[plane];
  return picture + p.offset + static_cast<size_t>(y >> p.y_shift) * p.stride +
         (x >> p.x_shift) * p.bytes_per_sample;
}

struct Target {
  uint8_t* data[3] = {};
  int stride[3] = {};
};

Target target_at(const PictureLayout& layout, uint8_t* picture, const Rect& rect) {
  Target target;
  for (int plane = 0; plane < layout.plane_count; plane++) {
    target.data[plane] = sample(layout, picture, plane, rect.x, rect.y);
    target.stride[plane] = layout.planes[plane].stride;
  }
  return target;
}

void convert_bt601(const PixelView& source, PixelFormat format, const Target& to, int width, int height) {
  const int stride = static_cast<int>(source.stride);
  switch (format) {
    case PixelFormat::kNv12:
      libyuv::ARGBToNV12(source.data, stride, to.data[0], to.stride[0], to.data[1], to.stride[1], width,
                         height);
      break;
    case PixelFormat::kI420:
      libyuv::ARGBToI420(source.data, stride, to.data[0], to.stride[0], to.data[1], to.stride[1], to.data[2],
                         to.stride[2], width, height);
      break;
    case PixelFormat::kY444:
      libyuv::ARGBToI444(source.data, stride, to.data[0], to.stride[0], to.data[1], to.stride[1], to.data[2],
                         to.stride[2], width, height);
      break;
    case PixelFormat::kBgrx:
      break;
  }
}

void convert_bt709(const PixelView& source, PixelFormat format, const Target& to, int width, int height) {
  const Bt709Rows& rows = bt709_rows();
  if (format == PixelFormat::kY444) {
    for (int y = 0; y < height; y++) {
      const uint8_t* line = source.data + y * source.stride;
      rows.luma(line, to.data[0] + static_cast<size_t>(y) * to.stride[0], width);
      rows.chroma_full(line, to.data[1] + static_cast<size_t>(y) * to.stride[1],
                       to.data[2] + static_cast<size_t>(y) * to.stride[2], width);
    }
    return;
  }
  for (int y = 0; y < height; y += 2) {
    const uint8_t* top = source.data + y * source.stride;
    const uint8_t* bottom = y + 1 < height ? top + source.stride : top;
    uint8_t* luma = to.data[0] + static_cast<size_t>(y) * to.stride[0];
    rows.luma(top, luma, width);
    if (bottom != top)
      rows.luma(bottom, luma + to.stride[0], width);
    uint8_t* u = to.data[1] + static_cast<size_t>(y / 2) * to.stride[1];
    if (format == PixelFormat::kNv12)
      rows.chroma_interleaved(top, bottom, u, width);
    else
      rows.chroma_planar(top, bottom, u, to.data[2] + static_cast<size_t>(y / 2) * to.stride[2], width);
  }
}

[[maybe_unused]] bool is_aligned(const Rect& rect, Size size) {  // in assertions alone
  return rect.x % 2 == 0 && rect.y % 2 == 0 && (rect.width % 2 == 0 || rect.right() == size.width) &&
         (rect.height % 2 == 0 || rect.bottom() == size.height) && intersect(rect, whole(size)) == rect;
}

}  // namespace

void convert_rect(const PixelView& source, const Rect& rect, const PictureLayout& layout, uint8_t* picture) {
  assert(is_aligned(rect, layout.size));
  const Target target = target_at(layout, picture, rect);
  if (layout.format == PixelFormat::kBgrx) {
    for (int y = 0; y < rect.height; y++)
      std::memcpy(target.data[0] + static_cast<size_t>(y) * target.stride[0], source.data + y * source.stride,
                  static_cast<size_t>(rect.width) * 4);
  } else if (layout.matrix == ColorMatrix::kBt601) {
    convert_bt601(source, layout.format, target, rect.width, rect.height);
  } else {
    convert_bt709(source, layout.format, target, rect.width, rect.height);
  }
}

void copy_rect(const uint8_t* from, const Rect& rect, const PictureLayout& layout, uint8_t* to) {
  assert(is_aligned(rect, layout.size));
  for (int plane = 0; plane < layout.plane_count; plane++) {
    const Plane& p = layout.planes[plane];
    const int columns = ((rect.width + (1 << p.x_shift) - 1) >> p.x_shift) * p.bytes_per_sample;
    const int rows = (rect.height + (1 << p.y_shift) - 1) >> p.y_shift;
    const size_t start = p.offset + static_cast<size_t>(rect.y >> p.y_shift) * p.stride +
                         static_cast<size_t>(rect.x >> p.x_shift) * p.bytes_per_sample;
    for (int y = 0; y < rows; y++) {
      const size_t at = start + static_cast<size_t>(y) * p.stride;
      std::memcpy(to + at, from + at, columns);
    }
  }
}

ColorMatrix preferred_matrix() {
  return bt709_rows_avx2() ? ColorMatrix::kBt709 : ColorMatrix::kBt601;
}

}  // namespace vitrine
