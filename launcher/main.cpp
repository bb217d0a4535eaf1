// SPDX-License-Identifier: LGPL-2.1-or-later
// vitrine: puts an X desktop into web browsers. Reads the settings and hands over.
#include <gst/gst.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pipeline-builder.h"
#include "profile.h"
#include "report.h"
#include "session.h"
#include "settings.h"
#include "text.h"
#include "vitrine-config.h"

GST_DEBUG_CATEGORY(vitrine_debug);

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
  std::vector<std::string> missing;
  const auto profile = load_profile(path, error);
  if (!profile || !check_profile(*profile, settings, missing, error))
    return complain(kExitUsage, error);
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
  const auto variable = [](const char* name) -> const char* { return std::getenv(name); };
  if (!settings.read({argv + 1, argv + argc}, variable, error))
    return complain(kExitUsage, error + "; " + _("see vitrine --help"));
  // Programs on the desktop have no business with it, nor has who reads /proc.
  if (char* password = std::getenv("VITRINE_PASSWORD")) {
    explicit_bzero(password, std::strlen(password));
    unsetenv("VITRINE_PASSWORD");
  }
  if (settings.flag("help")) {
    std::fputs(help_text().c_str(), stdout);
    return kExitOk;
  }
  if (settings.flag("version")) {
    std::printf("vitrine %s (%s)\n", VITRINE_VERSION, gst_version_string());
    return kExitOk;
  }
  gst_init(nullptr, nullptr);
  GST_DEBUG_CATEGORY_INIT(vitrine_debug, "vitrine", 0, "the vitrine command");
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
  return complain(kExitUsage, std::string(_("unknown command")) + " '" + words[0] + "'; " +
                                  _("a program to run comes after '--', see vitrine --help"));
}
