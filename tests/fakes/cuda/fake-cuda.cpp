// SPDX-License-Identifier: LGPL-2.1-or-later
// A fake libcuda.so.1: device memory is host memory at other addresses, work on a stream waits until somebody waits
// for it, arguments are checked more strictly than by a real driver.
//
// FAKE_CUDA, a comma-separated list, makes it misbehave:
//   no-device         there is a driver, but no GPU
//   refuse-register   cuMemHostRegister fails
//   refuse-pinned     cuMemHostAlloc fails
//   refuse-memory     cuMemAlloc fails
//   refuse-module     cuModuleLoadData fails
//   fail-launch=N     the launch number N since a context was made fails and takes its context along
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "fake-driver.h"
#include "kernels.h"

using namespace vitrine::fake_driver;

namespace {

struct Event {
  CUstream stream = nullptr;
};

struct Kernel {
  vitrine::HostKernel run;
};

/// Translates the addresses of a job, after a look at what the kernel would touch.
bool translate(VitrineConvertJob& job, unsigned count, bool is_nv12, std::string* why) {
  if (count > VITRINE_CONVERT_RECTS) {
    *why = "more layers than rectangles";
    return false;
  }
  const auto check = [&](CUdeviceptr address, size_t bytes, const char* what) {
    if (!is_device_range(address, bytes))
      *why = std::string(what) + " outside of device memory";
    return why->empty();
  };
  for (unsigned i = 0; i < count; i++) {
    VitrineConvertRect& rect = job.rects[i];
    const auto width = static_cast<size_t>(rect.width);
    const auto height = static_cast<size_t>(rect.height);
    if (rect.x < 0 || rect.y < 0 || rect.x % 2 || rect.y % 2 || rect.width <= 0 || rect.height <= 0)
      *why = "a rectangle of odd or negative place";
    else if (rect.source % 4 || rect.stride < width * 4)
      *why = "a source that is not aligned, or rows that overlap";
    const size_t luma_row = is_nv12 ? width : width * 4;
    const size_t luma_x = is_nv12 ? rect.x : static_cast<size_t>(rect.x) * 4;
    if (!why->empty() || !check(rect.source, (height - 1) * rect.stride + width * 4, "source") ||
        !check(job.luma + rect.y * size_t(job.luma_stride) + luma_x, (height - 1) * job.luma_stride + luma_row, "luma") ||
        (is_nv12 && !check(job.chroma + rect.y / 2 * size_t(job.chroma_stride) + rect.x,
                           ((height + 1) / 2 - 1) * job.chroma_stride + (width + 1) / 2 * 2, "chroma")))
      return false;
    rect.source -= kDeviceOffset;
  }
  job.luma -= kDeviceOffset;
  job.chroma -= kDeviceOffset;
  return true;
}

}  // namespace

EXPORT vitrine::FakeCudaCounters* fake_cuda_counters() {
  return &state().counters;
}

/// For the fake encoder: the bytes behind a device address, or null if not all of them are device memory.
EXPORT const uint8_t* fake_cuda_device_bytes(CUdeviceptr address, size_t bytes) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  return is_device_range(address, bytes) ? host<uint8_t>(address) : nullptr;
}

EXPORT CUresult cuInit(unsigned) {
  return asked_for("no-device") ? kNoDevice : CUDA_SUCCESS;
}
EXPORT CUresult cuDriverGetVersion(int* version) {
  *version = 12040;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuGetErrorName(CUresult result, const char** name) {
  static const std::map<int, const char*> names = {
      {0, "CUDA_SUCCESS"},
      {1, "CUDA_ERROR_INVALID_VALUE"},
      {2, "CUDA_ERROR_OUT_OF_MEMORY"},
      {100, "CUDA_ERROR_NO_DEVICE"},
      {101, "CUDA_ERROR_INVALID_DEVICE"},
      {200, "CUDA_ERROR_INVALID_IMAGE"},
      {201, "CUDA_ERROR_INVALID_CONTEXT"},
      {500, "CUDA_ERROR_NOT_FOUND"},
      {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
      {712, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED"},
      {713, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED"},
      {800, "CUDA_ERROR_NOT_PERMITTED"},
      {801, "CUDA_ERROR_NOT_SUPPORTED"},
  };
  const auto found = names.find(static_cast<int>(result));
  *name = found == names.end() ? nullptr : found->second;
  return *name ? CUDA_SUCCESS : kInvalidValue;
}
EXPORT CUresult cuGetErrorString(CUresult result, const char** text) {
  return cuGetErrorName(result, text);
}

EXPORT CUresult cuDeviceGetCount(int* count) {
  *count = asked_for("no-device") ? 0 : 1;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDeviceGet(CUdevice* out, int ordinal) {
  *out = ordinal;
  return ordinal == 0 && !asked_for("no-device") ? CUDA_SUCCESS : kInvalidDevice;
}
EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice) {
  std::snprintf(name, static_cast<size_t>(length), "Fake GPU");
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  switch (static_cast<int>(attribute)) {
    case 14:  // texture alignment: GStreamer pitches rows by it
      *value = kPitch;
      break;
    case 75:  // compute capability 8.6
      *value = 8;
      break;
    case 76:
      *value = 6;
      break;
    default:
      *value = 1;
      break;
  }
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDeviceCanAccessPeer(int* can, CUdevice, CUdevice) {
  *can = 0;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice) {
  std::snprintf(id, static_cast<size_t>(length), "0000:01:00.0");
  return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxCreate_v2(CUcontext* context, unsigned, CUdevice ordinal) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (ordinal != 0 || asked_for("no-device"))
    return kInvalidDevice;
  state().counters.launches = 0;
  *context = reinterpret_cast<CUcontext>(new char);
  state().contexts.insert(*context);
  state().counters.live_contexts++;
  current.push_back(*context);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuCtxDestroy_v2(CUcontext context) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (!state().contexts.erase(context))
    return misuse("cuCtxDestroy", "no such context", kInvalidContext);
  state().counters.live_contexts--;
  state().lost.erase(context);
  std::erase(current, context);
  delete reinterpret_cast<char*>(context);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (!state().contexts.count(context))
    return misuse("cuCtxPushCurrent", "no such context", kInvalidContext);
  current.push_back(context);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  if (current.empty())
    return misuse("cuCtxPopCurrent", "no context is current", kInvalidContext);
  if (context)
    *context = current.back();
  current.pop_back();
  return CUDA_SUCCESS;
}
EXPORT CUresult cuCtxGetDevice(CUdevice* ordinal) {
  *ordinal = 0;
  return current.empty() ? kInvalidContext : CUDA_SUCCESS;
}
EXPORT CUresult cuCtxSynchronize() {
  NEED_CONTEXT("cuCtxSynchronize");
  for (auto& stream : state().streams)
    run_stream(stream.first);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuCtxEnablePeerAccess(CUcontext, unsigned) {
  return kNotSupported;
}
EXPORT CUresult cuCtxDisablePeerAccess(CUcontext) {
  return kNotSupported;
}

EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned) {
  NEED_CONTEXT("cuStreamCreate");
  *stream = reinterpret_cast<CUstream>(new char);
  state().streams[*stream];
  state().counters.live_streams++;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (!state().streams.count(stream))
    return misuse("cuStreamDestroy", "no such stream", kInvalidValue);
  run_stream(stream);
  state().streams.erase(stream);
  state().counters.live_streams--;
  delete reinterpret_cast<char*>(stream);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuStreamDestroy(CUstream stream) {
  return cuStreamDestroy_v2(stream);
}
EXPORT CUresult cuStreamSynchronize(CUstream stream) {
  NEED_CONTEXT("cuStreamSynchronize");
  if (stream)
    run_stream(stream);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuEventCreate(CUevent* event, unsigned) {
  NEED_CONTEXT("cuEventCreate");
  *event = reinterpret_cast<CUevent>(new Event);
  state().events.insert(*event);
  state().counters.live_events++;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (!state().events.erase(event))
    return misuse("cuEventDestroy", "no such event", kInvalidValue);
  state().counters.live_events--;
  delete reinterpret_cast<Event*>(event);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  NEED_CONTEXT("cuEventRecord");
  reinterpret_cast<Event*>(event)->stream = stream;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuEventSynchronize(CUevent event) {
  NEED_CONTEXT("cuEventSynchronize");
  if (CUstream stream = reinterpret_cast<Event*>(event)->stream)
    run_stream(stream);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  NEED_CONTEXT("cuModuleLoadData");
  if (asked_for("refuse-module") || !std::strstr(static_cast<const char*>(image), ".target sm_"))
    return kInvalidImage;
  *module = reinterpret_cast<CUmodule>(new std::string(static_cast<const char*>(image)));
  state().modules.insert(*module);
  state().counters.live_modules++;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuModuleUnload(CUmodule module) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (!state().modules.erase(module))
    return misuse("cuModuleUnload", "no such module", kInvalidValue);
  state().counters.live_modules--;
  delete reinterpret_cast<std::string*>(module);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  NEED_CONTEXT("cuModuleGetFunction");
  static Kernel kernels[2];
  const vitrine::HostKernel run = vitrine::find_host_kernel(name);
  const std::string& image = *reinterpret_cast<std::string*>(module);
  if (!run || image.find(std::string(".visible .entry ") + name + "(") == std::string::npos)
    return kNotFound;
  Kernel& kernel = kernels[std::strcmp(name, "vitrine_bgrx_to_nv12") == 0];
  kernel.run = run;
  *function = reinterpret_cast<CUfunction>(&kernel);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                               unsigned block_y, unsigned block_z, unsigned shared, CUstream stream, void** parameters,
                               void** extra) {
  NEED_CONTEXT("cuLaunchKernel");
  const uint64_t number = ++state().counters.launches;
  unsigned long failing = 0;
  if (asked_for("fail-launch", &failing) && number >= failing) {
    state().lost.insert(current.back());
    return kIllegalAddress;
  }
  if (grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_y > 65535 || grid_z > 65535 || block_x * block_y * block_z == 0 ||
      block_x * block_y * block_z > 1024 || block_z != 1 || shared != 0 || extra || !state().streams.count(stream))
    return misuse("cuLaunchKernel", "a grid or block that no device takes", kInvalidValue);
  const Kernel& kernel = *reinterpret_cast<Kernel*>(function);
  auto job = std::make_shared<VitrineConvertJob>(*static_cast<VitrineConvertJob*>(parameters[0]));
  std::string why;
  if (!translate(*job, grid_z, kernel.run == vitrine::find_host_kernel("vitrine_bgrx_to_nv12"), &why)) {
    state().lost.insert(current.back());
    return misuse("cuLaunchKernel", why, kIllegalAddress);
  }
  submit(stream, [=, run = kernel.run] {
    const unsigned grid[3] = {grid_x, grid_y, grid_z};
    const unsigned block[2] = {block_x, block_y};
    vitrine::run_host_kernel(run, *job, grid, block);
  });
  return CUDA_SUCCESS;
}

// GStreamer's library asks for these too; nobody here calls them.
#define NOT_SUPPORTED(name) \
  EXPORT CUresult name() {  \
    return kNotSupported;   \
  }
NOT_SUPPORTED(cuTexObjectCreate)
NOT_SUPPORTED(cuTexObjectDestroy)
NOT_SUPPORTED(cuGraphicsMapResources)
NOT_SUPPORTED(cuGraphicsUnmapResources)
NOT_SUPPORTED(cuGraphicsUnregisterResource)
NOT_SUPPORTED(cuGraphicsGLRegisterImage)
NOT_SUPPORTED(cuGraphicsGLRegisterBuffer)
NOT_SUPPORTED(cuGraphicsResourceSetMapFlags_v2)
NOT_SUPPORTED(cuGraphicsSubResourceGetMappedArray)
NOT_SUPPORTED(cuGraphicsResourceGetMappedPointer_v2)
NOT_SUPPORTED(cuGLGetDevices_v2)
