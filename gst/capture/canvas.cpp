// SPDX-License-Identifier: LGPL-2.1-or-later
// Drawing of frames out of damage.
#include "capture/canvas.h"

#include <cassert>
#include <cstring>

#include "capture/picture-converter.h"

namespace vitrine {

Canvas::Canvas(const PictureLayout& layout, int origin_x, int origin_y)
    : layout_(layout),
      origin_x_(origin_x),
      origin_y_(origin_y),
      store_(layout),
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

void Canvas::begin() {
  current_ = store_.take();
  if (newest_) {
    DamageGrid missing = current_->stale_;
    missing.remove(pending_);
    for (const Rect& rect : missing.rects())
      copy_rect(newest_->data(), rect, layout_, current_->data_.get());
  }
  current_->stale_.add_all();  // until finish(), in case it is given up
  drawn_.clear();
}

bool Canvas::draw(FrameSource& source) {
  if (!current_)
    begin();
  const Rect cursor = cursor_.rect();
  if (pending_.touches(cursor))
    pending_.add(cursor);
  const std::vector<Rect> rects = pending_.rects(kMostRects);
  std::vector<Rect> source_rects;
  source_rects.reserve(rects.size());
  for (const Rect& rect : rects)
    source_rects.push_back(rect.moved(origin_x_, origin_y_));
  std::vector<PixelView> views;
  if (!source.read(source_rects, views)) {
    pending_.add(drawn_);
    current_.reset();
    return false;
  }
  for (size_t i = 0; i < rects.size(); i++)
    convert_rect(views[i], rects[i], layout_, current_->data_.get());
  if (pending_.touches(cursor))
    draw_cursor(rects, views);
  drawn_.add(pending_);
  pending_.clear();
  return true;
}

void Canvas::draw_cursor(const std::vector<Rect>& rects, const std::vector<PixelView>& views) {
  const Rect cursor = cursor_.rect();
  const int left = cursor.x & ~1;
  const int top = cursor.y & ~1;
  const Rect even{left, top, ((cursor.right() + 1) & ~1) - left, ((cursor.bottom() + 1) & ~1) - top};
  const Rect area = intersect(even, whole(layout_.size));
  if (area.empty())
    return;
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
  convert_rect({patch_.data(), stride}, area, layout_, current_->data_.get());
}

std::shared_ptr<const Frame> Canvas::finish(DamageGrid* drawn) {
  assert(current_);
  current_->stale_.clear();
  store_.mark_stale(drawn_, *current_);
  newest_ = std::move(current_);
  current_.reset();
  if (drawn)
    *drawn = drawn_;
  drawn_.clear();
  return newest_;
}

}  // namespace vitrine
