// SPDX-License-Identifier: LGPL-2.1-or-later
// Which tiles of a picture have changed: a bitmap, so that distant changes are not merged into one bounding
// box.
#pragma once

#include <cstdint>
#include <vector>

#include "capture/geometry.h"

namespace vitrine {

/// Tiles of 64x32 pixels, the last column and row cut at the picture's edge. Reentrant.
///
/// Tiles start at even coordinates, so a 4:2:0 chroma sample never belongs to two tiles.
class DamageGrid {
 public:
  static constexpr int kTileWidth = 64;
  static constexpr int kTileHeight = 32;

  DamageGrid() = default;
  explicit DamageGrid(Size size);

  Size size() const { return size_; }
  /// Marks every tile that `rect` touches; what lies outside the picture is ignored.
  void add(const Rect& rect);
  void add(const DamageGrid& other);
  void add_all();
  /// Unmarks the tiles that `other` has.
  void remove(const DamageGrid& other);
  void clear();

  bool empty() const;
  bool touches(const Rect& rect) const;
  int tile_count() const;
  /// The marked tiles as disjoint rectangles inside the picture, top to bottom. More than `limit` of them are
  /// merged into fewer and larger ones, first along each row of tiles, then into their bounding box.
  std::vector<Rect> rects(size_t limit = SIZE_MAX) const;

 private:
  struct TileSpan {
    int left, top, right, bottom;  // tiles, right and bottom excluded
  };
  TileSpan tiles_of(const Rect& rect) const;
  Rect pixels_of(const TileSpan& span) const;
  std::vector<TileSpan> spans(bool one_per_row) const;
  uint64_t* row(int y) { return bits_.data() + static_cast<size_t>(y) * words_per_row_; }
  const uint64_t* row(int y) const { return bits_.data() + static_cast<size_t>(y) * words_per_row_; }

  Size size_;
  int columns_ = 0;
  int rows_ = 0;
  int words_per_row_ = 0;
  std::vector<uint64_t> bits_;
};

}  // namespace vitrine
