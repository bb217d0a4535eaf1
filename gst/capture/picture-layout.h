// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the samples of a picture lie in one block of memory, as GStreamer lays video frames out by default.
#pragma once

#include <cstddef>

#include "capture/geometry.h"

namespace vitrine {

enum class PixelFormat { kNv12, kI420, kBgrx, kY444 };

/// Which RGB to YCbCr equation was used; both give limited range.
enum class ColorMatrix { kBt601, kBt709 };

struct Plane {
  size_t offset = 0;
  int stride = 0;
  int bytes_per_sample = 1;
  int x_shift = 0;  // pixels per sample, as a power of two
  int y_shift = 0;
  bool operator==(const Plane&) const = default;
};

struct PictureLayout {
  PixelFormat format = PixelFormat::kNv12;
  ColorMatrix matrix = ColorMatrix::kBt709;
  Size size;
  int plane_count = 0;
  Plane planes[3];
  size_t bytes = 0;

  bool operator==(const PictureLayout&) const = default;
  static PictureLayout make(PixelFormat format, ColorMatrix matrix, Size size);
};

inline PictureLayout PictureLayout::make(PixelFormat format, ColorMatrix matrix, Size size) {
  const auto up = [](int value, int to) { return (value + to - 1) / to * to; };
  PictureLayout layout{format, matrix, size, 0, {}, 0};
  const auto add = [&layout](int stride, int rows, int bytes_per_sample, int shift) {
    layout.planes[layout.plane_count++] = {layout.bytes, stride, bytes_per_sample, shift, shift};
    layout.bytes += static_cast<size_t>(stride) * rows;
  };
  const int even_width = up(size.width, 2);
  const int even_height = up(size.height, 2);
  const int luma_stride = up(size.width, 4);
  switch (format) {
    case PixelFormat::kBgrx:
      add(size.width * 4, size.height, 4, 0);
      break;
    case PixelFormat::kY444:
      for (int plane = 0; plane < 3; plane++)
        add(luma_stride, size.height, 1, 0);
      break;
    case PixelFormat::kNv12:
      add(luma_stride, even_height, 1, 0);
      add(luma_stride, even_height / 2, 2, 1);
      break;
    case PixelFormat::kI420:
      add(luma_stride, even_height, 1, 0);
      add(up(even_width / 2, 4), even_height / 2, 1, 1);
      add(up(even_width / 2, 4), even_height / 2, 1, 1);
      break;
  }
  return layout;
}

}  // namespace vitrine
