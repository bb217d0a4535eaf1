// SPDX-License-Identifier: LGPL-2.1-or-later
// What the parts of the fake driver share: its state, faults that were asked for, addresses, streams.
#pragma once

#include <cuda.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "fake-cuda.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace vitrine::fake_driver {

constexpr CUresult kInvalidValue = static_cast<CUresult>(1);
constexpr CUresult kOutOfMemory = static_cast<CUresult>(2);
constexpr CUresult kNoDevice = static_cast<CUresult>(100);
constexpr CUresult kInvalidDevice = static_cast<CUresult>(101);
constexpr CUresult kInvalidImage = static_cast<CUresult>(200);
constexpr CUresult kInvalidContext = static_cast<CUresult>(201);
constexpr CUresult kNotFound = static_cast<CUresult>(500);
constexpr CUresult kIllegalAddress = static_cast<CUresult>(700);
constexpr CUresult kAlreadyRegistered = static_cast<CUresult>(712);
constexpr CUresult kNotRegistered = static_cast<CUresult>(713);
constexpr CUresult kNotPermitted = static_cast<CUresult>(800);
constexpr CUresult kNotSupported = static_cast<CUresult>(801);

/// Device address = host address + this: whoever uses one as a host pointer crashes.
constexpr CUdeviceptr kDeviceOffset = CUdeviceptr{1} << 52;
constexpr size_t kPage = 4096;
constexpr size_t kPitch = 512;

struct State {
  std::recursive_mutex mutex;
  std::map<CUdeviceptr, size_t> memory;  // what kernels and copies may touch
  std::map<void*, size_t> registered;
  std::map<void*, size_t> pinned;
  std::map<CUstream, std::deque<std::function<void()>>> streams;
  std::set<CUevent> events;
  std::set<CUcontext> contexts;
  std::set<CUmodule> modules;
  std::set<CUcontext> lost;
  FakeCudaCounters counters;
};

State& state();
/// The contexts of this thread, the current one last.
extern thread_local std::vector<CUcontext> current;

/// Counts and tells what no program may do; `result`.
CUresult misuse(const char* call, const std::string& what, CUresult result);
bool asked_for(const char* fault, unsigned long* number = nullptr);

/// Whether a block of memory holds all of the range.
bool is_device_range(CUdeviceptr address, size_t bytes);

template <typename T>
T* host(CUdeviceptr address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address - kDeviceOffset));
}

inline CUdeviceptr device(const void* memory) { return reinterpret_cast<uintptr_t>(memory) + kDeviceOffset; }

/// Does what waits on a stream.
void run_stream(CUstream stream);
/// The default stream does not wait for streams made with CU_STREAM_NON_BLOCKING, so each stream has only its own order.
void submit(CUstream stream, std::function<void()> work);

}  // namespace vitrine::fake_driver

#define NEED_CONTEXT(call)                                                        \
  std::lock_guard<std::recursive_mutex> lock(state().mutex);                      \
  if (current.empty())                                                            \
    return misuse(call, "no context is current on this thread", kInvalidContext); \
  if (state().lost.count(current.back()))                                         \
  return kIllegalAddress
