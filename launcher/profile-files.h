// SPDX-License-Identifier: LGPL-2.1-or-later
// Where profiles lie: the search path, inherited ones and drop-ins.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profile.h"

namespace vitrine {

/// Reads a profile with what it inherits and its drop-ins. Nothing, with `error`, as parse_profile().
std::optional<Profile> load_profile(const std::string& path, std::string& error);

/// A profile's file and its drop-ins, without what it inherits. Empty if one cannot be read.
std::vector<ProfileSource> profile_sources(const std::string& path);

/// The file that `name` means: a path if it holds a slash, else name.profile in the search path. Nothing, with `error` listing where was
/// looked, if there is none.
std::optional<std::string> find_profile(const std::string& name, std::string& error);
/// Folders that are searched, first wins: ~/.config/vitrine/profiles, /etc/vitrine/profiles, $VITRINE_PROFILE_DIR or the installed one.
std::vector<std::string> profile_folders();
/// Names and paths of all profiles that can be found by name.
std::vector<std::pair<std::string, std::string>> list_profiles();

}  // namespace vitrine
