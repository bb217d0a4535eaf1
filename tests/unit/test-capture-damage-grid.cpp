// SPDX-License-Identifier: LGPL-2.1-or-later
#include "capture/damage-grid.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace vitrine {
namespace {

using TileSet = std::set<std::pair<int, int>>;

TileSet tiles_of(const Rect& rect, Size size) {
  TileSet tiles;
  const Rect inside = intersect(rect, whole(size));
  for (int y = inside.y; y < inside.bottom(); y++) {
    for (int x = inside.x; x < inside.right(); x++)
      tiles.insert({x / DamageGrid::kTileWidth, y / DamageGrid::kTileHeight});
  }
  return tiles;
}

TileSet tiles_of(const std::vector<Rect>& rects, Size size) {
  TileSet tiles;
  for (const Rect& rect : rects)
    tiles.merge(tiles_of(rect, size));
  return tiles;
}

TEST(DamageGrid, MarksWhatARectangleTouches) {
  DamageGrid grid({1920, 1080});
  EXPECT_TRUE(grid.empty());
  grid.add({63, 31, 2, 2});
  EXPECT_EQ(grid.tile_count(), 4);
  EXPECT_EQ(grid.rects(), (std::vector<Rect>{{0, 0, 128, 64}}));
  EXPECT_TRUE(grid.touches({127, 63, 10, 10}));
  EXPECT_FALSE(grid.touches({128, 64, 10, 10}));
}

TEST(DamageGrid, IgnoresWhatLiesOutside) {
  DamageGrid grid({100, 50});
  grid.add({-500, -500, 400, 400});
  grid.add({100, 0, 10, 10});
  grid.add({0, 50, 10, 10});
  grid.add({10, 10, 0, 5});
  grid.add({10, 10, -5, 5});
  EXPECT_TRUE(grid.empty());
  grid.add({-10, -10, 10000, 10000});
  EXPECT_EQ(grid.rects(), (std::vector<Rect>{{0, 0, 100, 50}}));
}

TEST(DamageGrid, KeepsDistantChangesApart) {
  DamageGrid grid({1920, 1080});
  grid.add({0, 0, 1, 1});
  grid.add({1900, 1070, 1, 1});
  EXPECT_EQ(grid.rects(), (std::vector<Rect>{{0, 0, 64, 32}, {1856, 1056, 64, 24}}));
  EXPECT_EQ(grid.rects(1), (std::vector<Rect>{{0, 0, 1920, 1080}}));
}

TEST(DamageGrid, RemovesAndMerges) {
  DamageGrid a({640, 480});
  DamageGrid b({640, 480});
  a.add({0, 0, 640, 32});
  b.add({0, 0, 64, 32});
  a.remove(b);
  EXPECT_EQ(a.rects(), (std::vector<Rect>{{64, 0, 576, 32}}));
  a.add(b);
  EXPECT_EQ(a.rects(), (std::vector<Rect>{{0, 0, 640, 32}}));
  a.clear();
  EXPECT_TRUE(a.empty());
}

TEST(DamageGrid, RectanglesAreDisjointAndCoverJustTheMarkedTiles) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; round++) {
    const Size size{1 + static_cast<int>(random() % 9000), 1 + static_cast<int>(random() % 300)};
    DamageGrid grid(size);
    TileSet expected;
    for (int i = random() % 12; i >= 0; i--) {
      const Rect rect{static_cast<int>(random() % 9000) - 100, static_cast<int>(random() % 400) - 50,
                      static_cast<int>(random() % 300), static_cast<int>(random() % 90)};
      grid.add(rect);
      expected.merge(tiles_of(rect, size));
    }
    EXPECT_EQ(grid.tile_count(), static_cast<int>(expected.size()));
    const std::vector<Rect> rects = grid.rects();
    size_t area = 0;
    size_t tiles = 0;
    for (const Rect& rect : rects) {
      EXPECT_EQ(intersect(rect, whole(size)), rect);
      EXPECT_EQ(rect.x % 2, 0);
      EXPECT_EQ(rect.y % 2, 0);
      EXPECT_TRUE(rect.width % 2 == 0 || rect.right() == size.width);
      EXPECT_TRUE(rect.height % 2 == 0 || rect.bottom() == size.height);
      tiles += tiles_of(rect, size).size();
      area += static_cast<size_t>(rect.width) * rect.height;
    }
    EXPECT_EQ(tiles_of(rects, size), expected);
    EXPECT_EQ(tiles, expected.size()) << "overlap";

    const size_t limit = 1 + random() % 6;
    const std::vector<Rect> few = grid.rects(limit);
    EXPECT_LE(few.size(), limit);
    const TileSet covered = tiles_of(few, size);
    EXPECT_TRUE(std::includes(covered.begin(), covered.end(), expected.begin(), expected.end()));
  }
}

}  // namespace
}  // namespace vitrine
