// SPDX-License-Identifier: LGPL-2.1-or-later
// How the GPU gets at pixels in host memory.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "capture/cuda/cuda-device.h"
#include "capture/frame-source.h"

namespace vitrine {

struct DevicePixels {
  CUdeviceptr address = 0;
  unsigned stride = 0;  // bytes
};

/// The source's memory is registered with the driver once and then read by the GPU where it is. If that is refused,
/// the wanted rectangles go through pinned memory of ours; if there is none to be had, they are uploaded.
/// Bound to one thread; needs the context current, also in the destructor's scope (it makes it so itself).
class HostAccess {
 public:
  enum class Way { kRegistered, kStaged, kUploaded };

  explicit HostAccess(CudaDevice& device) : device_(device) {}
  ~HostAccess();
  HostAccess(const HostAccess&) = delete;
  HostAccess& operator=(const HostAccess&) = delete;

  /// Device addresses for what `views` show of `source`; `rects` give the sizes. Valid until the next call. False
  /// when the device fails.
  bool reach(FrameSource& source, const std::vector<Rect>& rects, const std::vector<PixelView>& views,
             std::vector<DevicePixels>* pixels);
  /// The same for pixels that are not the source's.
  bool reach_copy(const std::vector<Rect>& rects, const std::vector<PixelView>& views,
                  std::vector<DevicePixels>* pixels);

  Way way() const { return way_; }
  uint64_t registrations() const { return registrations_; }
  /// Bytes of pixels that the CPU has copied.
  uint64_t copied_bytes() const { return copied_bytes_; }
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

 private:
  bool attach(const std::shared_ptr<const SourceMemory>& memory);
  void detach();
  bool stage(size_t bytes);
  bool upload(const std::vector<Rect>& rects, const std::vector<PixelView>& views, size_t bytes,
              std::vector<DevicePixels>* pixels);
  void note_way(Way way, const std::string& why);

  CudaDevice& device_;
  Way way_ = Way::kRegistered;
  std::shared_ptr<const SourceMemory> memory_;  // looked at, registered or not
  CUdeviceptr base_ = 0;                        // zero: not registered
  void* staging_ = nullptr;
  CUdeviceptr staging_address_ = 0;
  size_t staging_bytes_ = 0;
  bool staging_refused_ = false;
  CUdeviceptr uploads_ = 0;
  size_t upload_bytes_ = 0;
  std::atomic<uint64_t> registrations_{0};
  std::atomic<uint64_t> copied_bytes_{0};
  std::vector<std::string> notes_;
};

}  // namespace vitrine
