// SPDX-License-Identifier: LGPL-2.1-or-later
// First bytes of a TCP connection, and the RFC 4571 frames of ICE-TCP. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace vitrine {

enum class FirstBytes { more, tls, stun, http };
/// How many bytes classify_first_bytes() needs at most.
inline constexpr size_t kFirstBytesNeeded = 10;

/// Whom a new connection is for, by its first bytes; `more` while they do not tell yet.
FirstBytes classify_first_bytes(std::span<const uint8_t> bytes);

/// Cuts a byte stream into RFC 4571 packets (16-bit length, then the packet).
class FrameReader {
 public:
  /// Calls `packet` for every whole packet. Returns false when the stream cannot be ICE-TCP: an empty frame.
  bool push(std::span<const uint8_t> bytes, const std::function<void(std::span<const uint8_t>)>& packet);

 private:
  std::vector<uint8_t> pending_;
};

}  // namespace vitrine
