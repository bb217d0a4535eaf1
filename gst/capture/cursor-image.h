// SPDX-License-Identifier: LGPL-2.1-or-later
// The pointer's picture and how it is laid over pixels.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "capture/geometry.h"

namespace vitrine {

struct CursorImage {
  unsigned long serial = 0;
  Size size;
  int hot_x = 0;
  int hot_y = 0;
  std::vector<uint32_t> argb;  // premultiplied, row after row
};

/// A pointer at a place of the picture; no image means that none is shown.
struct CursorSprite {
  std::shared_ptr<const CursorImage> image;
  int x = 0;  // of the hot spot
  int y = 0;
  bool operator==(const CursorSprite&) const = default;
  Rect rect() const {
    return image ? Rect{x - image->hot_x, y - image->hot_y, image->size.width, image->size.height} : Rect{};
  }
};

/// Lays the pointer over BGRx pixels; `area` says which part of the picture they are.
void blend_cursor(const CursorSprite& sprite, const Rect& area, uint8_t* bgrx, size_t stride);

}  // namespace vitrine
