// SPDX-License-Identifier: LGPL-2.1-or-later
// Symbols of libcuda.so.1.
#include "common/cuda-driver.h"

#include <dlfcn.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>

namespace vitrine {
namespace {

struct Loaded {
  CudaDriver driver{};
  std::string why_not;
};

Loaded load() {
  Loaded loaded;
  // GStreamer's CUDA library has calls of its own, and contexts come from it.
  if (!gst_cuda_load_library()) {
    loaded.why_not = "There is no NVIDIA driver here (libcuda.so.1 cannot be loaded)";
    return loaded;
  }
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    loaded.why_not = std::string("The NVIDIA driver cannot be loaded: ") + dlerror();
    return loaded;
  }
  const auto find = [&](const char* name, auto* function) {
    void* symbol = dlsym(library, name);
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(symbol);
    if (!symbol && loaded.why_not.empty())
      loaded.why_not = std::string("The NVIDIA driver is too old: its libcuda.so.1 has no ") + name;
  };
  CudaDriver& driver = loaded.driver;
  find("cuMemHostRegister_v2", &driver.mem_host_register);
  find("cuMemHostUnregister", &driver.mem_host_unregister);
  find("cuMemHostGetDevicePointer_v2", &driver.mem_host_get_device_pointer);
  find("cuMemHostAlloc", &driver.mem_host_alloc);
  find("cuMemFreeHost", &driver.mem_free_host);
  find("cuMemAlloc_v2", &driver.mem_alloc);
  find("cuMemFree_v2", &driver.mem_free);
  find("cuMemcpy2DAsync_v2", &driver.memcpy_2d_async);
  find("cuModuleLoadData", &driver.module_load_data);
  find("cuModuleUnload", &driver.module_unload);
  find("cuModuleGetFunction", &driver.module_get_function);
  find("cuLaunchKernel", &driver.launch_kernel);
  find("cuStreamCreate", &driver.stream_create);
  find("cuStreamDestroy_v2", &driver.stream_destroy);
  find("cuStreamSynchronize", &driver.stream_synchronize);
  find("cuEventCreate", &driver.event_create);
  find("cuEventDestroy_v2", &driver.event_destroy);
  find("cuEventRecord", &driver.event_record);
  find("cuEventSynchronize", &driver.event_synchronize);
  find("cuGetErrorName", &driver.get_error_name);
  find("cuCtxGetDevice", &driver.ctx_get_device);
  find("cuDeviceGetName", &driver.device_get_name);
  return loaded;
}

}  // namespace

const CudaDriver* CudaDriver::get(std::string* why_not) {
  static const Loaded loaded = load();
  if (loaded.why_not.empty())
    return &loaded.driver;
  *why_not = loaded.why_not;
  return nullptr;
}

void prepare_cuda_plugin(GstPlugin* plugin) {
  std::string why_not;
  if (CudaDriver::get(&why_not)) {
    gst_cuda_memory_init_once();
    return;
  }
#if GST_CHECK_VERSION(1, 24, 0)
  gst_plugin_add_status_warning(plugin, why_not.c_str());
#else
  GST_WARNING("%s cannot be used: %s", gst_plugin_get_name(plugin), why_not.c_str());
#endif
}

std::string CudaDriver::device_name(GstCudaContext* context) const {
  const CudaScope scope(context);
  CUdevice device = 0;
  char name[256] = "";
  if (!scope || ctx_get_device(&device) != CUDA_SUCCESS || device_get_name(name, sizeof name, device) != CUDA_SUCCESS)
    return "";
  return name;
}

std::string CudaDriver::describe(const char* call, CUresult result) const {
  const char* name = nullptr;
  if (get_error_name(result, &name) != CUDA_SUCCESS || !name)
    return std::string(call) + ": error " + std::to_string(static_cast<int>(result));
  return std::string(call) + ": " + name;
}

}  // namespace vitrine
