// SPDX-License-Identifier: LGPL-2.1-or-later
// What is slow is better than what is gone.
#include "session-plans.h"

#include <glib.h>

#include <algorithm>
#include <utility>

#include "pipeline-builder.h"
#include "profile-check.h"
#include "profile-files.h"

namespace vitrine {
namespace {

/// The private X server starts larger than its screen is to be.
void size_screen(std::vector<VideoPlan>& plans, Size screen) {
  for (auto& plan : plans)
    if (screen.width > 0 && !plan.model.desktop.factory.empty())
      for (const auto& [property, value] : {std::pair{"width", screen.width}, {"height", screen.height}})
        plan.model.desktop.properties.push_back({property, std::to_string(value), "--size"});
}

}  // namespace

std::optional<SessionPlans> plan_session(const Profile& profile, const Settings& settings, const std::string& display, Size screen,
                                         std::string& error) {
  const int cores = static_cast<int>(g_get_num_processors());
  SessionPlans plans{make_plans(profile, settings, display, cores, element_exists, error), {}};
  if (plans.main.empty())
    return std::nullopt;
  for (const char* name : {"software-h264", "software-vp8"}) {
    std::string ignored;
    const auto path = find_profile(name, ignored);
    const auto other = path && *path != profile.path ? load_fitting_profile(*path, ignored) : std::nullopt;
    if (!other)
      continue;
    for (auto& plan : make_plans(*other, settings, display, cores, element_exists, ignored))
      (plan.codec == profile.codec ? plans.main : plans.others).push_back(std::move(plan));
  }
  // Whoever asks for 4:4:4 wants it rather than the faster encoder.
  std::stable_partition(plans.main.begin(), plans.main.end(), [](const VideoPlan& plan) { return plan.model.full_chroma; });
  // Then another codec, which costs viewers a new connection.
  plans.main.insert(plans.main.end(), plans.others.begin(), plans.others.end());
  size_screen(plans.main, screen);
  size_screen(plans.others, screen);
  return plans;
}

}  // namespace vitrine
