// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory of the fake driver: device, pinned, registered; copies between them.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "fake-driver.h"

using namespace vitrine::fake_driver;

namespace {

bool is_writable(const void* memory, size_t bytes) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  uintptr_t at = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t end = at + bytes;
  while (at < end && std::getline(maps, line)) {
    unsigned long first = 0;
    unsigned long last = 0;
    char flags[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &first, &last, flags) != 3 || last <= at)
      continue;
    if (first > at || flags[0] != 'r' || flags[1] != 'w')
      return false;
    at = last;
  }
  return at >= end;
}

struct Side {
  CUmemorytype type;
  const void* host_memory;
  CUdeviceptr device_memory;
  size_t x, y, pitch;
};

/// Null when the rows lie outside what may be touched.
uint8_t* rows_of(const Side& side, size_t width, size_t height, std::string* why) {
  if (width == 0 || height == 0) {
    *why = "nothing to copy";
    return nullptr;
  }
  if (side.pitch < side.x + width && height > 1) {
    *why = "the pitch is less than a row";
    return nullptr;
  }
  const size_t start = side.y * side.pitch + side.x;
  const size_t bytes = (height - 1) * side.pitch + width;
  if (side.type == CU_MEMORYTYPE_HOST)
    return static_cast<uint8_t*>(const_cast<void*>(side.host_memory)) + start;
  if (side.type != CU_MEMORYTYPE_DEVICE || !is_device_range(side.device_memory + start, bytes)) {
    *why = "outside of device memory";
    return nullptr;
  }
  return host<uint8_t>(side.device_memory + start);
}

CUresult copy_2d(const CUDA_MEMCPY2D& copy, CUstream stream) {
  std::string why;
  uint8_t* from = rows_of({copy.srcMemoryType, copy.srcHost, copy.srcDevice, copy.srcXInBytes, copy.srcY, copy.srcPitch},
                          copy.WidthInBytes, copy.Height, &why);
  uint8_t* to = rows_of({copy.dstMemoryType, copy.dstHost, copy.dstDevice, copy.dstXInBytes, copy.dstY, copy.dstPitch},
                        copy.WidthInBytes, copy.Height, &why);
  if (!from || !to)
    return misuse("cuMemcpy2D", why, kInvalidValue);
  const size_t bytes = copy.WidthInBytes * copy.Height;
  vitrine::FakeCudaCounters& counters = state().counters;
  if (copy.srcMemoryType == CU_MEMORYTYPE_HOST)
    counters.uploaded_bytes += bytes;
  else if (copy.dstMemoryType == CU_MEMORYTYPE_HOST)
    counters.downloaded_bytes += bytes;
  else
    counters.device_copied_bytes += bytes;
  submit(stream, [=] {
    for (size_t y = 0; y < copy.Height; y++)
      std::memcpy(to + y * copy.dstPitch, from + y * copy.srcPitch, copy.WidthInBytes);
  });
  return CUDA_SUCCESS;
}

}  // namespace

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  NEED_CONTEXT("cuMemAlloc");
  if (bytes == 0)
    return misuse("cuMemAlloc", "no bytes", kInvalidValue);
  if (asked_for("refuse-memory"))
    return kOutOfMemory;
  void* memory = std::aligned_alloc(kPitch, (bytes + kPitch - 1) / kPitch * kPitch);
  if (!memory)
    return kOutOfMemory;
  std::memset(memory, 0xa5, bytes);  // nobody may count on zeros
  *address = device(memory);
  state().memory[*address] = bytes;
  state().counters.live_device_blocks++;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuMemAllocPitch_v2(CUdeviceptr* address, size_t* pitch, size_t width, size_t height, unsigned) {
  *pitch = (width + kPitch - 1) / kPitch * kPitch;
  return cuMemAlloc_v2(address, *pitch * height);
}
EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (current.empty())
    return misuse("cuMemFree", "no context is current on this thread", kInvalidContext);
  if (!state().memory.count(address) || state().registered.count(host<void>(address)))
    return misuse("cuMemFree", "no such memory", kInvalidValue);
  for (auto& stream : state().streams) {
    if (!stream.second.empty())
      return misuse("cuMemFree", "while work is under way", kInvalidValue);
  }
  state().memory.erase(address);
  state().counters.live_device_blocks--;
  std::free(host<void>(address));
  return CUDA_SUCCESS;
}
EXPORT CUresult cuMemAllocHost_v2(void** memory, size_t bytes) {
  NEED_CONTEXT("cuMemAllocHost");
  const size_t rounded = (bytes + kPage - 1) / kPage * kPage;
  *memory = std::aligned_alloc(kPage, rounded);
  if (!*memory)
    return kOutOfMemory;
  state().pinned[*memory] = bytes;
  state().memory[device(*memory)] = bytes;
  state().counters.live_host_blocks++;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
  return asked_for("refuse-pinned") ? kOutOfMemory : cuMemAllocHost_v2(memory, bytes);
}
EXPORT CUresult cuMemFreeHost(void* memory) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (!state().pinned.erase(memory))
    return misuse("cuMemFreeHost", "no such memory", kInvalidValue);
  state().memory.erase(device(memory));
  state().counters.live_host_blocks--;
  std::free(memory);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuMemHostRegister_v2(void* memory, size_t bytes, unsigned) {
  NEED_CONTEXT("cuMemHostRegister");
  if (asked_for("refuse-register"))
    return kNotSupported;
  if (reinterpret_cast<uintptr_t>(memory) % kPage || bytes % kPage || bytes == 0)
    return misuse("cuMemHostRegister", "not whole pages", kInvalidValue);
  if (!is_writable(memory, bytes))
    return misuse("cuMemHostRegister", "memory that is not mapped for reading and writing", kNotPermitted);
  if (state().registered.count(memory))
    return misuse("cuMemHostRegister", "registered already", kAlreadyRegistered);
  state().registered[memory] = bytes;
  state().memory[device(memory)] = bytes;
  state().counters.registrations++;
  state().counters.live_registrations++;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuMemHostUnregister(void* memory) {
  std::lock_guard<std::recursive_mutex> lock(state().mutex);
  if (current.empty())
    return misuse("cuMemHostUnregister", "no context is current on this thread", kInvalidContext);
  const auto found = state().registered.find(memory);
  if (found == state().registered.end())
    return misuse("cuMemHostUnregister", "not registered", kNotRegistered);
  if (!is_writable(memory, found->second))
    misuse("cuMemHostUnregister", "the memory was unmapped before", kInvalidValue);
  state().registered.erase(found);
  state().memory.erase(device(memory));
  state().counters.live_registrations--;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* memory, unsigned flags) {
  NEED_CONTEXT("cuMemHostGetDevicePointer");
  if (flags != 0 || (!state().registered.count(memory) && !state().pinned.count(memory)))
    return misuse("cuMemHostGetDevicePointer", "neither registered nor pinned", kInvalidValue);
  *address = device(memory);
  return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* copy, CUstream stream) {
  NEED_CONTEXT("cuMemcpy2DAsync");
  if (stream && !state().streams.count(stream))
    return misuse("cuMemcpy2DAsync", "no such stream", kInvalidValue);
  return copy_2d(*copy, stream);
}
EXPORT CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* copy) {
  NEED_CONTEXT("cuMemcpy2D");
  return copy_2d(*copy, nullptr);
}
