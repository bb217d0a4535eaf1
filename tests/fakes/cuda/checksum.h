// SPDX-License-Identifier: LGPL-2.1-or-later
// What the fake encoder leaves of a picture: a text that tells one from another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vitrine {

/// FNV-1a over the rows, without what lies between them.
inline std::string checksum_text(const uint8_t* data, size_t pitch, size_t row_bytes, size_t rows) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t y = 0; y < rows; y++)
    for (size_t x = 0; x < row_bytes; x++)
      hash = (hash ^ data[y * pitch + x]) * 0x100000001b3;
  return "picture " + std::to_string(hash);
}

}  // namespace vitrine
