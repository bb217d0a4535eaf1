// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks RTCP from a viewer before rtpsession sees it: GStreamer's parsers trust some lengths of authenticated peers. Pure.
#pragma once

#include <cstdint>
#include <span>

namespace vitrine {

/// True if a compound (or reduced-size, RFC 5506) RTCP packet is well formed: every packet's length fits, counts fit their lengths, and
/// transport-wide feedback holds as many status chunks and deltas as it claims (draft-holmer-rmcat-transport-wide-cc-extensions-01).
bool rtcp_is_sound(std::span<const uint8_t> packet);

}  // namespace vitrine
