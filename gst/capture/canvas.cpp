// SPDX-License-Identifier: LGPL-2.1-or-later
// Drawing of frames out of damage, with the pointer on top.
#include "capture/canvas.h"

#include <cstring>

namespace vitrine {

Canvas::Canvas(const PictureLayout& layout, int origin_x, int origin_y)
    : layout_(layout),
      origin_x_(origin_x),
      origin_y_(origin_y),
      pending_(layout.size),
      drawn_(layout.size) {
  pending_.add_all();
}

void Canvas::set_cursor(const CursorSprite& cursor) {
  if (cursor == cursor_)
    return;
  pending_.add(cursor_.rect());
  pending_.add(cursor.rect());
  cursor_ = cursor;
}

bool Canvas::draw(FrameSource& source) {
  if (!in_progress_) {
    begin();
    drawn_.clear();
    in_progress_ = true;
  }
  const Rect cursor = cursor_.rect();
  if (pending_.touches(cursor))
    pending_.add(cursor);
  const std::vector<Rect> rects = pending_.rects(kMostRects);
  std::vector<Rect> source_rects;
  source_rects.reserve(rects.size());
  for (const Rect& rect : rects)
    source_rects.push_back(rect.moved(origin_x_, origin_y_));
  std::vector<PixelView> views;
  bool drawn = source.read(source_rects, views) && convert(source, rects, views);
  if (drawn && pending_.touches(cursor) && !source.is_device_memory())
    drawn = draw_cursor(rects, views);
  if (!drawn) {
    pending_.add(drawn_);
    in_progress_ = false;
    give_up();
    return false;
  }
  drawn_.add(pending_);
  pending_.clear();
  return true;
}

bool Canvas::draw_cursor(const std::vector<Rect>& rects, const std::vector<PixelView>& views) {
  const Rect cursor = cursor_.rect();
  const int left = cursor.x & ~1;
  const int top = cursor.y & ~1;
  const Rect even{left, top, ((cursor.right() + 1) & ~1) - left, ((cursor.bottom() + 1) & ~1) - top};
  const Rect area = intersect(even, whole(layout_.size));
  if (area.empty())
    return true;
  const size_t stride = static_cast<size_t>(area.width) * 4;
  patch_.resize(stride * area.height);
  for (size_t i = 0; i < rects.size(); i++) {
    const Rect common = intersect(rects[i], area);
    for (int y = common.y; y < common.bottom(); y++)
      std::memcpy(
          patch_.data() + (y - area.y) * stride + static_cast<size_t>(common.x - area.x) * 4,
          views[i].data + (y - rects[i].y) * views[i].stride + static_cast<size_t>(common.x - rects[i].x) * 4,
          static_cast<size_t>(common.width) * 4);
  }
  blend_cursor(cursor_, area, patch_.data(), stride);
  return convert_patch({patch_.data(), stride}, area);
}

DamageGrid Canvas::take_drawn() {
  in_progress_ = false;
  DamageGrid drawn = drawn_;
  drawn_.clear();
  return drawn;
}

}  // namespace vitrine
