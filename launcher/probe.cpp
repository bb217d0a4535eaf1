// SPDX-License-Identifier: LGPL-2.1-or-later
// One child after the other, so that none slows what is measured.
#include "probe.h"

#include <gio/gio.h>
#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "common/ref.h"
#include "gpu.h"
#include "pipeline-builder.h"
#include "probe-cache.h"
#include "probe-candidate.h"
#include "probe-nvidia.h"
#include "probe-process.h"
#include "probe-verdict.h"
#include "profile-check.h"
#include "profile-files.h"
#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr char kNoGpu[] = "-";
// Who waits for it has the answer in less than 10 s where there is no GPU.
constexpr ProbePatience kSomebodyWaits{6 * G_USEC_PER_SEC, 8 * G_USEC_PER_SEC};

struct Job {
  std::string path, codec, encoder, gpu;
};

ProbeResult try_in_child(const Job& job, const Settings& settings, gint64 limit_us) {
  std::vector<std::string> words = own_command();
  for (const std::string& word : {"--framerate=" + settings.text("framerate"), "--bitrate=" + settings.text("bitrate"), "--size=" + settings.text("size"),
                                  std::string("probe-candidate"), job.path, job.codec, job.encoder, job.gpu})
    words.push_back(word);
  const ProbeOutcome outcome = run_probe_process(words, limit_us);
  auto result = result_from_json(outcome.output);
  ProbeResult made = result ? std::move(*result) : ProbeResult{};
  if (!result)
    made.problem = outcome.problem.empty() ? _("ends without an answer") : outcome.problem;
  return made;
}

std::string package_hint(const std::string& factory) {
  if (factory == "x264enc")
    return "gstreamer1.0-plugins-ugly";
  if (factory == "vp8enc" || factory == "vp9enc")
    return "gstreamer1.0-plugins-good";
  for (const char* name : {"openh264enc", "x265enc", "av1enc", "svtav1enc", "h265parse", "av1parse"})
    if (factory == name)
      return "gstreamer1.0-plugins-bad";
  return "";
}

std::string missing_text(const std::vector<std::string>& missing, const Gpu* gpu) {
  std::string text = std::string(_("no element")) + " " + joined(missing);
  for (const auto& factory : missing)
    if (const std::string package = package_hint(factory); !package.empty())
      return text + ": apt install " + package;
  if (!gpu)
    return text;
  const bool nvidia = gpu->driver == "nvidia";
  return text + (nvidia ? "" : std::string(": apt install ") + (gpu->driver == "amdgpu" ? "mesa-va-drivers" : "intel-media-va-driver") +
                                   " gstreamer1.0-plugins-bad");
}

class Prober {
 public:
  Prober(const Settings& settings, ProbePatience patience) : settings_(settings), patience_(patience), gpus_(list_gpus()), sendable_(sendable_codecs()) {}
  ProbeReport run();

 private:
  void try_profile(const std::string& name, const Profile& profile, const Gpu* gpu);
  const Settings& settings_;
  const ProbePatience patience_;
  const std::vector<Gpu> gpus_;
  const std::vector<std::string> sendable_;
  ProbeReport report_;
  gint64 software_until_us_ = 0;
};

void Prober::try_profile(const std::string& name, const Profile& profile, const Gpu* gpu) {
  for (const auto& candidate : profile.all_encoders) {
    ProbeResult result;
    const bool sendable = sendable_.empty() || std::find(sendable_.begin(), sendable_.end(), candidate.codec) != sendable_.end();
    const auto missing = missing_factories(profile, candidate, element_exists);
    const gint64 left_us = gpu ? patience_.candidate : std::min(patience_.candidate, software_until_us_ - g_get_monotonic_time());
    result.missing = true;
    if (gpu && !gpu->problem.empty())
      result.problem = gpu->problem;
    else if (!missing.empty())
      result.problem = missing_text(missing, gpu);
    else if (!sendable)
      result.problem = _("the server sends no") + (" " + candidate.codec);
    else if (left_us < G_USEC_PER_SEC / 2)
      result.problem = _("no time was left to try it");
    else
      result = try_in_child({profile.path, candidate.codec, candidate.name, gpu ? gpu->slot : kNoGpu}, settings_, left_us);
    result.profile = name;
    result.codec = candidate.codec;
    result.encoder = candidate.name;
    result.gpu = gpu ? gpu->slot : "";
    report_.results.push_back(std::move(result));
  }
}

ProbeReport Prober::run() {
  report_.key = probe_key(gpus_);
  report_.size = settings_.text("size");
  report_.framerate = static_cast<unsigned>(settings_.number("framerate"));
  for (const auto& gpu : gpus_) {
    report_.machine.push_back(describe(gpu) + (gpu.problem.empty() ? "" : ": " + gpu.problem));
    if (gpu.driver == "nvidia" && gpu.problem.empty())
      for (auto& line : probe_nvidia(gpu.number))
        report_.machine.push_back(std::move(line));
  }
  if (gpus_.empty())
    report_.machine.push_back(_("no GPU"));
  std::vector<std::pair<std::string, Profile>> software;
  for (const auto& [name, path] : list_profiles()) {
    std::string error;
    auto profile = load_fitting_profile(path, error);
    if (!profile)
      report_.machine.push_back(error);
    else if (profile->vendors.empty())
      software.emplace_back(name, std::move(*profile));
    else
      for (const auto& gpu : gpus_)
        if (gate_opens(*profile, gpu))
          try_profile(name, for_gpu(*profile, gpu, element_exists), &gpu);
  }
  software_until_us_ = g_get_monotonic_time() + patience_.software;
  for (const auto& [name, profile] : software)
    try_profile(name, profile, nullptr);
  const auto former = cached_report(report_.key);
  choose_winner(report_, former ? &*former : nullptr);
  return std::move(report_);
}

/// The encoder of this name comes first; the rest stays, for the keeper to fall back on.
void put_first(Profile& profile, const std::string& encoder) {
  std::stable_partition(profile.encoder.begin(), profile.encoder.end(), [&](const ProfileElement& one) { return one.name == encoder; });
}

std::optional<Profile> load_named(const std::string& name, std::string& error) {
  const auto path = find_profile(name, error);
  return path ? load_fitting_profile(*path, error) : std::nullopt;
}

std::optional<Profile> likely_choice(const std::vector<Gpu>& gpus) {
  const auto sendable = sendable_codecs();
  for (const auto& [name, path] : list_profiles()) {
    std::string ignored;
    const auto profile = load_fitting_profile(path, ignored);
    for (const auto& gpu : gpus) {
      if (!profile || !gate_opens(*profile, gpu) || !gpu.problem.empty())
        continue;
      const auto here = for_gpu(*profile, gpu, element_exists);
      for (const auto& codec : here.codecs)
        for (const auto& candidate : here.all_encoders)
          if (candidate.codec == codec && std::find(sendable.begin(), sendable.end(), codec) != sendable.end() &&
              missing_factories(here, candidate, element_exists).empty())
            return with_codec(here, codec);
    }
  }
  return std::nullopt;
}

/// H.264 if it is installed, since every browser decodes it and hardware does so best, else what there is.
std::optional<Profile> software_choice(std::string& error) {
  for (const char* name : {"software-h264", "software-vp8", "software-vp9"}) {
    std::string ignored;
    const auto profile = load_named(name, ignored);
    for (const auto& candidate : profile ? profile->encoder : std::vector<ProfileElement>())
      if (missing_factories(*profile, candidate, element_exists).empty())
        return profile;
  }
  return load_named("software-h264", error);
}

std::optional<Profile> winner_among(const ProbeReport& report, const std::vector<Gpu>& gpus) {
  if (report.winner < 0)
    return std::nullopt;
  const auto& best = report.results[static_cast<size_t>(report.winner)];
  std::string ignored;
  auto profile = load_named(best.profile, ignored);
  if (!profile || std::find(profile->codecs.begin(), profile->codecs.end(), best.codec) == profile->codecs.end())
    return std::nullopt;
  for (const auto& gpu : gpus)
    if (gpu.slot == best.gpu)
      profile = for_gpu(*profile, gpu, element_exists);
  profile = with_codec(*profile, best.codec);
  put_first(*profile, best.encoder);
  return profile;
}

}  // namespace

std::vector<std::string> own_command() {
  const GCharPtr self(g_file_read_link("/proc/self/exe", nullptr));
  return {self ? self.get() : "vitrine"};
}

ProbeReport probe(const Settings& settings, ProbePatience patience) { return Prober(settings, patience).run(); }

std::optional<Profile> winner_of(const ProbeReport& report) { return winner_among(report, list_gpus()); }

bool wants_probe(const Settings& settings) {
  return settings.text("profile") == "auto" && settings.text("probe") != "off" && !cached_report(probe_key(list_gpus()));
}

int run_probe(const Settings& settings, bool json) {
  const auto report = probe(settings, kSomebodyWaits);
  std::fputs((json ? to_json(report) : to_text(report)).c_str(), stdout);
  std::string error;
  if (!keep_report(report, error))
    complain(kExitOk, error);
  return report.winner >= 0 ? kExitOk : kExitMissing;
}

int run_probe_child(const Settings& settings, const std::vector<std::string>& words) {
  std::string error;
  auto profile = load_fitting_profile(words.at(0), error);
  if (!profile)
    return complain(kExitUsage, error);
  for (const auto& gpu : list_gpus())
    if (gpu.slot == words.at(3))
      profile = for_gpu(*profile, gpu, element_exists);
  profile = with_codec(*profile, words.at(1));
  std::erase_if(profile->encoder, [&](const ProfileElement& one) { return one.name != words.at(2); });
  const auto size = parse_size(settings.text("size"));
  if (profile->encoder.empty() || !size)
    return complain(kExitUsage, words.at(0) + ": " + _("has no such encoder:") + " " + words.at(2));
  Settings merged = settings;
  merged.adopt_profile(profile->settings);
  std::printf("%s\n", to_json(try_candidate(*profile, merged, *size)).c_str());
  std::fflush(stdout);
  return kExitOk;
}

std::optional<Profile> choose_profile(const Settings& settings, std::string& error) {
  const std::string name = settings.text("profile");
  const auto gpus = list_gpus();
  if (name == "auto") {
    const auto report = cached_report(probe_key(gpus));
    auto chosen = report ? winner_among(*report, gpus) : std::nullopt;
    if (!chosen)
      chosen = likely_choice(gpus);
    return chosen ? chosen : software_choice(error);
  }
  auto profile = load_named(name, error);
  for (const auto& gpu : gpus)
    if (profile && gate_opens(*profile, gpu)) {
      profile = for_gpu(*profile, gpu, element_exists);
      break;
    }
  if (!profile)
    return std::nullopt;
  // A codec that the server cannot send is of no use; without a server somebody else says so.
  const auto sendable = sendable_codecs();
  for (const auto& codec : profile->codecs)
    if (sendable.empty() || std::find(sendable.begin(), sendable.end(), codec) != sendable.end())
      return with_codec(*profile, codec);
  error = profile->path + ": " + _("the server sends none of its codecs,") + " " + joined(profile->codecs) + "; " + _("it sends") + " " + joined(sendable);
  return std::nullopt;
}

}  // namespace vitrine
