// SPDX-License-Identifier: LGPL-2.1-or-later
// Registered memory, pinned staging, upload: in this order.
#include "capture/cuda/host-access.h"

#include <cstring>

namespace vitrine {
namespace {

constexpr size_t kPage = 4096;

/// Rows of staged pixels start at even ones, so that the kernel can read two at a time.
size_t staged_stride(const Rect& rect) {
  return (static_cast<size_t>(rect.width) * 4 + 7) & ~size_t{7};
}

}  // namespace

HostAccess::~HostAccess() {
  const CudaScope scope(device_.context());
  if (!scope)
    return;
  detach();
  if (staging_)
    device_.driver().mem_free_host(staging_);
  if (uploads_)
    device_.driver().mem_free(uploads_);
}

void HostAccess::detach() {
  if (base_)
    device_.driver().mem_host_unregister(const_cast<uint8_t*>(memory_->data()));
  base_ = 0;
  memory_.reset();
}

void HostAccess::note_way(Way way, const std::string& why) {
  if (way == way_)
    return;
  way_ = way;
  switch (way) {
    case Way::kRegistered:
      notes_.push_back("the GPU reads the frame's memory where it is");
      break;
    case Way::kStaged:
      notes_.push_back("pixels go through pinned memory: " + why);
      break;
    case Way::kUploaded:
      notes_.push_back("pixels are uploaded from pageable memory: " + why);
      break;
  }
}

bool HostAccess::attach(const std::shared_ptr<const SourceMemory>& memory) {
  if (memory == memory_)
    return base_ != 0;
  detach();
  memory_ = memory;
  if (!memory) {
    note_way(staging_refused_ ? Way::kUploaded : Way::kStaged, "the X server shares no memory");
    return false;
  }
  const CudaDriver& driver = device_.driver();
  auto* data = const_cast<uint8_t*>(memory->data());
  const size_t bytes = (memory->bytes() + kPage - 1) / kPage * kPage;
  CUresult result = driver.mem_host_register(data, bytes, CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP);
  const char* call = "cuMemHostRegister";
  if (result == CUDA_SUCCESS) {
    registrations_++;
    result = driver.mem_host_get_device_pointer(&base_, data, 0);
    if (result == CUDA_SUCCESS) {
      note_way(Way::kRegistered, "");
      return true;
    }
    call = "cuMemHostGetDevicePointer";
    driver.mem_host_unregister(data);
    base_ = 0;
  }
  note_way(staging_refused_ ? Way::kUploaded : Way::kStaged, driver.describe(call, result));
  return false;
}

bool HostAccess::reach(FrameSource& source, const std::vector<Rect>& rects, const std::vector<PixelView>& views,
                       std::vector<DevicePixels>* pixels) {
  if (source.is_device_memory()) {
    pixels->clear();
    for (const PixelView& view : views)
      pixels->push_back({reinterpret_cast<CUdeviceptr>(view.data), static_cast<unsigned>(view.stride)});
    return true;
  }
  if (!attach(source.memory()))
    return reach_copy(rects, views, pixels);
  pixels->clear();
  for (const PixelView& view : views)
    pixels->push_back({base_ + static_cast<CUdeviceptr>(view.data - memory_->data()), static_cast<unsigned>(view.stride)});
  return true;
}

bool HostAccess::stage(size_t bytes) {
  if (staging_refused_)
    return false;
  if (bytes <= staging_bytes_)
    return true;
  const CudaDriver& driver = device_.driver();
  if (staging_)
    driver.mem_free_host(staging_);
  staging_ = nullptr;
  staging_bytes_ = 0;
  CUresult result = driver.mem_host_alloc(&staging_, bytes, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP);
  const char* call = "cuMemHostAlloc";
  if (result == CUDA_SUCCESS) {
    result = driver.mem_host_get_device_pointer(&staging_address_, staging_, 0);
    call = "cuMemHostGetDevicePointer";
  }
  if (result == CUDA_SUCCESS) {
    staging_bytes_ = bytes;
    return true;
  }
  if (staging_)
    driver.mem_free_host(staging_);
  staging_ = nullptr;
  staging_refused_ = true;
  if (!base_)
    note_way(Way::kUploaded, driver.describe(call, result));
  return false;
}

bool HostAccess::reach_copy(const std::vector<Rect>& rects, const std::vector<PixelView>& views,
                            std::vector<DevicePixels>* pixels) {
  size_t bytes = 0;
  for (const Rect& rect : rects)
    bytes += staged_stride(rect) * rect.height;
  copied_bytes_ += bytes;
  if (!stage(bytes))
    return upload(rects, views, bytes, pixels);
  pixels->clear();
  size_t offset = 0;
  for (size_t i = 0; i < rects.size(); i++) {
    const size_t stride = staged_stride(rects[i]);
    pixels->push_back({staging_address_ + offset, static_cast<unsigned>(stride)});
    for (int y = 0; y < rects[i].height; y++, offset += stride)
      std::memcpy(static_cast<uint8_t*>(staging_) + offset, views[i].data + y * views[i].stride,
                  static_cast<size_t>(rects[i].width) * 4);
  }
  return true;
}

bool HostAccess::upload(const std::vector<Rect>& rects, const std::vector<PixelView>& views, size_t bytes,
                        std::vector<DevicePixels>* pixels) {
  if (bytes > upload_bytes_) {
    if (uploads_)
      device_.driver().mem_free(uploads_);
    uploads_ = device_.allocate(bytes);
    upload_bytes_ = uploads_ ? bytes : 0;
    if (!uploads_)
      return false;
  }
  pixels->clear();
  size_t offset = 0;
  for (size_t i = 0; i < rects.size(); i++) {
    const size_t stride = staged_stride(rects[i]);
    CUDA_MEMCPY2D copy{};
    copy.srcMemoryType = CU_MEMORYTYPE_HOST;
    copy.srcHost = views[i].data;
    copy.srcPitch = views[i].stride;
    copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = uploads_ + offset;
    copy.dstPitch = stride;
    copy.WidthInBytes = static_cast<size_t>(rects[i].width) * 4;
    copy.Height = static_cast<size_t>(rects[i].height);
    if (!device_.copy(copy))
      return false;
    pixels->push_back({uploads_ + offset, static_cast<unsigned>(stride)});
    offset += stride * rects[i].height;
  }
  return true;
}

}  // namespace vitrine
