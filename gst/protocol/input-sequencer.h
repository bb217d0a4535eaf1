// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts the records of one viewer, which arrive on two channels, in order and drops what came twice (docs/protocol.md, section 4).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "protocol/input-record.h"

namespace vitrine {

/// Reentrant, not thread-safe: the caller holds a lock around it.
class InputSequencer {
 public:
  static constexpr size_t kWaitingMax = 256;

  struct Statistics {
    uint64_t applied = 0;
    uint64_t duplicates = 0;  // seen before on the other channel
    uint64_t overtaken = 0;   // positions, of the pointer or of sticks, that newer input made useless
    uint64_t waited = 0;      // ordered records that came before their predecessor
  };

  /// Takes the records of one message and appends those that are due, in order, to `due`. Returns false when more than
  /// kWaitingMax records wait for a missing one: no honest viewer does that, and the caller ends the session.
  bool push(const std::vector<InputRecord>& records, std::vector<InputRecord>& due);

  const Statistics& statistics() const { return statistics_; }
  /// How many records wait for a missing one.
  size_t waiting() const { return waiting_.size(); }

 private:
  void take(const InputRecord& record, std::vector<InputRecord>& due);
  void drain(std::vector<InputRecord>& due);

  uint32_t done_ = 0;
  std::array<uint32_t, 256> last_unordered_{};
  std::array<uint32_t, kPadsMost> last_of_pad_{};  // any record about it
  std::map<uint32_t, InputRecord> waiting_;  // by sequence
  Statistics statistics_;
};

}  // namespace vitrine
