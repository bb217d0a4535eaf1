// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface behind which the ways to get at the X server's pixels stand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/geometry.h"

namespace vitrine {

/// Pixels as the server has them: 32 bits each, in memory order B, G, R, unused. Of a source with is_device_memory(),
/// `data` is an address on the device and no host pointer.
struct PixelView {
  const uint8_t* data = nullptr;
  size_t stride = 0;
};

/// Memory that the server writes too and that stays mapped as long as somebody holds this.
class SourceMemory {
 public:
  virtual ~SourceMemory() = default;
  /// Page-aligned.
  virtual const uint8_t* data() const = 0;
  virtual size_t bytes() const = 0;
};

/// What a source knows by itself of the picture it will read from.
enum class Freshness { kUnknown, kNew, kSame, kFailed };

/// Reads pixels of one drawable. Bound to the thread that uses its connection.
class FrameSource {
 public:
  virtual ~FrameSource() = default;

  virtual const char* name() const = 0;
  /// Makes the pixels of `rects`, which lie inside the drawable, readable: `views[i]` shows the top left
  /// pixel of `rects[i]`, until the next call. False when the drawable is gone or has become smaller.
  virtual bool read(const std::vector<Rect>& rects, std::vector<PixelView>& views) = 0;
  /// True when the views show memory that the server may be writing at the same time.
  virtual bool is_live_memory() const = 0;
  /// Where all views lie, if that stays the same from read to read; for whoever wants to pin it. Null: they
  /// move.
  virtual std::shared_ptr<const SourceMemory> memory() const { return nullptr; }

  // For sources whose server makes whole pictures, with the pointer in them if it is wanted.

  virtual bool is_device_memory() const { return false; }
  /// Takes the server's newest picture for the reads that follow; if `wait`, for some milliseconds, until there is one
  /// that was not taken yet.
  virtual Freshness refresh(bool /*wait*/) { return Freshness::kUnknown; }
  /// Why the last call failed.
  virtual std::string failure() const { return {}; }
};

}  // namespace vitrine
