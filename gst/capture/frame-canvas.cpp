// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames in main memory, each made from the one before and the damage.
#include "capture/frame-canvas.h"

#include <cassert>

#include "capture/picture-converter.h"

namespace vitrine {

void FrameCanvas::begin() {
  current_ = store_.take();
  if (newest_) {
    DamageGrid missing = current_->stale_;
    missing.remove(pending_damage());
    for (const Rect& rect : missing.rects())
      copy_rect(newest_->data(), rect, layout(), current_->data_.get());
  }
  current_->stale_.add_all();  // until finish(), in case it is given up
}

bool FrameCanvas::convert(FrameSource&, const std::vector<Rect>& rects, const std::vector<PixelView>& views) {
  for (size_t i = 0; i < rects.size(); i++)
    convert_rect(views[i], rects[i], layout(), current_->data_.get());
  return true;
}

bool FrameCanvas::convert_patch(const PixelView& view, const Rect& rect) {
  convert_rect(view, rect, layout(), current_->data_.get());
  return true;
}

std::shared_ptr<const Frame> FrameCanvas::finish(DamageGrid* drawn) {
  assert(current_);
  const DamageGrid changed = take_drawn();
  current_->stale_.clear();
  store_.mark_stale(changed, *current_);
  newest_ = std::move(current_);
  current_.reset();
  if (drawn)
    *drawn = changed;
  return newest_;
}

}  // namespace vitrine
