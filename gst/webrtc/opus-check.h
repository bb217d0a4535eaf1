// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether the frames of an Opus packet are where it says (RFC 6716, section 3.4). Pure.
#pragma once

#include <cstdint>
#include <span>

namespace vitrine {

/// Larger packets than this are not taken: 120 ms at 128 kbit/s have 1920 bytes, what browsers send has at most 400.
inline constexpr size_t kOpusPacketMax = 1500;

/// What a decoder may be given. What the frames hold is not looked at.
bool opus_packet_is_sound(std::span<const uint8_t> packet);

}  // namespace vitrine
