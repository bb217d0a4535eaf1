// SPDX-License-Identifier: LGPL-2.1-or-later
// What became of a packet (RTP) or of a whole frame (WebSocket): the one form of feedback that the rate controller knows.
#pragma once

#include <cstdint>
#include <limits>

namespace vitrine {

struct Delivery {
  static constexpr int64_t kLost = std::numeric_limits<int64_t>::min();

  uint64_t frame = 0;      // packets of one frame share it; later frames have greater ones; 0: of no frame (retransmissions, audio)
  uint32_t size = 0;       // bytes
  int64_t sent_us = 0;     // our clock
  int64_t arrived_us = 0;  // the viewer's clock, whatever its zero; or kLost

  bool lost() const { return arrived_us == kLost; }
};

}  // namespace vitrine
