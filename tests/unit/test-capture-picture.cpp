// SPDX-License-Identifier: LGPL-2.1-or-later
#include "capture/frame-canvas.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "capture/capture-fake.h"
#include "capture/picture-converter.h"
#include "capture/row-bt709.h"

namespace vitrine {
namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::kNv12, PixelFormat::kI420, PixelFormat::kBgrx,
                                    PixelFormat::kY444};

void paint_noise(FakeSource& source, const Rect& rect, std::mt19937& random) {
  for (int y = rect.y; y < rect.bottom(); y++) {
    for (int x = rect.x; x < rect.right(); x++)
      *source.pixel(x, y) = static_cast<uint32_t>(random());
  }
}

std::vector<uint8_t> full_conversion(const FakeSource& source, const PictureLayout& layout) {
  std::vector<uint8_t> picture(layout.bytes, 0);
  convert_rect(source.view(), whole(layout.size), layout, picture.data());
  return picture;
}

bool same(const Frame& frame, const std::vector<uint8_t>& picture) {
  return frame.bytes() == picture.size() && std::memcmp(frame.data(), picture.data(), picture.size()) == 0;
}

TEST(Bt709Rows, VectorCodeGivesTheBytesOfPortableCode) {
  const Bt709Rows* vector = bt709_rows_avx2();
  if (!vector)
    GTEST_SKIP() << "this processor has no AVX2";
  std::mt19937 random(1);
  std::vector<uint8_t> pixels(2 * 4 * 300);
  for (int width = 1; width < 300; width++) {
    for (uint8_t& byte : pixels)
      byte = random() % 8 ? static_cast<uint8_t>(random()) : (random() % 2 ? 255 : 0);
    const uint8_t* top = pixels.data();
    const uint8_t* bottom = top + 4 * 300;
    std::vector<uint8_t> out[2][8];
    for (int i = 0; i < 2; i++) {
      const Bt709Rows& rows = i ? *vector : kBt709RowsPortable;
      for (auto& row : out[i])
        row.assign(320, 99);
      rows.luma(top, out[i][0].data(), width);
      rows.chroma_planar(top, bottom, out[i][1].data(), out[i][2].data(), width);
      rows.chroma_interleaved(top, bottom, out[i][3].data(), width);
      rows.chroma_full(top, out[i][4].data(), out[i][5].data(), width);
    }
    for (int row = 0; row < 8; row++)
      ASSERT_EQ(out[0][row], out[1][row]) << "width " << width << ", output " << row;
  }
}

TEST(Bt709Rows, FollowTheEquation) {
  std::mt19937 random(2);
  for (int i = 0; i < 20000; i++) {
    const uint8_t bgrx[4] = {static_cast<uint8_t>(random()), static_cast<uint8_t>(random()),
                             static_cast<uint8_t>(random()), 0};
    const double b = bgrx[0] / 255.0, g = bgrx[1] / 255.0, r = bgrx[2] / 255.0;
    const double luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    uint8_t y, u, v;
    kBt709RowsPortable.luma(bgrx, &y, 1);
    kBt709RowsPortable.chroma_full(bgrx, &u, &v, 1);
    ASSERT_NEAR(y, 16 + 219 * luma, 1.6);
    ASSERT_NEAR(u, 128 + 224 * (b - luma) / 1.8556, 1.6);
    ASSERT_NEAR(v, 128 + 224 * (r - luma) / 1.5748, 1.6);
  }
}

TEST(Bt709Rows, GreysHaveNoColourAndTheRangeIsLimited) {
  for (int grey = 0; grey < 256; grey++) {
    const uint8_t value = static_cast<uint8_t>(grey);
    const uint8_t bgrx[4] = {value, value, value, 0xff};
    uint8_t y, u, v;
    kBt709RowsPortable.luma(bgrx, &y, 1);
    kBt709RowsPortable.chroma_full(bgrx, &u, &v, 1);
    EXPECT_EQ(u, 128);
    EXPECT_EQ(v, 128);
    EXPECT_NEAR(y, 16 + grey * 219 / 255.0, 0.7) << grey;
    if (grey == 0 || grey == 255) {
      EXPECT_EQ(y, grey ? 235 : 16);
    }
  }
}

TEST(PictureConverter, ManyRectanglesGiveTheBytesOfOne) {
  std::mt19937 random(3);
  for (int round = 0; round < 60; round++) {
    const Size size{1 + static_cast<int>(random() % 400), 1 + static_cast<int>(random() % 200)};
    FakeSource source(size);
    paint_noise(source, whole(size), random);
    for (PixelFormat format : kFormats) {
      for (ColorMatrix matrix : {ColorMatrix::kBt601, ColorMatrix::kBt709}) {
        const PictureLayout layout = PictureLayout::make(format, matrix, size);
        std::vector<uint8_t> pieces(layout.bytes, 0);
        DamageGrid grid(size);
        grid.add_all();
        for (int y = 0; y < size.height; y += 2 * (1 + random() % 40)) {
          // Bands of random even heights, each cut into columns of random even widths.
          const int bottom = std::min<int>(size.height, y + 80);
          for (int x = 0; x < size.width;) {
            const int right = std::min<int>(size.width, x + 2 * (1 + random() % 60));
            const Rect rect{x, y, right - x, bottom - y};
            const PixelView view{reinterpret_cast<const uint8_t*>(source.pixel(x, y)), source.view().stride};
            convert_rect(view, rect, layout, pieces.data());
            x = right;
          }
        }
        ASSERT_EQ(pieces, full_conversion(source, layout))
            << size.width << "x" << size.height << " format " << static_cast<int>(format) << " matrix "
            << static_cast<int>(matrix);
      }
    }
  }
}

TEST(Canvas, FollowsRandomDamageByteForByte) {
  std::mt19937 random(4);
  for (PixelFormat format : kFormats) {
    const Size size{399, 201};
    FakeSource source(size);
    paint_noise(source, whole(size), random);
    const PictureLayout layout = PictureLayout::make(format, ColorMatrix::kBt709, size);
    FrameCanvas canvas(layout, 0, 0);
    // Frames that are still held must keep their bytes whatever comes after.
    std::vector<std::pair<std::shared_ptr<const Frame>, std::vector<uint8_t>>> held;
    for (int round = 0; round < 200; round++) {
      for (int i = random() % 3; i >= 0 && round; i--) {
        const Rect rect = intersect({static_cast<int>(random() % 399), static_cast<int>(random() % 201),
                                     static_cast<int>(random() % 100), static_cast<int>(random() % 50)},
                                    whole(size));
        paint_noise(source, rect, random);
        canvas.add_damage(rect);
      }
      const bool fails = random() % 10 == 0;
      source.fail(fails);
      EXPECT_EQ(canvas.draw(source), !fails);
      if (fails)
        continue;
      if (random() % 4 == 0) {  // painted while it was read
        const Rect rect{static_cast<int>(random() % 300), 0, 50, 50};
        paint_noise(source, rect, random);
        canvas.add_damage(rect);
        ASSERT_TRUE(canvas.draw(source));
      }
      std::shared_ptr<const Frame> frame = canvas.finish(nullptr);
      const std::vector<uint8_t> expected = full_conversion(source, layout);
      ASSERT_TRUE(same(*frame, expected)) << "round " << round << " format " << static_cast<int>(format);
      if (random() % 2)
        held.emplace_back(frame, expected);
      while (held.size() > random() % 6)
        held.erase(held.begin() + random() % held.size());
      for (const auto& [old, bytes] : held)
        ASSERT_TRUE(same(*old, bytes)) << "round " << round;
    }
  }
}

TEST(Canvas, ReadsOnlyWhatIsDamaged) {
  const Size size{1920, 1080};
  FakeSource source(size);
  FrameCanvas canvas(PictureLayout::make(PixelFormat::kNv12, ColorMatrix::kBt709, size), 0, 0);
  ASSERT_TRUE(canvas.draw(source));
  canvas.finish(nullptr);
  EXPECT_EQ(source.pixels_read(), 1920u * 1080);
  canvas.add_damage({100, 100, 8, 16});
  ASSERT_TRUE(canvas.draw(source));
  DamageGrid drawn;
  canvas.finish(&drawn);
  EXPECT_EQ(source.pixels_read(), 1920u * 1080 + 64 * 32);
  EXPECT_EQ(drawn.rects(), (std::vector<Rect>{{64, 96, 64, 32}}));
  EXPECT_FALSE(canvas.pending());
}

TEST(Canvas, DrawsThePointerAndTakesItAway) {
  const Size size{200, 100};
  FakeSource source(size);
  std::mt19937 random(5);
  paint_noise(source, whole(size), random);
  auto image = std::make_shared<CursorImage>();
  image->size = {9, 7};
  image->hot_x = 2;
  image->hot_y = 1;
  for (int i = 0; i < 63; i++)
    image->argb.push_back(i % 3 ? 0xff204060u + i : (i % 2 ? 0x80402010u : 0));
  for (PixelFormat format : kFormats) {
    const PictureLayout layout = PictureLayout::make(format, ColorMatrix::kBt709, size);
    FrameCanvas canvas(layout, 0, 0);
    for (int round = 0; round < 60; round++) {
      CursorSprite sprite{round % 7 == 6 ? nullptr : image, static_cast<int>(random() % 220) - 10,
                          static_cast<int>(random() % 120) - 10};
      canvas.set_cursor(sprite);
      if (round % 5 == 0) {
        const Rect rect{static_cast<int>(random() % 150), static_cast<int>(random() % 80), 20, 20};
        paint_noise(source, intersect(rect, whole(size)), random);
        canvas.add_damage(rect);
      }
      ASSERT_TRUE(canvas.draw(source));
      FakeSource with_pointer = source;
      blend_cursor(sprite, whole(size), reinterpret_cast<uint8_t*>(with_pointer.pixel(0, 0)), size.width * 4);
      ASSERT_TRUE(same(*canvas.finish(nullptr), full_conversion(with_pointer, layout))) << "round " << round;
    }
    canvas.set_cursor({});
    if (canvas.pending()) {
      ASSERT_TRUE(canvas.draw(source));
      canvas.finish(nullptr);
    }
    EXPECT_TRUE(same(*canvas.newest(), full_conversion(source, layout)));
  }
}

TEST(CursorImage, BlendsPremultipliedPixels) {
  auto image = std::make_shared<CursorImage>();
  image->size = {3, 1};
  image->argb = {0xffff0000u, 0x80800000u, 0u};
  uint8_t pixels[12] = {100, 100, 100, 7, 100, 100, 100, 7, 100, 100, 100, 7};
  blend_cursor({image, 0, 0}, {0, 0, 3, 1}, pixels, 12);
  const uint8_t expected[12] = {0, 0, 255, 7, 50, 50, 178, 7, 100, 100, 100, 7};
  EXPECT_EQ(std::memcmp(pixels, expected, 12), 0);
}

TEST(FrameStore, UsesFramesAgainAndLetsSurplusGo) {
  const PictureLayout layout = PictureLayout::make(PixelFormat::kI420, ColorMatrix::kBt709, {64, 64});
  FrameStore store(layout);
  {
    std::vector<std::shared_ptr<Frame>> many;
    for (int i = 0; i < 20; i++)
      many.push_back(store.take());
    EXPECT_EQ(store.frame_count(), 20u);
  }
  for (int i = 0; i < 40; i++)
    store.take();
  EXPECT_LE(store.frame_count(), 4u);
}

}  // namespace
}  // namespace vitrine
