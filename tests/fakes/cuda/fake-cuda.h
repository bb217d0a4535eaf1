// SPDX-License-Identifier: LGPL-2.1-or-later
// What the fake CUDA driver has counted. A test finds it by dlsym(RTLD_DEFAULT or the library, "fake_cuda_counters").
#pragma once

#include <atomic>
#include <cstdint>

namespace vitrine {

struct FakeCudaCounters {
  std::atomic<uint64_t> registrations{0};
  std::atomic<uint64_t> live_registrations{0};
  std::atomic<uint64_t> live_contexts{0};
  std::atomic<uint64_t> live_device_blocks{0};
  std::atomic<uint64_t> live_host_blocks{0};
  std::atomic<uint64_t> live_streams{0};
  std::atomic<uint64_t> live_events{0};
  std::atomic<uint64_t> live_modules{0};
  std::atomic<uint64_t> launches{0};
  std::atomic<uint64_t> uploaded_bytes{0};
  std::atomic<uint64_t> downloaded_bytes{0};
  std::atomic<uint64_t> device_copied_bytes{0};
  /// Calls that a real driver would refuse, or that would have undefined results. Each is also printed.
  std::atomic<uint64_t> misuses{0};
};

using FakeCudaCountersFunction = FakeCudaCounters* (*)();

}  // namespace vitrine
