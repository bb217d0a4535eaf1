// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface behind which the memory of a capture element's pictures stands.
#pragma once

#include <gst/base/gstbasesrc.h>
#include <gst/video/video.h>

#include <chrono>
#include <string>

#include "capture/canvas.h"
#include "capture/capture-session.h"
#include "common/ref.h"

namespace vitrine {

/// Bound to one thread, but for caps().
class FrameOutput {
 public:
  using Clock = std::chrono::steady_clock;
  virtual ~FrameOutput() = default;

  /// What pictures of `size` can be; an empty size means any. Thread-safe.
  virtual Ref<GstCaps> caps(Size size) const = 0;
  /// Before anything is captured. False, with a sentence for the user in `error`, when it cannot be done here.
  virtual bool start(CaptureSettings&, std::string* /*error*/) { return true; }
  virtual void stop() = 0;

  /// How pictures of these caps lie in memory; false if they are none of ours.
  virtual bool layout(const GstVideoInfo& info, PictureLayout* layout) const = 0;
  /// Buffers come from the pool that was agreed on. False when there is none that will do.
  virtual bool decide_allocation(GstQuery* query) = 0;
  /// A new canvas, all of it damaged, in place of the one before.
  virtual Canvas& renew(const PictureLayout& layout, Point origin) = 0;
  /// The frame in progress becomes the newest one; `damage` says where it differs from the one before. Null
  /// when no buffer can be had; `flow` then says why.
  virtual Ref<GstBuffer> finish(GstBaseSrc* element, DamageGrid* damage, GstFlowReturn* flow) = 0;
  /// The newest frame once more.
  virtual Ref<GstBuffer> again(GstBaseSrc* element, GstFlowReturn* flow) = 0;
  /// For the element's statistics; may add fields. Thread-safe.
  virtual void add_stats(GstStructure*) const {}
  /// A sentence for the user once the memory's device is lost; empty while all is well.
  virtual std::string failure() const { return {}; }
  /// What was given up and why, for the log, then forgotten.
  virtual std::vector<std::string> take_notes() { return {}; }
};

/// Marks a picture's damage and the time it shows.
void add_capture_metas(GstBuffer* buffer, const DamageGrid* damage, FrameOutput::Clock::time_point captured_at);

}  // namespace vitrine
