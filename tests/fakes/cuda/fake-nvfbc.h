// SPDX-License-Identifier: LGPL-2.1-or-later
// What the fake NvFBC has counted. A test finds it by dlsym(library, "fake_nvfbc_counters").
#pragma once

#include <atomic>
#include <cstdint>

namespace vitrine {

struct FakeNvfbcCounters {
  std::atomic<uint64_t> handles{0};
  std::atomic<uint64_t> live_handles{0};
  std::atomic<uint64_t> captures{0};
  std::atomic<uint64_t> live_captures{0};
  std::atomic<uint64_t> grabs{0};
  std::atomic<uint64_t> new_frames{0};
  std::atomic<bool> with_cursor{false};  // as last asked for
  std::atomic<uint64_t> misuses{0};
};

using FakeNvfbcCountersFunction = FakeNvfbcCounters* (*)();

}  // namespace vitrine
