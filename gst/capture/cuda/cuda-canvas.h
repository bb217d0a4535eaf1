// SPDX-License-Identifier: LGPL-2.1-or-later
// The canvas in device memory.
#pragma once

#include <memory>
#include <vector>

#include "capture/canvas.h"
#include "capture/cuda/cuda-device.h"
#include "capture/cuda/host-access.h"

namespace vitrine {

/// One picture that our kernels keep up to date. Whoever wants a frame copies it.
class CudaCanvas : public Canvas {
 public:
  CudaCanvas(CudaDevice& device, HostAccess& access, const PictureLayout& layout, Point origin);
  ~CudaCanvas() override;

  /// Device address of the picture; zero when there was no memory for it.
  CUdeviceptr address() const { return address_; }
  /// The frame in progress is done: where it differs from the one before.
  DamageGrid finish() { return take_drawn(); }

 protected:
  bool convert(FrameSource& source, const std::vector<Rect>& rects, const std::vector<PixelView>& views) override;
  bool convert_patch(const PixelView& view, const Rect& rect) override;

 private:
  bool run(const std::vector<Rect>& rects);

  CudaDevice& device_;
  HostAccess& access_;
  CUdeviceptr address_ = 0;
  std::vector<DevicePixels> pixels_;
};

}  // namespace vitrine
