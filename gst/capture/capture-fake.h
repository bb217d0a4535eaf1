// SPDX-License-Identifier: LGPL-2.1-or-later
// A frame source without an X server: the test paints the pixels itself.
#pragma once

#include <cstdint>
#include <vector>

#include "capture/frame-source.h"

namespace vitrine {

class FakeSource : public FrameSource {
 public:
  explicit FakeSource(Size size);

  const char* name() const override { return "fake"; }
  bool is_live_memory() const override { return false; }
  bool read(const std::vector<Rect>& rects, std::vector<PixelView>& views) override;

  void fill(const Rect& rect, uint32_t bgrx);
  uint32_t* pixel(int x, int y) { return pixels_.data() + static_cast<size_t>(y) * size_.width + x; }
  PixelView view() const;
  /// From now on reads fail, as when a window has gone.
  void fail(bool failing) { failing_ = failing; }
  /// Pixels that reads have asked for so far.
  size_t pixels_read() const { return pixels_read_; }

 private:
  Size size_;
  std::vector<uint32_t> pixels_;
  bool failing_ = false;
  size_t pixels_read_ = 0;
};

}  // namespace vitrine
