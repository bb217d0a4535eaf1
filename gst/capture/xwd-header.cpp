// SPDX-License-Identifier: LGPL-2.1-or-later
// Fields of an XWD file, version 7: big-endian words, then the window's name, then the colour table.
#include "capture/xwd-header.h"

#include <algorithm>
#include <cstring>

namespace vitrine {
namespace {

constexpr size_t kHeaderBytes = 100;
constexpr size_t kColorBytes = 12;
constexpr uint32_t kMaxSide = 65535;

// Indices of the words that matter.
enum Word {
  kHeaderSize = 0,
  kFileVersion = 1,
  kPixmapFormat = 2,
  kPixmapWidth = 4,
  kPixmapHeight = 5,
  kByteOrder = 7,
  kBitsPerPixel = 11,
  kBytesPerLine = 12,
  kRedMask = 14,
  kGreenMask = 15,
  kBlueMask = 16,
  kColorCount = 19,
};

uint32_t word(const uint8_t* data, Word index) {
  const uint8_t* at = data + index * 4;
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

}  // namespace

std::optional<XwdFramebuffer> parse_xwd_header(const uint8_t* data, size_t bytes, std::string* why_not) {
  if (bytes < kHeaderBytes || word(data, kFileVersion) != 7) {
    *why_not = "it is not an XWD file";
    return std::nullopt;
  }
  const uint64_t header = word(data, kHeaderSize);
  const uint64_t pixels = header + uint64_t{word(data, kColorCount)} * kColorBytes;
  const uint32_t width = word(data, kPixmapWidth);
  const uint32_t height = word(data, kPixmapHeight);
  const uint64_t stride = word(data, kBytesPerLine);
  if (word(data, kPixmapFormat) != 2 || word(data, kByteOrder) != 0 || word(data, kBitsPerPixel) != 32 ||
      word(data, kRedMask) != 0xff0000 || word(data, kGreenMask) != 0xff00 || word(data, kBlueMask) != 0xff) {
    *why_not = "its pixels are not 32 bit BGRx";
    return std::nullopt;
  }
  if (header < kHeaderBytes || width == 0 || height == 0 || width > kMaxSide || height > kMaxSide ||
      stride < uint64_t{width} * 4 || pixels > bytes || stride * height > bytes - pixels) {
    *why_not = "its header describes more than the memory holds";
    return std::nullopt;
  }
  XwdFramebuffer framebuffer{static_cast<size_t>(pixels),
                             static_cast<size_t>(stride),
                             {static_cast<int>(width), static_cast<int>(height)},
                             {}};
  const char* name = reinterpret_cast<const char*>(data) + kHeaderBytes;
  const size_t room = std::min<uint64_t>(header, bytes) - kHeaderBytes;
  framebuffer.name.assign(name, strnlen(name, room));
  return framebuffer;
}

}  // namespace vitrine
