// SPDX-License-Identifier: LGPL-2.1-or-later
// A context with our kernels loaded, and a stream and an event of our own.
#pragma once

#include <memory>
#include <string>

#include "capture/cuda/convert-job.h"
#include "capture/picture-layout.h"
#include "common/cuda-driver.h"

namespace vitrine {

/// Bound to one thread. The functions that return bool leave a sentence in failure() when they return false; from then
/// on the device is lost.
class CudaDevice {
 public:
  /// Null, with a sentence in `error`, when kernels or stream cannot be made.
  static std::unique_ptr<CudaDevice> create(const CudaDriver& driver, GstCudaContext* context, std::string* error);
  ~CudaDevice();
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  const CudaDriver& driver() const { return driver_; }
  GstCudaContext* context() const { return context_.get(); }
  const std::string& failure() const { return failure_; }

  // The rest with the context current.

  /// Device memory; zero when there is none left. Give it back with driver().mem_free.
  CUdeviceptr allocate(size_t bytes);
  /// Starts the kernel for `format` on the first `count` rectangles of `job`.
  bool launch(PixelFormat format, VitrineConvertJob& job, int count);
  bool copy(const CUDA_MEMCPY2D& copy);
  /// Sleeps until all that was started is done.
  bool wait();

 private:
  CudaDevice(const CudaDriver& driver, GstCudaContext* context)
      : driver_(driver), context_(Ref<GstCudaContext>::share(context)) {}
  bool succeeded(const char* call, CUresult result);

  const CudaDriver& driver_;
  Ref<GstCudaContext> context_;
  CUmodule module_ = nullptr;
  CUfunction to_nv12_ = nullptr;
  CUfunction to_bgrx_ = nullptr;
  CUstream stream_ = nullptr;
  CUevent event_ = nullptr;
  std::string failure_;
};

}  // namespace vitrine
