// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks the NAL units of a keyframe (ITU-T H.264, annex B) as far as the first slice.
#include "webrtc/ws-parameter-sets.h"

#include <optional>

namespace vitrine {
namespace {

constexpr uint8_t kSlice = 1, kIdrSlice = 5, kSequenceSet = 7, kPictureSet = 8;

/// The byte after the next start code at or after `from`.
std::optional<size_t> next_unit(std::span<const uint8_t> bytes, size_t from) {
  for (size_t i = from; i + 3 < bytes.size(); ++i)
    if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1)
      return i + 3;
  return std::nullopt;
}

}  // namespace

std::vector<uint8_t> ParameterSets::missing(std::span<const uint8_t> keyframe) {
  std::vector<uint8_t> found;
  bool sequence = false, picture = false;
  for (auto unit = next_unit(keyframe, 0); unit;) {
    const uint8_t type = keyframe[*unit] & 0x1f;
    if (type >= kSlice && type <= kIdrSlice)
      break;
    const auto next = next_unit(keyframe, *unit);
    if (type == kSequenceSet || type == kPictureSet) {
      (type == kSequenceSet ? sequence : picture) = true;
      const size_t end = next ? *next - 3 : keyframe.size();
      found.insert(found.end(), {0, 0, 0, 1});
      found.insert(found.end(), keyframe.begin() + static_cast<ptrdiff_t>(*unit), keyframe.begin() + static_cast<ptrdiff_t>(end));
    }
    unit = next;
  }
  if (sequence && picture)
    kept_ = std::move(found);
  else if (!sequence && !picture)
    return kept_;
  return {};
}

}  // namespace vitrine
