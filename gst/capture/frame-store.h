// SPDX-License-Identifier: LGPL-2.1-or-later
// Picture memory that is used again, with a note for each frame of what has changed since it was filled.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "capture/damage-grid.h"
#include "capture/picture-layout.h"

namespace vitrine {

/// Memory of one picture. Once handed out it is not written again until every holder has let go of it.
class Frame {
 public:
  explicit Frame(const PictureLayout& layout);
  const uint8_t* data() const { return data_.get(); }
  size_t bytes() const { return bytes_; }

 private:
  friend class FrameStore;
  friend class FrameCanvas;
  struct Free {
    void operator()(uint8_t* data) const { std::free(data); }
  };
  size_t bytes_;
  std::unique_ptr<uint8_t, Free> data_;
  DamageGrid stale_;  // tiles in which it differs from the newest picture
};

/// Bound to one thread, but frames may be let go of on any thread and may outlive the store.
class FrameStore {
 public:
  explicit FrameStore(const PictureLayout& layout) : layout_(layout) {}

  /// A frame that nobody else holds: the one with the fewest stale tiles, or a new one.
  std::shared_ptr<Frame> take();
  /// Notes that the newest picture differs in `damage` from what all frames but `newest` hold.
  void mark_stale(const DamageGrid& damage, const Frame& newest);
  size_t frame_count() const { return frames_.size(); }

 private:
  static constexpr size_t kSpareFrames = 3;

  PictureLayout layout_;
  std::vector<std::shared_ptr<Frame>> frames_;
};

}  // namespace vitrine
