// SPDX-License-Identifier: LGPL-2.1-or-later
// Damaged rectangles into the device's picture, one launch for all.
#include "capture/cuda/cuda-canvas.h"

namespace vitrine {

CudaCanvas::CudaCanvas(CudaDevice& device, HostAccess& access, const PictureLayout& layout, Point origin)
    : Canvas(layout, origin.x, origin.y), device_(device), access_(access) {
  static_assert(kMostRects <= VITRINE_CONVERT_RECTS);
  if (const CudaScope scope(device.context()); scope)
    address_ = device.allocate(layout.bytes);
}

CudaCanvas::~CudaCanvas() {
  if (const CudaScope scope(device_.context()); scope && address_)
    device_.driver().mem_free(address_);
}

bool CudaCanvas::convert(FrameSource& source, const std::vector<Rect>& rects,
                         const std::vector<PixelView>& views) {
  const CudaScope scope(device_.context());
  return scope && address_ && access_.reach(source, rects, views, &pixels_) && run(rects);
}

bool CudaCanvas::convert_patch(const PixelView& view, const Rect& rect) {
  const CudaScope scope(device_.context());
  return scope && access_.reach_copy({rect}, {view}, &pixels_) && run({rect});
}

/// Waits, since the caller looks for tears next, and since the next pixels take the place of these.
bool CudaCanvas::run(const std::vector<Rect>& rects) {
  const PictureLayout& to = layout();
  VitrineConvertJob job{};
  job.luma = address_ + to.planes[0].offset;
  job.luma_stride = to.planes[0].stride;
  if (to.plane_count > 1) {
    job.chroma = address_ + to.planes[1].offset;
    job.chroma_stride = to.planes[1].stride;
  }
  job.or_mask = 0xff000000;  // opaque, for whoever takes the fourth byte for alpha
  for (size_t i = 0; i < rects.size(); i++)
    job.rects[i] = {pixels_[i].address, pixels_[i].stride, rects[i].x, rects[i].y, rects[i].width, rects[i].height, 0};
  return device_.launch(to.format, job, static_cast<int>(rects.size())) && device_.wait();
}

}  // namespace vitrine
