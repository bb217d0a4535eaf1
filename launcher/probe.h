// SPDX-License-Identifier: LGPL-2.1-or-later
// `vitrine probe`: which encoders really work here, and which profile is best. And what --profile=auto takes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe-verdict.h"
#include "profile.h"
#include "settings.h"

namespace vitrine {

/// How long to wait, in µs.
struct ProbePatience {
  int64_t candidate, software;  // for one candidate; for all in software together
};

/// Tries every candidate of every profile whose gate opens, one after the other, each in a process of its own.
ProbeReport probe(const Settings& settings, ProbePatience patience);

/// Probes, prints the report and keeps it for --profile=auto. Returns the exit status: 0, or 5 if nothing works.
int run_probe(const Settings& settings, bool json);

/// What the child does: `words` are profile file, codec, candidate, GPU's slot or "-". Prints one ProbeResult as JSON.
int run_probe_child(const Settings& settings, const std::vector<std::string>& words);

/// What `--profile=NAME` means on this machine. "auto" is the last probe's winner if machine, versions and profiles are as they were then,
/// its encoder first; else the first profile whose gate opens and that has an encoder installed, else software. Encodes nothing, so it
/// takes no time. Nothing, with `error`, if there is none.
std::optional<Profile> choose_profile(const Settings& settings, std::string& error);

/// Whether "auto" is meant and no probe has told yet.
bool wants_probe(const Settings& settings);

/// The profile of the report's winner, as choose_profile() gives it. Nothing if nothing won, or the profile has gone.
std::optional<Profile> winner_of(const ProbeReport& report);

/// How to call this program.
std::vector<std::string> own_command();

}  // namespace vitrine
