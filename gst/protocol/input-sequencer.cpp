// SPDX-License-Identifier: LGPL-2.1-or-later
// The order of input records.
#include "protocol/input-sequencer.h"

namespace vitrine {

bool InputSequencer::push(const std::vector<InputRecord>& records, std::vector<InputRecord>& due) {
  for (const auto& record : records)
    take(record, due);
  return waiting_.size() <= kWaitingMax;
}

void InputSequencer::take(const InputRecord& record, std::vector<InputRecord>& due) {
  if (record.after > done_) {
    if (waiting_.emplace(record.sequence, record).second)
      ++statistics_.waited;
    else
      ++statistics_.duplicates;
    return;
  }
  if (record.ordered()) {
    if (record.sequence <= done_) {
      ++statistics_.duplicates;
      return;
    }
    done_ = record.sequence;
    if (const auto pad = record.pad())
      last_of_pad_[*pad] = record.sequence;
    ++statistics_.applied;
    due.push_back(record);
    drain(due);
    return;
  }
  // A key says nothing about where a stick is: only what is newer of the same gamepad overtakes.
  const auto pad = record.pad();
  uint32_t& last = pad ? last_of_pad_[*pad] : last_unordered_[static_cast<uint8_t>(record.type())];
  if (record.sequence == last) {
    ++statistics_.duplicates;
    return;
  }
  if (record.sequence < last || (!pad && record.sequence < done_)) {
    ++statistics_.overtaken;
    return;
  }
  last = record.sequence;
  ++statistics_.applied;
  due.push_back(record);
}

void InputSequencer::drain(std::vector<InputRecord>& due) {
  // take() may call drain() again for an ordered record; each call starts at the smallest sequence, so the order holds.
  while (!waiting_.empty() && waiting_.begin()->second.after <= done_) {
    const InputRecord next = std::move(waiting_.extract(waiting_.begin()).mapped());
    take(next, due);
  }
}

}  // namespace vitrine
