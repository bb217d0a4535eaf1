// SPDX-License-Identifier: LGPL-2.1-or-later
// Any bytes as input messages: through the decoder whole and in pieces, and through the sequencer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include "protocol/input-record.h"
#include "protocol/input-sequencer.h"

using namespace vitrine;

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// A whole message and the same bytes as a stream must be understood alike.
std::vector<InputRecord> decode(std::span<const uint8_t> bytes) {
  const InputDecoded whole = decode_input(bytes);
  std::vector<InputRecord> pieces;
  std::span<const uint8_t> rest = bytes;
  bool complete = true;
  while (!rest.empty()) {
    std::optional<InputRecord> record;
    InputError error;
    const auto size = decode_input_at(rest, record, error);
    require(size.has_value() == (error == InputError::none), "an error and a size exclude each other");
    if (!size || *size == 0) {
      complete = false;
      break;
    }
    require(*size >= kInputHeaderSize && *size <= rest.size() && *size <= kInputMessageMax, "a record lies within the bytes");
    if (record)
      pieces.push_back(*record);
    rest = rest.subspan(*size);
  }
  const bool accepted = whole.error == InputError::none;
  require(accepted == (complete && bytes.size() <= kInputMessageMax), "whole and in pieces: both or neither");
  if (!accepted) {
    require(whole.records.empty(), "nothing of a refused message is used");
    return {};
  }
  require(whole.records == pieces, "whole and in pieces: the same records");
  // What was understood can be said again.
  std::vector<uint8_t> again;
  for (const InputRecord& record : whole.records)
    encode_input(record, again);
  const InputDecoded second = decode_input(again);
  require(second.error == InputError::none && second.records == whole.records, "encoding keeps the records");
  return whole.records;
}

}  // namespace

// Each message is preceded by its length, two bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> rest(data, size);
  decode(rest);
  InputSequencer sequencer;
  uint32_t last_ordered = 0;
  while (rest.size() >= 2) {
    const size_t length = std::min<size_t>(size_t{rest[0]} << 8 | rest[1], rest.size() - 2);
    const auto records = decode(rest.subspan(2, length));
    rest = rest.subspan(2 + length);
    std::vector<InputRecord> due;
    const bool accepted = sequencer.push(records, due);
    for (const InputRecord& record : due) {
      require(record.after <= last_ordered, "a record comes after the one it waits for");
      require(!record.pad() || *record.pad() < kPadsMost, "a record is about one of the gamepads there may be");
      if (!record.ordered())
        continue;
      require(record.sequence > last_ordered, "ordered records come once and in order");
      last_ordered = record.sequence;
    }
    require(accepted == (sequencer.waiting() <= InputSequencer::kWaitingMax), "who makes too much wait is refused");
    if (!accepted)
      break;
  }
  return 0;
}
