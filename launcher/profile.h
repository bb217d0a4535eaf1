// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles: key files that say how to capture and encode (docs/profiles.md). Parsing is pure; only find_… and load_… touch files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {

/// One value of a profile, and where it stands: "FILE:LINE: [group] key", for error messages.
struct ProfileValue {
  std::string key, value, where;
};

/// A group "[capture NAME]", "[convert NAME]" or "[encoder NAME]": an element and its properties.
struct ProfileElement {
  std::string factory;
  std::vector<ProfileValue> properties;     // in the file's order; values may hold placeholders
  std::optional<ProfileValue> caps;         // @caps: filter after it
  std::vector<std::string> convert;         // @convert: elements between it and the encoder
  std::vector<std::string> check_elements;  // @check-elements: others that must exist
  std::optional<ProfileValue> bitrate;      // @bitrate: key is the property, value as written
  double bitrate_factor = 1;                // property's value = kbit/s times this
  std::string where;                        // of the group
};

struct Profile {
  std::string path, title, codec;
  std::map<std::string, std::string> settings;   // by option name
  std::vector<ProfileElement> capture, encoder;  // candidates, best first
  std::map<std::string, ProfileElement> convert;
};

/// Reads a profile's text. Nothing, with `error` naming file, line, group and key and what is allowed, if it is not right.
std::optional<Profile> parse_profile(const std::string& path, const std::string& text, std::string& error);
std::optional<Profile> load_profile(const std::string& path, std::string& error);

/// The file that `name` means: a path if it holds a slash, else name.profile in the search path. Nothing, with `error` listing where was
/// looked, if there is none.
std::optional<std::string> find_profile(const std::string& name, std::string& error);
/// Folders that are searched, first wins: ~/.config/vitrine/profiles, /etc/vitrine/profiles, $VITRINE_PROFILE_DIR or the installed one.
std::vector<std::string> profile_folders();
/// Names and paths of all profiles that can be found by name.
std::vector<std::pair<std::string, std::string>> list_profiles();

/// Replaces {name} in `text`. Nothing, with `error`, for an unknown name.
std::optional<std::string> expand(const std::string& text, const std::map<std::string, std::string>& values, std::string& error);

}  // namespace vitrine
