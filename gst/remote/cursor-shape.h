// SPDX-License-Identifier: LGPL-2.1-or-later
// Shapes of the pointer as viewers get them. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace vitrine {

struct PointerShape {
  int width = 0, height = 0, hot_x = 0, hot_y = 0;
  std::vector<uint32_t> argb;  // premultiplied, row after row
  /// Nothing of it can be seen.
  bool blank() const;
  /// Equal for equal pictures, whatever the server calls them.
  std::string id() const;
  /// A PNG file with straight alpha.
  std::string png() const;
};

/// Half the size, each pixel the mean of four.
PointerShape halved(const PointerShape& shape);

/// Which shapes viewers have. They keep the last kKept that they got.
class CursorCache {
 public:
  static constexpr size_t kKept = 64;
  /// True if the picture must go along; it counts as sent from then on.
  bool must_send(const std::string& id);
  /// Somebody came who has none.
  void forget() { sent_.clear(); }

 private:
  std::set<std::string> sent_;
};

/// desktop/cursor; the picture goes along if `full`.
std::string cursor_message(const PointerShape& shape, bool full);

}  // namespace vitrine
