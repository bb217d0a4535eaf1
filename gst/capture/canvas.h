// SPDX-License-Identifier: LGPL-2.1-or-later
// The newest picture, kept up to date tile by tile.
#pragma once

#include <memory>
#include <vector>

#include "capture/cursor-image.h"
#include "capture/damage-grid.h"
#include "capture/frame-source.h"
#include "capture/picture-layout.h"

namespace vitrine {

/// What has changed and what is drawn already, wherever the picture's memory is. Bound to one thread.
/// Coordinates are those of the picture.
class Canvas {
 public:
  /// `origin_x`, `origin_y`: where the picture begins in the coordinates of the frame source. All of it is
  /// damaged.
  Canvas(const PictureLayout& layout, int origin_x, int origin_y);
  virtual ~Canvas() = default;
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  const PictureLayout& layout() const { return layout_; }
  void add_damage(const Rect& rect) { pending_.add(rect); }
  void damage_all() { pending_.add_all(); }
  void set_cursor(const CursorSprite& cursor);
  /// Something is damaged and not drawn yet.
  bool pending() const { return !pending_.empty(); }

  /// Reads and converts what is pending into the frame in progress; may be called again before the frame is
  /// finished. Has done with the source's pixels when it returns. On failure nothing is lost: the damage
  /// stays pending.
  bool draw(FrameSource& source);

 protected:
  /// How many rectangles one draw() hands to convert() at most.
  static constexpr size_t kMostRects = 32;

  const DamageGrid& pending_damage() const { return pending_; }
  /// Ends the frame in progress: where it differs from the one before.
  DamageGrid take_drawn();

  /// The first draw() of a frame is about to convert.
  virtual void begin() {}
  /// draw() failed: the frame in progress is given up.
  virtual void give_up() {}
  /// `views[i]` shows the pixels for `rects[i]` of the picture, out of `source`.
  virtual bool convert(FrameSource& source, const std::vector<Rect>& rects,
                       const std::vector<PixelView>& views) = 0;
  /// The same for pixels that are ours, after convert().
  virtual bool convert_patch(const PixelView& view, const Rect& rect) = 0;

 private:
  bool draw_cursor(const std::vector<Rect>& rects, const std::vector<PixelView>& views);

  PictureLayout layout_;
  int origin_x_;
  int origin_y_;
  bool in_progress_ = false;
  DamageGrid pending_;
  DamageGrid drawn_;
  CursorSprite cursor_;
  std::vector<uint8_t> patch_;  // pixels under the pointer
};

}  // namespace vitrine
