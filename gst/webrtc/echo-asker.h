// SPDX-License-Identifier: LGPL-2.1-or-later
// When to ask the browser something that it answers at once: every few kilobytes, so that a path that becomes narrow is known of a round
// trip later (docs/rate-control.md). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace vitrine {

/// Who wants to know. Called on any thread, without locks held.
struct EchoWatch {
  std::function<void(uint64_t id, uint32_t bytes, int64_t now_us)> asked;  // `bytes` of its frame have left before it
  std::function<void(uint64_t id, int64_t now_us)> answered;
};

/// Not thread-safe.
class EchoAsker {
 public:
  static constexpr uint32_t kEveryBytes = 6'000;
  using Transaction = std::array<uint8_t, 12>;

  explicit EchoAsker(uint64_t secret) : secret_(secret) {}

  /// A packet has left: so many questions are due.
  int left(std::span<const uint8_t> packet);
  /// Bytes of the frame that the questions are about.
  uint32_t frame_bytes() const { return frame_; }
  uint64_t tie_breaker() const { return secret_ ^ 0x5bd1e995; }

  uint64_t next_id() { return ++asked_; }
  Transaction transaction(uint64_t id) const;
  /// The question that this answers; nothing if it was not asked, or answered before, or a later one was.
  std::optional<uint64_t> answers(const Transaction& transaction) const;
  void answered(uint64_t id) { answered_ = id; }

 private:
  const uint64_t secret_;
  uint64_t asked_ = 0, answered_ = 0;
  uint32_t unasked_ = 0, frame_ = 0;
  bool ended_ = false;
};

}  // namespace vitrine
