// SPDX-License-Identifier: LGPL-2.1-or-later
// What a session may encode with: the profile's candidates, and what stands by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keeper-plans.h"
#include "profile.h"
#include "settings.h"

namespace vitrine {

struct SessionPlans {
  std::vector<VideoPlan> main;    // for the first stream, best first
  std::vector<VideoPlan> others;  // for viewers that cannot decode it
};

/// The profile's candidates, then software of the same codec, then of another. `screen` is what x11desktop gives a private X server for a
/// start; without a width it is left as it is. Nothing, with `error`, if the profile has none that is installed.
std::optional<SessionPlans> plan_session(const Profile& profile, const Settings& settings, const std::string& display, Size screen,
                                         std::string& error);

}  // namespace vitrine
