// SPDX-License-Identifier: LGPL-2.1-or-later
// The fake behind the frame source interface.
#include "capture/capture-fake.h"

namespace vitrine {

FakeSource::FakeSource(Size size) : size_(size), pixels_(static_cast<size_t>(size.width) * size.height, 0) {}

PixelView FakeSource::view() const {
  return {reinterpret_cast<const uint8_t*>(pixels_.data()), static_cast<size_t>(size_.width) * 4};
}

void FakeSource::fill(const Rect& rect, uint32_t bgrx) {
  const Rect inside = intersect(rect, whole(size_));
  for (int y = inside.y; y < inside.bottom(); y++)
    std::fill_n(pixel(inside.x, y), inside.width, bgrx);
}

bool FakeSource::read(const std::vector<Rect>& rects, std::vector<PixelView>& views) {
  views.clear();
  if (failing_)
    return false;
  for (const Rect& rect : rects) {
    if (intersect(rect, whole(size_)) != rect)
      return false;
    views.push_back(
        {reinterpret_cast<const uint8_t*>(pixel(rect.x, rect.y)), static_cast<size_t>(size_.width) * 4});
    pixels_read_ += static_cast<size_t>(rect.width) * rect.height;
  }
  return true;
}

}  // namespace vitrine
