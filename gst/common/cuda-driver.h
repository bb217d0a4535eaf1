// SPDX-License-Identifier: LGPL-2.1-or-later
// The CUDA driver, loaded at run time: the calls that GStreamer's CUDA library does not wrap in all versions.
#pragma once

#include <cuda.h>
#include <gst/cuda/gstcudacontext.h>
#include <gst/cuda/gstcudautils.h>

#include <string>

#include "common/ref.h"

namespace vitrine {

/// Functions of libcuda.so.1, as the CUDA Driver API reference describes them. Thread-safe.
struct CudaDriver {
  CUresult (*mem_host_register)(void* memory, size_t bytes, unsigned flags);
  CUresult (*mem_host_unregister)(void* memory);
  CUresult (*mem_host_get_device_pointer)(CUdeviceptr* address, void* memory, unsigned flags);
  CUresult (*mem_host_alloc)(void** memory, size_t bytes, unsigned flags);
  CUresult (*mem_free_host)(void* memory);
  CUresult (*mem_alloc)(CUdeviceptr* address, size_t bytes);
  CUresult (*mem_free)(CUdeviceptr address);
  CUresult (*memcpy_2d_async)(const CUDA_MEMCPY2D* copy, CUstream stream);
  CUresult (*module_load_data)(CUmodule* module, const void* image);
  CUresult (*module_unload)(CUmodule module);
  CUresult (*module_get_function)(CUfunction* function, CUmodule module, const char* name);
  CUresult (*launch_kernel)(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                            unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream,
                            void** parameters, void** extra);
  CUresult (*stream_create)(CUstream* stream, unsigned flags);
  CUresult (*stream_destroy)(CUstream stream);
  CUresult (*stream_synchronize)(CUstream stream);
  CUresult (*event_create)(CUevent* event, unsigned flags);
  CUresult (*event_destroy)(CUevent event);
  CUresult (*event_record)(CUevent event, CUstream stream);
  CUresult (*event_synchronize)(CUevent event);
  CUresult (*get_error_name)(CUresult result, const char** name);
  CUresult (*ctx_get_device)(CUdevice* device);
  CUresult (*device_get_name)(char* name, int length, CUdevice device);

  /// Null, with a sentence for the user in `why_not`, where there is no driver. Loaded once; never unloaded.
  static const CudaDriver* get(std::string* why_not);

  /// "cuLaunchKernel: CUDA_ERROR_ILLEGAL_ADDRESS"
  std::string describe(const char* call, CUresult result) const;
  /// "NVIDIA H200"; empty when the driver does not tell.
  std::string device_name(GstCudaContext* context) const;
};

/// For plugin_init(): makes CUDA memory known where there is a driver, else leaves a status warning with the plugin.
void prepare_cuda_plugin(GstPlugin* plugin);

/// Makes a context current on this thread for a scope.
class CudaScope {
 public:
  explicit CudaScope(GstCudaContext* context) : pushed_(gst_cuda_context_push(context)) {}
  ~CudaScope() {
    if (pushed_)
      gst_cuda_context_pop(nullptr);
  }
  CudaScope(const CudaScope&) = delete;
  CudaScope& operator=(const CudaScope&) = delete;
  explicit operator bool() const { return pushed_; }

 private:
  bool pushed_;
};

}  // namespace vitrine
