// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures of the pointer: PNG (W3C PNG, third edition) by zlib.
#include "remote/cursor-shape.h"

#include <glib.h>
#include <zlib.h>

#include <algorithm>

namespace vitrine {
namespace {

/// What leaves room in a message of 64 KiB once it is base64.
constexpr size_t kPngMax = 40'000;
constexpr int kSizeMax = 128;  // larger ones browsers do not show

void put32(std::string& out, uint32_t value) {
  for (const int shift : {24, 16, 8, 0})
    out += static_cast<char>(value >> shift);
}

void put_chunk(std::string& out, const std::string& type_and_data) {
  put32(out, static_cast<uint32_t>(type_and_data.size() - 4));
  out += type_and_data;
  put32(out, static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(type_and_data.data()), static_cast<uInt>(type_and_data.size()))));
}

}  // namespace

bool PointerShape::blank() const {
  return std::all_of(argb.begin(), argb.end(), [](uint32_t pixel) { return pixel >> 24 == 0; });
}

std::string PointerShape::id() const {
  uint64_t hash = 14695981039346656037ULL;  // FNV-1a
  const auto add = [&hash](uint32_t value) {
    for (const int shift : {24, 16, 8, 0})
      hash = (hash ^ (value >> shift & 0xff)) * 1099511628211ULL;
  };
  for (const int value : {width, height, hot_x, hot_y})
    add(static_cast<uint32_t>(value));
  for (const uint32_t pixel : argb)
    add(pixel);
  char text[17];
  g_snprintf(text, sizeof text, "%016" G_GINT64_MODIFIER "x", hash);
  return text;
}

std::string PointerShape::png() const {
  std::string rows;
  rows.reserve(static_cast<size_t>(height) * (static_cast<size_t>(width) * 4 + 1));
  for (int y = 0; y < height; ++y) {
    rows += '\0';  // no filter
    for (int x = 0; x < width; ++x) {
      const uint32_t pixel = argb[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
      const uint32_t alpha = pixel >> 24;
      for (const int shift : {16, 8, 0}) {
        const uint32_t value = pixel >> shift & 0xff;
        rows += static_cast<char>(alpha ? std::min<uint32_t>(255, (value * 255 + alpha / 2) / alpha) : 0);
      }
      rows += static_cast<char>(alpha);
    }
  }
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()), static_cast<uLong>(rows.size()),
                Z_BEST_COMPRESSION) != Z_OK)
    return "";
  packed.resize(size);
  std::string out = "\x89PNG\r\n\x1a\n", header = "IHDR";
  put32(header, static_cast<uint32_t>(width));
  put32(header, static_cast<uint32_t>(height));
  header += std::string("\x08\x06\0\0\0", 5);  // 8 bits, RGBA, not interlaced
  put_chunk(out, header);
  put_chunk(out, "IDAT" + packed);
  put_chunk(out, "IEND");
  return out;
}

PointerShape halved(const PointerShape& shape) {
  PointerShape half{(shape.width + 1) / 2, (shape.height + 1) / 2, shape.hot_x / 2, shape.hot_y / 2, {}};
  for (int y = 0; y < half.height; ++y) {
    for (int x = 0; x < half.width; ++x) {
      uint32_t sums[4] = {};
      for (int part = 0; part < 4; ++part) {
        const int from_x = 2 * x + part % 2, from_y = 2 * y + part / 2;
        if (from_x < shape.width && from_y < shape.height)
          for (int channel = 0; channel < 4; ++channel)
            sums[channel] += shape.argb[static_cast<size_t>(from_y * shape.width + from_x)] >> (8 * channel) & 0xff;
      }
      half.argb.push_back(sums[0] / 4 | sums[1] / 4 << 8 | sums[2] / 4 << 16 | sums[3] / 4 << 24);
    }
  }
  return half;
}

bool CursorCache::must_send(const std::string& id) {
  if (sent_.contains(id))
    return false;
  if (sent_.size() == kKept)
    sent_.clear();
  sent_.insert(id);
  return true;
}

std::string cursor_message(const PointerShape& whole, bool full) {
  if (whole.blank())
    return "{\"type\":\"desktop/cursor\",\"id\":null}";
  std::string out = "{\"type\":\"desktop/cursor\",\"id\":\"" + whole.id() + "\"";
  if (!full)
    return out + "}";
  PointerShape shape = whole;
  std::string png;
  while (shape.width > kSizeMax || shape.height > kSizeMax || (png = shape.png()).size() > kPngMax)
    shape = halved(shape);
  gchar* base64 = g_base64_encode(reinterpret_cast<const guchar*>(png.data()), png.size());
  out += ",\"width\":" + std::to_string(whole.width) + ",\"height\":" + std::to_string(whole.height) +
         ",\"hotX\":" + std::to_string(whole.hot_x) + ",\"hotY\":" + std::to_string(whole.hot_y) + ",\"png\":\"" + base64 + "\"}";
  g_free(base64);
  return out;
}

}  // namespace vitrine
