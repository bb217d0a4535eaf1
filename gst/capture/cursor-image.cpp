// SPDX-License-Identifier: LGPL-2.1-or-later
// Blending of the pointer.
#include "capture/cursor-image.h"

namespace vitrine {

void blend_cursor(const CursorSprite& sprite, const Rect& area, uint8_t* bgrx, size_t stride) {
  if (!sprite.image)
    return;
  const Rect cursor = sprite.rect();
  const Rect common = intersect(cursor, area);
  for (int y = common.y; y < common.bottom(); y++) {
    const uint32_t* from = sprite.image->argb.data() +
                           static_cast<size_t>(y - cursor.y) * sprite.image->size.width +
                           (common.x - cursor.x);
    uint8_t* to = bgrx + (y - area.y) * stride + static_cast<size_t>(common.x - area.x) * 4;
    for (int x = 0; x < common.width; x++, from++, to += 4) {
      const uint32_t argb = *from;
      const int through = 255 - static_cast<int>(argb >> 24);
      for (int channel = 0; channel < 3; channel++) {
        const int value =
            static_cast<int>(argb >> (channel * 8) & 0xff) + (to[channel] * through + 127) / 255;
        to[channel] = static_cast<uint8_t>(std::min(value, 255));
      }
    }
  }
}

}  // namespace vitrine
