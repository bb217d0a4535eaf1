// SPDX-License-Identifier: LGPL-2.1-or-later
// vitrine: puts an X desktop into web browsers. Reads the settings and hands over.
#include <gst/gst.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <string>

#include "doctor.h"
#include "health.h"
#include "log.h"
#include "pipeline-builder.h"
#include "probe-background.h"
#include "probe-nvidia.h"
#include "probe.h"
#include "profile-check.h"
#include "profile-files.h"
#include "report.h"
#include "session.h"
#include "settings-files.h"
#include "settings-text.h"
#include "settings.h"
#include "text.h"
#include "signalling.h"
#include "turn-rest.h"
#include "vitrine-config.h"

using namespace vitrine;

static int list_all_profiles() {
  int status = kExitOk;
  for (const auto& [name, path] : list_profiles()) {
    std::string error;
    const auto profile = load_profile(path, error);
    std::printf("%-20s %s\n", name.c_str(), profile ? profile->title.c_str() : error.c_str());
    if (!profile)
      status = kExitUsage;
  }
  return status;
}

static int check(const Settings& settings, const std::string& path) {
  std::string error;
  ProfileFindings findings;
  const auto profile = load_profile(path, error);
  if (!profile || !check_profile(*profile, settings, gstreamer_version(), findings, error))
    return complain(kExitUsage, error);
  for (const auto& factory : findings.missing)
    std::printf("%s: %s \"%s\"\n", path.c_str(), _("not installed, so not checked:"), factory.c_str());
  for (const auto& name : findings.not_meant)
    std::printf("%s: %s \"%s\"\n", path.c_str(), _("for another version of GStreamer, so not checked:"), name.c_str());
  std::printf("%s: %s\n", path.c_str(), _("no error found"));
  return kExitOk;
}

/// Commands that print what the tables hold. Nothing if it is another one.
static std::optional<int> print_text(const std::vector<std::string>& words) {
  std::string text;
  if (words == std::vector<std::string>{"environment-document"})
    text = environment_document();
  else if (words == std::vector<std::string>{"man-page"})
    text = man_page();
  else if (words.size() == 2 && words[0] == "completion")
    text = completion_script(words[1]);
  if (text.empty())
    return std::nullopt;
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

static int print_config(Settings& settings) {
  std::string error;
  const auto profile = choose_profile(settings, error);
  if (!profile || !settings.read_secrets(system_sources(), error))
    return complain(kExitUsage, error);
  settings.adopt_profile(profile->settings);
  std::fputs(config_text(settings).c_str(), stdout);
  return kExitOk;
}

static volatile sig_atomic_t told_to_end = 0;

/// Waits until a file is there that some other program makes when it is ready. False if a signal ends it.
static bool wait_for_file(const Settings& settings) {
  const std::string path = settings.text("wait-for-file");
  if (path.empty() || g_file_test(path.c_str(), G_FILE_TEST_EXISTS))
    return true;
  // The first process of a container gets no signal that it has no handler for.
  struct sigaction handler {}, before_term{}, before_int{};
  handler.sa_handler = [](int) { told_to_end = 1; };
  sigaction(SIGTERM, &handler, &before_term);
  sigaction(SIGINT, &handler, &before_int);
  log_line(LogLevel::info, std::string(_("waiting for")) + " " + path);
  // In steps: the file may lie in a folder that does not exist yet, or on a network, where nothing tells of it.
  while (!told_to_end && !g_file_test(path.c_str(), G_FILE_TEST_EXISTS))
    g_usleep(100'000);
  sigaction(SIGTERM, &before_term, nullptr);
  sigaction(SIGINT, &before_int, nullptr);
  return !told_to_end;
}

/// Many viewers need many descriptors, and 1024 is what a login usually gives. No more than this: some programs close all they might have.
static void allow_descriptors() {
  constexpr rlim_t kEnough = 8192;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough)
    return;
  limit.rlim_cur = std::min(kEnough, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  bindtextdomain("vitrine", VITRINE_LOCALE_DIR);
  textdomain("vitrine");
  Settings settings;
  std::string error;
  if (!settings.read({argv + 1, argv + argc}, system_sources(), error))
    return complain(kExitUsage, error + "; " + _("see vitrine --help"));
  hide_secrets();
  allow_descriptors();
  if (settings.flag("help")) {
    std::fputs(help_text().c_str(), stdout);
    return kExitOk;
  }
  const auto& words = settings.words();
  if (const auto status = print_text(words))
    return *status;
  if (words == std::vector<std::string>{"health"})
    return run_health(settings);
  if (words.size() == 2 && words[0] == "setting")
    return print_setting(settings, words[1]);
  set_log_format(settings.text("log-format") == "json" ? LogFormat::json : LogFormat::text);
  gst_init(nullptr, nullptr);
  GST_DEBUG_CATEGORY_INIT(vitrine_debug, "vitrine", 0, "the vitrine command");
  set_log_level(log_level_from(settings.text("log-level")));
  for (const auto& warning : settings.warnings())
    log_line(LogLevel::warning, warning);
  if (settings.flag("print-config"))
    return print_config(settings);
  if (settings.flag("version")) {
    std::fputs(version_text().c_str(), stdout);
    return kExitOk;
  }
  if (words.empty() && !wait_for_file(settings))
    return kExitOk;
  if (words.empty())
    return settings.read_secrets(system_sources(), error) ? run_session(settings) : complain(kExitUsage, error);
#ifdef VITRINE_SERVICES
  if (words[0] == "turn-rest" && words.size() == 1)
    return settings.read_secrets(system_sources(), error) ? run_turn_rest(settings) : complain(kExitUsage, error);
  if (words[0] == "signalling" && words.size() == 1)
    return settings.read_secrets(system_sources(), error) ? run_signalling(settings) : complain(kExitUsage, error);
#endif
  if (words[0] == "pipeline" && words.size() == 1)
    return print_pipeline(settings);
  if (words[0] == "doctor" && words.size() == 1)
    return settings.read_secrets(system_sources(), error) ? run_doctor(settings) : complain(kExitUsage, error);
  if (words[0] == "probe" && words.size() == 1)
    return run_probe(settings, settings.flag("json"));
  if (words[0] == "probe-candidate" && words.size() == 5)
    return run_probe_child(settings, {words.begin() + 1, words.end()});
  if (words[0] == "probe-background" && words.size() == 1)
    return run_background_probe(settings);
  if (words[0] == "probe-nvidia" && words.size() == 2)
    return run_probe_nvidia_child(settings, words[1]);
  if (words[0] == "profiles" && words.size() == 1)
    return list_all_profiles();
  if (words[0] == "check" && words.size() == 2)
    return check(settings, words[1]);
  return complain(kExitUsage, std::string(_("unknown command")) + " '" + words[0] + "'; " +
                                  _("a program to run comes after '--', see vitrine --help"));
}
