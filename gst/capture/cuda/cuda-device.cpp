// SPDX-License-Identifier: LGPL-2.1-or-later
// Loading and launching of the conversion kernels.
#include "capture/cuda/cuda-device.h"

#include <algorithm>

extern "C" const char vitrine_convert_ptx[];

namespace vitrine {

std::unique_ptr<CudaDevice> CudaDevice::create(const CudaDriver& driver, GstCudaContext* context,
                                               std::string* error) {
  std::unique_ptr<CudaDevice> device(new CudaDevice(driver, context));
  const CudaScope scope(context);
  if (!scope) {
    *error = "The CUDA context cannot be made current";
    return nullptr;
  }
  // The thread sleeps while it waits; the default is to spin.
  constexpr unsigned kEventFlags = CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING;
  const bool ok =
      device->succeeded("cuModuleLoadData", driver.module_load_data(&device->module_, vitrine_convert_ptx)) &&
      device->succeeded("cuModuleGetFunction", driver.module_get_function(&device->to_nv12_, device->module_,
                                                                          "vitrine_bgrx_to_nv12")) &&
      device->succeeded("cuModuleGetFunction",
                        driver.module_get_function(&device->to_bgrx_, device->module_, "vitrine_bgrx_copy")) &&
      device->succeeded("cuStreamCreate", driver.stream_create(&device->stream_, CU_STREAM_NON_BLOCKING)) &&
      device->succeeded("cuEventCreate", driver.event_create(&device->event_, kEventFlags));
  if (ok)
    return device;
  *error = device->failure();
  return nullptr;
}

CudaDevice::~CudaDevice() {
  const CudaScope scope(context_.get());
  if (!scope)
    return;
  if (event_)
    driver_.event_destroy(event_);
  if (stream_)
    driver_.stream_destroy(stream_);
  if (module_)
    driver_.module_unload(module_);
}

bool CudaDevice::succeeded(const char* call, CUresult result) {
  if (result == CUDA_SUCCESS)
    return true;
  if (failure_.empty())
    failure_ = "The NVIDIA driver refuses: " + driver_.describe(call, result);
  return false;
}

CUdeviceptr CudaDevice::allocate(size_t bytes) {
  CUdeviceptr address = 0;
  return succeeded("cuMemAlloc", driver_.mem_alloc(&address, bytes)) ? address : 0;
}

bool CudaDevice::launch(PixelFormat format, VitrineConvertJob& job, int count) {
  int width = 0;
  int height = 0;
  for (int i = 0; i < count; i++) {
    width = std::max(width, job.rects[i].width);
    height = std::max(height, job.rects[i].height);
  }
  const auto blocks = [](int pixels, int threads) {
    return static_cast<unsigned>((pixels + 2 * threads - 1) / (2 * threads));
  };
  void* parameters[] = {&job};
  return succeeded("cuLaunchKernel",
                   driver_.launch_kernel(format == PixelFormat::kNv12 ? to_nv12_ : to_bgrx_,
                                         blocks(width, VITRINE_CONVERT_BLOCK_X), blocks(height, VITRINE_CONVERT_BLOCK_Y),
                                         static_cast<unsigned>(count), VITRINE_CONVERT_BLOCK_X,
                                         VITRINE_CONVERT_BLOCK_Y, 1, 0, stream_, parameters, nullptr));
}

bool CudaDevice::copy(const CUDA_MEMCPY2D& copy) {
  return succeeded("cuMemcpy2DAsync", driver_.memcpy_2d_async(&copy, stream_));
}

bool CudaDevice::wait() {
  return succeeded("cuEventRecord", driver_.event_record(event_, stream_)) &&
         succeeded("cuEventSynchronize", driver_.event_synchronize(event_));
}

}  // namespace vitrine
