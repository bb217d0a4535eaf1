// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames, found free by their use count.
#include "capture/frame-store.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

namespace vitrine {
namespace {

constexpr size_t kAlignment = 64;

}  // namespace

Frame::Frame(const PictureLayout& layout) : bytes_(layout.bytes), stale_(layout.size) {
  const size_t rounded = (bytes_ + kAlignment - 1) / kAlignment * kAlignment;
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
  if (!data_)
    throw std::bad_alloc();
  std::memset(data_.get(), 0, rounded);  // row padding is never written by the converter
  stale_.add_all();
}

std::shared_ptr<Frame> FrameStore::take() {
  size_t spare = 0;
  auto best = frames_.end();
  auto worst = frames_.end();
  int fewest = 0;
  int most = 0;
  for (auto frame = frames_.begin(); frame != frames_.end(); ++frame) {
    if (frame->use_count() != 1)
      continue;
    spare++;
    const int stale = (*frame)->stale_.tile_count();
    if (best == frames_.end() || stale < fewest) {
      best = frame;
      fewest = stale;
    }
    if (worst == frames_.end() || stale >= most) {
      worst = frame;
      most = stale;
    }
  }
  if (best == frames_.end()) {
    frames_.push_back(std::make_shared<Frame>(layout_));
    return frames_.back();
  }
  // What the last holder read happened before it let go: pairs with the decrement of the use count.
  std::atomic_thread_fence(std::memory_order_acquire);
  std::shared_ptr<Frame> frame = *best;
  if (spare > kSpareFrames && worst != best)
    frames_.erase(worst);
  return frame;
}

void FrameStore::mark_stale(const DamageGrid& damage, const Frame& newest) {
  for (const auto& frame : frames_) {
    if (frame.get() != &newest)
      frame->stale_.add(damage);
  }
}

}  // namespace vitrine
