// SPDX-License-Identifier: LGPL-2.1-or-later
#include "capture/xwd-header.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

namespace vitrine {
namespace {

constexpr int kHeader = 160;
constexpr int kColors = 256;

void put(std::vector<uint8_t>& bytes, int word, uint32_t value) {
  for (int i = 0; i < 4; i++)
    bytes[word * 4 + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

/// What Xvfb writes for a screen of 64x48.
std::vector<uint8_t> framebuffer() {
  std::vector<uint8_t> bytes(kHeader + kColors * 12 + 64 * 4 * 48);
  const uint32_t words[] = {kHeader, 7,        2,      24,   64, 48,  0,       0,  32, 0, 32, 32, 256,
                            4,       0xff0000, 0xff00, 0xff, 8,  256, kColors, 64, 48, 0, 0,  0};
  for (int i = 0; i < 25; i++)
    put(bytes, i, words[i]);
  std::strcpy(reinterpret_cast<char*>(bytes.data()) + 100, "Xvfb host:7.0");
  return bytes;
}

std::optional<XwdFramebuffer> parse(const std::vector<uint8_t>& bytes) {
  // An exact copy on the heap: a read past the end is the sanitizer's to find.
  std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  std::string why_not;
  auto result = parse_xwd_header(exact.get(), bytes.size(), &why_not);
  EXPECT_EQ(why_not.empty(), result.has_value());
  return result;
}

TEST(XwdHeader, ReadsWhatXvfbWrites) {
  const auto fb = parse(framebuffer());
  ASSERT_TRUE(fb);
  EXPECT_EQ(fb->pixels, static_cast<size_t>(kHeader + kColors * 12));
  EXPECT_EQ(fb->stride, 256u);
  EXPECT_EQ(fb->size, (Size{64, 48}));
  EXPECT_EQ(fb->name, "Xvfb host:7.0");
}

TEST(XwdHeader, RefusesMoreThanTheMemoryHolds) {
  std::vector<uint8_t> bytes = framebuffer();
  bytes.pop_back();
  EXPECT_FALSE(parse(bytes));
  const std::pair<int, uint32_t> forgeries[] = {
      {0, 0xffffffff}, {0, 99},        {4, 0},    {4, 65},   {5, 0},           {5, 49},
      {5, 0xffffffff}, {12, 0xffffff}, {12, 255}, {19, 257}, {19, 0xffffffff}, {19, 0x15555556},
      {4, 0xffffffff}, {1, 6},         {2, 1},    {7, 1},    {11, 16},         {14, 0xff},
  };
  for (const auto& [word, value] : forgeries) {
    bytes = framebuffer();
    put(bytes, word, value);
    EXPECT_FALSE(parse(bytes)) << "word " << word << " = " << value;
  }
}

TEST(XwdHeader, RefusesShortMemory) {
  for (size_t length : {0u, 1u, 7u, 99u, 100u, 160u, 3000u}) {
    std::vector<uint8_t> bytes = framebuffer();
    bytes.resize(length);
    EXPECT_FALSE(parse(bytes)) << length;
  }
}

TEST(XwdHeader, ANameWithoutAnEndStopsAtTheHeader) {
  std::vector<uint8_t> bytes = framebuffer();
  std::memset(bytes.data() + 100, 'x', 60);
  const auto fb = parse(bytes);
  ASSERT_TRUE(fb);
  EXPECT_EQ(fb->name, std::string(60, 'x'));
}

TEST(XwdHeader, RandomHeadersNeverDescribeMoreThanIsThere) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; round++) {
    std::vector<uint8_t> bytes = framebuffer();
    for (int i = random() % 4; i >= 0; i--)
      put(bytes, random() % 25, random() % 3 ? random() % 5000 : static_cast<uint32_t>(random()));
    std::string why_not;
    if (const auto fb = parse_xwd_header(bytes.data(), bytes.size(), &why_not)) {
      ASSERT_LE(fb->pixels + fb->stride * fb->size.height, bytes.size());
      ASSERT_GE(fb->stride, fb->size.width * 4u);
    }
  }
}

}  // namespace
}  // namespace vitrine
