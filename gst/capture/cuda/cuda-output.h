// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures in CUDA memory.
#pragma once

#include <glib.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "capture/cuda/cuda-canvas.h"
#include "capture/cuda/cuda-device.h"
#include "capture/cuda/host-access.h"
#include "capture/frame-output.h"

namespace vitrine {

/// Buffers come from a CUDA pool, downstream's if it has one on our context, and each gets one copy on the device.
class CudaOutput : public FrameOutput {
 public:
  explicit CudaOutput(GstElement* element) : element_(element) {}
  ~CudaOutput() override;

  Ref<GstCaps> caps(Size size) const override;
  bool start(CaptureSettings& settings, std::string* error) override;
  void stop() override;
  bool layout(const GstVideoInfo& info, PictureLayout* layout) const override;
  bool decide_allocation(GstQuery* query) override;
  Canvas& renew(const PictureLayout& layout, Point origin) override;
  Ref<GstBuffer> finish(GstBaseSrc* element, DamageGrid* damage, GstFlowReturn* flow) override;
  Ref<GstBuffer> again(GstBaseSrc* element, GstFlowReturn* flow) override;
  void add_stats(GstStructure* stats) const override;
  std::vector<std::string> take_notes() override;
  std::string failure() const override { return device_ ? device_->failure() : ""; }

  // From any thread.
  void set_device_id(int id);
  int device_id();
  void set_context(GstContext* context);
  bool answer_context_query(GstQuery* query);

 private:
  bool renew_context();
  bool copy_to(GstBuffer* buffer, const GstVideoInfo& info);

  GstElement* element_;
  // Recursive: to ask for a context ends in set_context() on the same thread.
  mutable std::recursive_mutex mutex_;
  GstCudaContext* context_ = nullptr;
  int device_id_ = -1;
  uint64_t registrations_ = 0;  // when there was a device last
  uint64_t copied_bytes_ = 0;

  // These use the device, so they are declared after it and end before it.
  std::unique_ptr<CudaDevice> device_;
  std::unique_ptr<HostAccess> access_;
  std::unique_ptr<CudaCanvas> canvas_;
  GstVideoInfo info_{};
};

}  // namespace vitrine
