// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a stream's access units go: one gate per viewer and transport.
#pragma once

#include <gst/gst.h>

#include "webrtc/latency/frame-times.h"

namespace vitrine {

/// Thread-safe. Nothing here may block: the encoder's thread calls it.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// Takes one access unit, its PTS being running time. Returns true if a keyframe is needed for this viewer.
  virtual bool push(GstBuffer* buffer, bool keyframe, const FrameTimes& times) = 0;
  virtual bool waits_for_keyframe() const = 0;
  /// Nothing flows any more.
  virtual void close() = 0;
};

}  // namespace vitrine
