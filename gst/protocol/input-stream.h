// SPDX-License-Identifier: LGPL-2.1-or-later
// Input records out of a stream that is cut anywhere, as between elements (docs/protocol.md, section 5). Pure.
#pragma once

#include <span>
#include <vector>

#include "protocol/input-record.h"

namespace vitrine {

class InputStream {
 public:
  /// Appends the records that end in these bytes. On an error it returns how many bytes were refused: records have no marker to find the
  /// next one by, so the rest of the bytes is lost, and the next ones start anew.
  size_t take(std::span<const uint8_t> bytes, std::vector<InputRecord>& records, InputError& error) {
    std::vector<uint8_t> joined;
    if (!pending_.empty()) {
      joined = std::move(pending_);
      joined.insert(joined.end(), bytes.begin(), bytes.end());
      bytes = joined;
    }
    pending_.clear();
    while (!bytes.empty()) {
      std::optional<InputRecord> record;
      const auto size = decode_input_at(bytes, record, error);
      if (!size)
        return bytes.size();
      if (*size == 0)
        break;
      if (record)
        records.push_back(std::move(*record));
      bytes = bytes.subspan(*size);
    }
    // Less than one record, which the decoder keeps below kInputMessageMax.
    pending_.assign(bytes.begin(), bytes.end());
    error = InputError::none;
    return 0;
  }
  /// Forgets the start of a record.
  void clear() { pending_.clear(); }
  /// Between two records.
  bool at_start() const { return pending_.empty(); }

 private:
  std::vector<uint8_t> pending_;
};

}  // namespace vitrine
