// SPDX-License-Identifier: LGPL-2.1-or-later
// What the probe found out about each candidate, and who wins. Pure but for reading and writing JSON texts.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vitrine {

struct ProbeResult {
  std::string profile, codec, encoder;  // encoder: the candidate's name in the profile
  std::string gpu;                      // its slot; empty for software
  std::string problem;                  // why it cannot be taken; empty if it passed
  bool missing = false;                 // it was not tried: an element or a GPU is missing
  bool measured = false;                // what follows holds
  double ms_per_frame = 0, ms_first = 0;
  double ms_noise = 0;                  // by so much another measurement may differ from ms_per_frame
  unsigned frames = 0, held = 0;        // frames that came out, and how many more went in
  bool keyframe_first = false, keyframe_on_request = false, bitrate_without_keyframe = false;
  double kbit = 0;                      // bitrate of what came out after the first frame
  std::vector<std::string> remarks;     // what is not as it should be, but does not hinder

  bool passed() const { return measured && problem.empty(); }
};

struct ProbeReport {
  std::string key;  // of driver, GPUs, versions and profiles: who else has the same may use it
  std::string size;
  unsigned framerate = 0;
  std::vector<std::string> machine;  // GPUs as texts, with their problems
  std::vector<ProbeResult> results;
  int winner = -1;                   // in results
  std::string why;
};

/// A GPU that keeps up with the framerate, in the order of results; else the fastest that keeps up and changes the bitrate without a keyframe;
/// else the fastest that passed. The winner of the `former` report on the
/// same stays where the difference may be measuring noise.
void choose_winner(ProbeReport& report, const ProbeReport* former = nullptr);

std::string to_json(const ProbeResult& result);
std::optional<ProbeResult> result_from_json(const std::string& text);
std::string to_json(const ProbeReport& report);
/// Nothing if it is no report of ours.
std::optional<ProbeReport> report_from_json(const std::string& text);

/// The table for people.
std::string to_text(const ProbeReport& report);

}  // namespace vitrine
