// SPDX-License-Identifier: LGPL-2.1-or-later
// The canvas in main memory.
#pragma once

#include <memory>
#include <vector>

#include "capture/canvas.h"
#include "capture/frame-store.h"

namespace vitrine {

/// The newest frame is itself the canvas: the next frame takes over from it what it lacks and gets the
/// damaged tiles straight from the source, so that no pixel is written twice.
class FrameCanvas : public Canvas {
 public:
  FrameCanvas(const PictureLayout& layout, int origin_x, int origin_y)
      : Canvas(layout, origin_x, origin_y), store_(layout) {}

  /// The frame in progress becomes the newest one. `drawn` says where it differs from the one before.
  std::shared_ptr<const Frame> finish(DamageGrid* drawn);
  /// Null before the first finish().
  std::shared_ptr<const Frame> newest() const { return newest_; }

 protected:
  void begin() override;
  void give_up() override { current_.reset(); }
  bool convert(FrameSource& source, const std::vector<Rect>& rects,
               const std::vector<PixelView>& views) override;
  bool convert_patch(const PixelView& view, const Rect& rect) override;

 private:
  FrameStore store_;
  std::shared_ptr<Frame> newest_;
  std::shared_ptr<Frame> current_;  // in progress
};

}  // namespace vitrine
