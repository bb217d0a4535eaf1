// SPDX-License-Identifier: LGPL-2.1-or-later
// What receiver reports say about loss (RFC 3550 §6.4). Pure; bounds-checked against hostile bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace vitrine {

/// The share of packets, 0..1, that the last report about `ssrc` in a compound RTCP packet calls lost; nothing if it holds none.
std::optional<double> reported_loss(std::span<const uint8_t> rtcp, uint32_t ssrc);

}  // namespace vitrine
