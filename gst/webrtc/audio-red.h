// SPDX-License-Identifier: LGPL-2.1-or-later
// Sound that outlives lost packets: each packet carries the frames before it once more (RED, RFC 2198). Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vitrine {

/// Payload types of Opus and of RED around it.
inline constexpr uint8_t kOpusPayload = 111, kRedPayload = 63;

/// Offers RED in the audio section that sends Opus as kOpusPayload, behind it. Other SDP stays as it is.
std::string offer_red(const std::string& sdp);

/// The answer as webrtcbin may see it, which knows nothing of RED; `taken` says whether the browser plays it.
std::string strip_red(const std::string& sdp, bool& taken);

/// One stream, not thread-safe.
class RedPacker {
 public:
  static constexpr size_t kMostCopies = 2;
  /// RFC 2198 §3: ten bits of length, fourteen of age.
  static constexpr size_t kMostBytes = 1023;
  static constexpr uint32_t kMostAge = 16383;
  /// Larger packets would not pass every network.
  static constexpr size_t kMostPacket = 1200;

  /// Takes an RTP packet of the stream and returns it as RED with up to `copies` frames before it. Nothing if it goes as it is: no copies are
  /// wanted, or there is nothing to copy, or it is no packet of the stream.
  std::optional<std::vector<uint8_t>> pack(std::span<const uint8_t> packet, size_t copies);

 private:
  struct Frame {
    uint32_t timestamp = 0;
    std::vector<uint8_t> data;
  };
  std::deque<Frame> frames_;  // oldest first
};

}  // namespace vitrine
