// SPDX-License-Identifier: LGPL-2.1-or-later
// Encodes a short piece of a moving desktop with one candidate and looks at what comes out. Meant for a process of its own: drivers crash.
#pragma once

#include "probe-verdict.h"
#include "profile.h"
#include "settings.h"

namespace vitrine {

/// `profile` has one encoder, the candidate. Ends sooner or later, unless the encoder hangs.
ProbeResult try_candidate(const Profile& profile, const Settings& settings, Size size);

}  // namespace vitrine
