// SPDX-License-Identifier: LGPL-2.1-or-later
// The header extension by which packets are numbered for congestion control.
#pragma once

namespace vitrine {

inline constexpr char kTransportWideUri[] = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
inline constexpr unsigned kTransportWideId = 3;  // in our own offers

}  // namespace vitrine
