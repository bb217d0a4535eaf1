// SPDX-License-Identifier: LGPL-2.1-or-later
// From a buffer to memory that NVENC reads.
#pragma once

#include <gst/video/video.h>

#include <atomic>
#include <memory>
#include <string>

#include "common/cuda-driver.h"
#include "nvenc/nvenc-session.h"

namespace vitrine {

struct NvencInputResource {
  NV_ENC_REGISTERED_PTR resource = nullptr;
  unsigned pitch = 0;
};

/// CUDA memory of our context that lies as NVENC wants it is registered once, for as long as it lives, and read where it
/// is. Everything else is copied into a surface of ours. Bound to the thread that encodes.
class NvencInput {
 public:
  NvencInput(const CudaDriver& driver, GstCudaContext* context);
  ~NvencInput();
  NvencInput(const NvencInput&) = delete;
  NvencInput& operator=(const NvencInput&) = delete;

  /// What to encode for `frame`, which stays mapped until after the encoding. Without a resource when that failed; then
  /// failure() tells why.
  /// `on_device`: what can_map_on_device() said of the frame's buffer.
  NvencInputResource take(const std::shared_ptr<NvencSession>& session, GstVideoFrame* frame, bool on_device);
  /// Whether to map `buffer` with GST_MAP_CUDA: it is memory of our context.
  bool can_map_on_device(GstBuffer* buffer) const;
  const std::string& failure() const { return failure_; }
  uint64_t registrations() const { return registrations_; }
  uint64_t copies() const { return copies_; }

 private:
  NvencInputResource in_place(const std::shared_ptr<NvencSession>& session, GstMemory* memory, const NvencSurface& surface);
  NvencInputResource copied(const std::shared_ptr<NvencSession>& session, GstVideoFrame* frame, bool on_device);
  bool make_surface(const NvencSettings& settings);
  void release_surface();
  bool succeeded(const char* call, CUresult result);

  const CudaDriver& driver_;
  Ref<GstCudaContext> context_;
  CUstream stream_ = nullptr;
  NvencSurface surface_;  // ours
  std::weak_ptr<NvencSession> surface_session_;
  unsigned surface_epoch_ = 0;
  NV_ENC_REGISTERED_PTR surface_resource_ = nullptr;
  std::string failure_;
  std::atomic<uint64_t> registrations_{0};
  std::atomic<uint64_t> copies_{0};
};

}  // namespace vitrine
