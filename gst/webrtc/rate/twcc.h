// SPDX-License-Identifier: LGPL-2.1-or-later
// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01). Pure; input is hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace vitrine {

struct TwccStatus {
  uint16_t sequence = 0;
  bool received = false;
  int64_t arrival_us = 0;  // since the feedback's reference time; only if received
};

struct TwccFeedback {
  uint32_t reference = 0;  // 24 bits, in units of 64 ms
  uint8_t count = 0;       // of the feedback packet itself
  std::vector<TwccStatus> packets;
};

/// The most packets that one feedback may speak of: half the sequence space, so that none is ambiguous.
inline constexpr size_t kTwccPacketsMax = 0x7fff;

/// Reads the part of a feedback packet behind its two SSRCs. Nothing if it is truncated, empty, speaks of too many packets or uses a reserved
/// symbol.
std::optional<TwccFeedback> parse_twcc(std::span<const uint8_t> fci);

/// Calls `found` with that part of each transport-wide feedback packet in a compound RTCP packet; stops at the first that does not fit.
void find_twcc(std::span<const uint8_t> rtcp, const std::function<void(std::span<const uint8_t> fci)>& found);

/// Whether a compound packet is one transport-wide feedback and nothing else.
bool is_only_twcc(std::span<const uint8_t> rtcp);

/// Turns wrapping counters of `kBits` bits into ones that go on; steps of up to half the range either way are told apart.
template <unsigned kBits>
class Unwrapper {
 public:
  /// What `value` would become, changing nothing.
  int64_t peek(uint32_t value) const {
    constexpr int64_t kRange = int64_t{1} << kBits;
    if (!begun_)
      return value;
    int64_t step = (static_cast<int64_t>(value) - last_) % kRange;
    if (step < -kRange / 2)
      step += kRange;
    else if (step >= kRange / 2)
      step -= kRange;
    return last_ + step;
  }
  int64_t take(uint32_t value) {
    const int64_t result = peek(value);
    begun_ = true;
    if (result > last_ || last_ == 0)
      last_ = result;
    return result;
  }

 private:
  bool begun_ = false;
  int64_t last_ = 0;
};

}  // namespace vitrine
