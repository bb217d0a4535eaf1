// SPDX-License-Identifier: LGPL-2.1-or-later
// H.264 parameter sets: a keyframe must have them with it, for a decoder that starts there. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vitrine {

class ParameterSets {
 public:
  /// Looks at a keyframe (Annex B, byte stream) and keeps its parameter sets. What has to be put before it if it has none; empty if
  /// nothing.
  std::vector<uint8_t> missing(std::span<const uint8_t> keyframe);

 private:
  std::vector<uint8_t> kept_;
};

}  // namespace vitrine
