// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures in main memory.
#pragma once

#include <memory>

#include "capture/frame-canvas.h"
#include "capture/frame-output.h"

namespace vitrine {

VITRINE_REF_TRAITS(GstMemory, gst_memory_ref, gst_memory_unref);

/// Buffers show the canvas's own frames, so nothing is copied and no pool is needed. They are read-only: who
/// wants to write into one gets a copy from GStreamer.
class SystemOutput : public FrameOutput {
 public:
  Ref<GstCaps> caps(Size size) const override;
  void stop() override;
  bool layout(const GstVideoInfo& info, PictureLayout* layout) const override;
  bool decide_allocation(GstQuery* query) override;
  Canvas& renew(const PictureLayout& layout, Point origin) override;
  Ref<GstBuffer> finish(GstBaseSrc* element, DamageGrid* damage, GstFlowReturn* flow) override;
  Ref<GstBuffer> again(GstBaseSrc* element, GstFlowReturn* flow) override;

 private:
  std::unique_ptr<FrameCanvas> canvas_;
  Ref<GstMemory> memory_;  // of the newest frame
};

}  // namespace vitrine
