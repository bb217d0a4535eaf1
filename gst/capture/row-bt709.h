// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows of BGRx to limited-range BT.709 samples. Every implementation gives the same bytes.
#pragma once

#include <cstdint>

namespace vitrine {

/// Functions of one implementation. Widths are in pixels of the source.
struct Bt709Rows {
  const char* name;
  /// One row of luma.
  void (*luma)(const uint8_t* bgrx, uint8_t* y, int width);
  /// One row of chroma out of two rows of pixels (pass the same row twice at an odd bottom edge); (width + 1)
  /// / 2 samples.
  void (*chroma_planar)(const uint8_t* top, const uint8_t* bottom, uint8_t* u, uint8_t* v, int width);
  void (*chroma_interleaved)(const uint8_t* top, const uint8_t* bottom, uint8_t* uv, int width);
  /// One row of chroma in full resolution.
  void (*chroma_full)(const uint8_t* bgrx, uint8_t* u, uint8_t* v, int width);
};

extern const Bt709Rows kBt709RowsPortable;
/// Null on processors without AVX2.
const Bt709Rows* bt709_rows_avx2();
/// The fastest that this processor can run.
const Bt709Rows& bt709_rows();

}  // namespace vitrine
