// SPDX-License-Identifier: LGPL-2.1-or-later
// Bitmap of changed tiles and its reading as rectangles.
#include "capture/damage-grid.h"

#include <bit>
#include <cassert>

namespace vitrine {
namespace {

constexpr int kWordBits = 64;

/// Bits `from` up to, not including, `to` of one word.
uint64_t mask(int from, int to) {
  const uint64_t below = to >= kWordBits ? ~uint64_t{0} : (uint64_t{1} << to) - 1;
  return below & (~uint64_t{0} << from);
}

/// First column at or after `from` whose bit equals `value`, or `end`.
int find(const uint64_t* words, int from, int end, bool value) {
  while (from < end) {
    const int word = from / kWordBits;
    uint64_t bits = value ? words[word] : ~words[word];
    bits &= ~uint64_t{0} << (from % kWordBits);
    if (bits)
      return std::min(end, word * kWordBits + std::countr_zero(bits));
    from = (word + 1) * kWordBits;
  }
  return end;
}

}  // namespace

DamageGrid::DamageGrid(Size size)
    : size_(size),
      columns_((size.width + kTileWidth - 1) / kTileWidth),
      rows_((size.height + kTileHeight - 1) / kTileHeight),
      words_per_row_((columns_ + kWordBits - 1) / kWordBits),
      bits_(static_cast<size_t>(words_per_row_) * rows_, 0) {}

DamageGrid::TileSpan DamageGrid::tiles_of(const Rect& rect) const {
  const Rect inside = intersect(rect, whole(size_));
  if (inside.empty())
    return {0, 0, 0, 0};
  return {inside.x / kTileWidth, inside.y / kTileHeight, (inside.right() - 1) / kTileWidth + 1,
          (inside.bottom() - 1) / kTileHeight + 1};
}

Rect DamageGrid::pixels_of(const TileSpan& span) const {
  const Rect tiles{span.left * kTileWidth, span.top * kTileHeight, (span.right - span.left) * kTileWidth,
                   (span.bottom - span.top) * kTileHeight};
  return intersect(tiles, whole(size_));
}

void DamageGrid::add(const Rect& rect) {
  const TileSpan tiles = tiles_of(rect);
  for (int y = tiles.top; y < tiles.bottom; y++) {
    for (int x = tiles.left; x < tiles.right;) {
      const int word = x / kWordBits;
      const int end = std::min(tiles.right, (word + 1) * kWordBits);
      row(y)[word] |= mask(x % kWordBits, end - word * kWordBits);
      x = end;
    }
  }
}

void DamageGrid::add(const DamageGrid& other) {
  assert(size_ == other.size_);
  for (size_t i = 0; i < bits_.size(); i++)
    bits_[i] |= other.bits_[i];
}

void DamageGrid::add_all() {
  add(whole(size_));
}

void DamageGrid::remove(const DamageGrid& other) {
  assert(size_ == other.size_);
  for (size_t i = 0; i < bits_.size(); i++)
    bits_[i] &= ~other.bits_[i];
}

void DamageGrid::clear() {
  std::fill(bits_.begin(), bits_.end(), 0);
}

bool DamageGrid::empty() const {
  return std::all_of(bits_.begin(), bits_.end(), [](uint64_t word) { return word == 0; });
}

bool DamageGrid::touches(const Rect& rect) const {
  const TileSpan tiles = tiles_of(rect);
  for (int y = tiles.top; y < tiles.bottom; y++) {
    if (find(row(y), tiles.left, tiles.right, true) < tiles.right)
      return true;
  }
  return false;
}

int DamageGrid::tile_count() const {
  int count = 0;
  for (uint64_t word : bits_)
    count += std::popcount(word);
  return count;
}

std::vector<DamageGrid::TileSpan> DamageGrid::spans(bool one_per_row) const {
  std::vector<TileSpan> result;
  size_t previous_row = 0;  // index of the first span of the row of tiles above
  for (int y = 0; y < rows_; y++) {
    const size_t this_row = result.size();
    for (int x = find(row(y), 0, columns_, true); x < columns_;) {
      const int end = find(row(y), x, columns_, false);
      if (one_per_row && result.size() > this_row)
        result.back().right = end;
      else
        result.push_back({x, y, end, y + 1});
      x = find(row(y), end, columns_, true);
    }
    // A row that repeats the spans right above it makes those taller instead.
    const size_t count = result.size() - this_row;
    bool same = count > 0 && count == this_row - previous_row;
    for (size_t i = 0; same && i < count; i++) {
      const TileSpan& above = result[previous_row + i];
      const TileSpan& here = result[this_row + i];
      same = above.left == here.left && above.right == here.right && above.bottom == y;
    }
    if (same) {
      result.resize(this_row);
      for (size_t i = previous_row; i < this_row; i++)
        result[i].bottom = y + 1;
    } else {
      previous_row = this_row;
    }
  }
  return result;
}

std::vector<Rect> DamageGrid::rects(size_t limit) const {
  std::vector<TileSpan> tiles = spans(false);
  if (tiles.size() > limit)
    tiles = spans(true);
  if (tiles.size() > limit) {
    TileSpan box = tiles.front();
    for (const TileSpan& span : tiles) {
      box.left = std::min(box.left, span.left);
      box.right = std::max(box.right, span.right);
      box.bottom = std::max(box.bottom, span.bottom);
    }
    tiles.assign(1, box);
  }
  std::vector<Rect> result;
  result.reserve(tiles.size());
  for (const TileSpan& span : tiles)
    result.push_back(pixels_of(span));
  return result;
}

}  // namespace vitrine
