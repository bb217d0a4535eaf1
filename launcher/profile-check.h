// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles against the GStreamer that is here: versions, elements, properties and their values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline-model.h"
#include "profile.h"

namespace vitrine {

/// The version of GStreamer that runs.
Version gstreamer_version();

/// load_profile() without the candidates that are for other versions of GStreamer.
std::optional<Profile> load_fitting_profile(const std::string& path, std::string& error);

/// Codecs that the server takes, by its pad template. Empty without a server.
std::vector<std::string> sendable_codecs();

/// What encoders have to give, as caps: what the server takes of this codec, or without a server what it would.
std::string sent_caps(const std::string& codec);

struct ProfileFindings {
  std::vector<std::string> missing;    // factories that are not installed
  std::vector<std::string> not_meant;  // candidates for other versions of GStreamer
};

/// Checks all elements of a profile that are installed and meant for this version of GStreamer: properties, values, caps, how the bitrate
/// is set. False, with `error`.
bool check_profile(const Profile& profile, const Settings& settings, const Version& gstreamer, ProfileFindings& findings, std::string& error);

}  // namespace vitrine
