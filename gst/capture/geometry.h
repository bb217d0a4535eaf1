// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes and rectangles of pixels.
#pragma once

#include <algorithm>

namespace vitrine {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
  bool empty() const { return width <= 0 || height <= 0; }
};

struct Point {
  int x = 0;
  int y = 0;
  bool operator==(const Point&) const = default;
};

struct Rect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Rect&) const = default;
  bool empty() const { return width <= 0 || height <= 0; }
  int right() const { return x + width; }
  int bottom() const { return y + height; }
  Rect moved(int dx, int dy) const { return {x + dx, y + dy, width, height}; }
};

/// The part that both have in common; an empty rectangle when there is none.
inline Rect intersect(const Rect& a, const Rect& b) {
  const int x = std::max(a.x, b.x);
  const int y = std::max(a.y, b.y);
  const Rect common{x, y, std::min(a.right(), b.right()) - x, std::min(a.bottom(), b.bottom()) - y};
  return common.empty() ? Rect{} : common;
}

inline Rect whole(Size size) {
  return {0, 0, size.width, size.height};
}

}  // namespace vitrine
