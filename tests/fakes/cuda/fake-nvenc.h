// SPDX-License-Identifier: LGPL-2.1-or-later
// What the fake NVENC has counted. A test finds it by dlsym(library, "fake_nvenc_counters").
#pragma once

#include <atomic>
#include <cstdint>

namespace vitrine {

struct FakeNvencCounters {
  std::atomic<uint64_t> sessions{0};
  std::atomic<uint64_t> live_sessions{0};
  std::atomic<uint64_t> live_resources{0};
  std::atomic<uint64_t> registrations{0};
  std::atomic<uint64_t> frames{0};
  std::atomic<uint64_t> idrs{0};
  std::atomic<uint64_t> reconfigures{0};
  std::atomic<uint64_t> resets{0};
  std::atomic<uint64_t> invalidations{0};
  std::atomic<uint32_t> bitrate{0};        // bit/s, as last set
  std::atomic<uint64_t> mapped_blocks{0};  // blocks with a QP offset, in the last frame
  std::atomic<uint32_t> refresh_period{0};  // as last set; 0: no intra refresh
  std::atomic<uint32_t> max_qp{0};          // as last set; 0: none
  std::atomic<bool> lossless{false};        // as last set
  std::atomic<uint64_t> misuses{0};
};

using FakeNvencCountersFunction = FakeNvencCounters* (*)();

}  // namespace vitrine
