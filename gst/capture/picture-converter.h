// SPDX-License-Identifier: LGPL-2.1-or-later
// Rectangles of BGRx pixels into a picture of the negotiated format.
#pragma once

#include <cstdint>

#include "capture/frame-source.h"
#include "capture/picture-layout.h"

namespace vitrine {

/// Converts the pixels that `source` shows into `rect` of the picture at `picture`. Thread-safe on distinct
/// pictures.
///
/// `rect` must start at even coordinates and end at even ones or at the picture's edge. Then many small calls
/// give the same bytes as one for the whole picture.
void convert_rect(const PixelView& source, const Rect& rect, const PictureLayout& layout, uint8_t* picture);

/// Copies `rect` between two pictures of the same layout; the same rule for `rect`.
void copy_rect(const uint8_t* from, const Rect& rect, const PictureLayout& layout, uint8_t* to);

/// The matrix to prefer here: BT.709 where vector code for it runs, else BT.601, for which libyuv has it
/// everywhere.
ColorMatrix preferred_matrix();

}  // namespace vitrine
