// SPDX-License-Identifier: LGPL-2.1-or-later
// The newest picture, kept up to date tile by tile.
#pragma once

#include <memory>
#include <vector>

#include "capture/cursor-image.h"
#include "capture/damage-grid.h"
#include "capture/frame-source.h"
#include "capture/frame-store.h"
#include "capture/picture-layout.h"

namespace vitrine {

/// Bound to one thread. Coordinates are those of the picture.
///
/// The newest frame is itself the canvas: the next frame takes over from it what it lacks and gets the
/// damaged tiles straight from the source, so that no pixel is written twice.
class Canvas {
 public:
  /// `origin_x`, `origin_y`: where the picture begins in the coordinates of the frame source. All of it is
  /// damaged.
  Canvas(const PictureLayout& layout, int origin_x, int origin_y);

  const PictureLayout& layout() const { return layout_; }
  void add_damage(const Rect& rect) { pending_.add(rect); }
  void damage_all() { pending_.add_all(); }
  void set_cursor(const CursorSprite& cursor);
  /// Something is damaged and not drawn yet.
  bool pending() const { return !pending_.empty(); }

  /// Reads and converts what is pending into the frame in progress; may be called again before finish(). On
  /// failure of the source nothing is lost: the damage stays pending.
  bool draw(FrameSource& source);
  /// The frame in progress becomes the newest one. `drawn` says where it differs from the one before.
  std::shared_ptr<const Frame> finish(DamageGrid* drawn);
  /// Null before the first finish().
  std::shared_ptr<const Frame> newest() const { return newest_; }

 private:
  static constexpr size_t kMostRects = 32;

  void begin();
  void draw_cursor(const std::vector<Rect>& rects, const std::vector<PixelView>& views);

  PictureLayout layout_;
  int origin_x_;
  int origin_y_;
  FrameStore store_;
  DamageGrid pending_;
  DamageGrid drawn_;
  CursorSprite cursor_;
  std::shared_ptr<Frame> newest_;
  std::shared_ptr<Frame> current_;  // in progress
  std::vector<uint8_t> patch_;      // pixels under the pointer
};

}  // namespace vitrine
