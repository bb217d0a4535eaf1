// SPDX-License-Identifier: LGPL-2.1-or-later
// vitrine: puts an X desktop into web browsers. Reads the settings and hands over.
#include <gst/gst.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>

#include "pipeline-builder.h"
#include "profile.h"
#include "session.h"
#include "settings.h"
#include "text.h"
#include "vitrine-config.h"

using namespace vitrine;

static int list_all_profiles() {
  for (const auto& [name, path] : list_profiles()) {
    std::string error;
    const auto profile = parse_profile(path, error);
    std::printf("%-20s %s\n", name.c_str(), profile ? profile->title.c_str() : error.c_str());
  }
  return kExitOk;
}

static int check(const Settings& settings, const std::string& path) {
  std::string error;
  std::vector<std::string> missing;
  const auto profile = parse_profile(path, error);
  if (!profile || !check_profile(*profile, settings, missing, error)) {
    std::fprintf(stderr, "vitrine: %s\n", error.c_str());
    return kExitUsage;
  }
  for (const auto& factory : missing)
    std::printf("%s: %s \"%s\"\n", path.c_str(), _("not installed, so not checked:"), factory.c_str());
  std::printf("%s: %s\n", path.c_str(), _("no error found"));
  return kExitOk;
}

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  bindtextdomain("vitrine", VITRINE_LOCALE_DIR);
  textdomain("vitrine");
  Settings settings;
  std::string error;
  if (!settings.read({argv + 1, argv + argc}, [](const char* name) -> const char* { return std::getenv(name); }, error)) {
    std::fprintf(stderr, "vitrine: %s; %s\n", error.c_str(), _("see vitrine --help"));
    return kExitUsage;
  }
  // Programs on the desktop have no business with it.
  unsetenv("VITRINE_PASSWORD");
  if (settings.flag("help")) {
    std::fputs(help_text().c_str(), stdout);
    return kExitOk;
  }
  if (settings.flag("version")) {
    std::printf("vitrine %s (%s)\n", VITRINE_VERSION, gst_version_string());
    return kExitOk;
  }
  gst_init(nullptr, nullptr);
  const auto& words = settings.words();
  if (words.empty())
    return run_session(settings);
  if (words[0] == "pipeline" && words.size() == 1)
    return print_pipeline(settings);
  if (words[0] == "profiles" && words.size() == 1)
    return list_all_profiles();
  if (words[0] == "check" && words.size() == 2)
    return check(settings, words[1]);
  if (words[0] == "environment-document" && words.size() == 1) {
    std::fputs(environment_document().c_str(), stdout);
    return kExitOk;
  }
  std::fprintf(stderr, "vitrine: %s '%s'; %s\n", _("unknown command"), words[0].c_str(),
               _("a program to run comes after '--', see vitrine --help"));
  return kExitUsage;
}
