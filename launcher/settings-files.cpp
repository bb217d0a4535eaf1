// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading files and the environment.
#include "settings-files.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "settings-aliases.h"

namespace vitrine {
namespace {

/// More is no setting, but somebody's mistake, such as /dev/zero.
constexpr size_t kMostBytes = 1U << 20;

std::optional<SettingsSources::File> read_file(const std::string& path, std::string& error) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  SettingsSources::File file;
  struct stat about {};
  if (fd < 0 || fstat(fd, &about) != 0) {
    error = errno == ENOENT || errno == ENOTDIR ? "" : g_strerror(errno);
    return std::nullopt;
  }
  // Others than the owner and their group; the group is how system services share files.
  file.open_to_others = (about.st_mode & S_IROTH) != 0;
  char block[4096];
  ssize_t got = 0;
  while (file.text.size() <= kMostBytes && (got = read(fd, block, sizeof block)) > 0)
    file.text.append(block, static_cast<size_t>(got));
  error = got < 0 ? g_strerror(errno) : file.text.size() > kMostBytes ? g_strerror(EFBIG) : "";
  close(fd);
  return error.empty() ? std::optional(file) : std::nullopt;
}

std::vector<std::string> secret_variables() {
  std::vector<std::string> names;
  for (const auto& option : option_table())
    if (file_option(option))
      names.emplace_back(option.environment);
  for (const auto& alias : alias_table())
    if (alias.secret)
      names.emplace_back(alias.name);
  return names;
}

SettingsSources make_sources() {
  // A copy: secrets are wiped from the real one, and a reload wants them again.
  auto kept = std::make_shared<std::map<std::string, std::string>>();
  for (char** entry = environ; entry && *entry; ++entry)
    if (const char* equals = std::strchr(*entry, '='))
      kept->emplace(std::string(*entry, static_cast<size_t>(equals - *entry)), equals + 1);
  SettingsSources sources;
  sources.environment = [kept](const char* name) -> const char* {
    const auto found = kept->find(name);
    return found == kept->end() ? nullptr : found->second.c_str();
  };
  sources.read_file = read_file;
  sources.config_files = {"/etc/vitrine/vitrine.conf", std::string(g_get_user_config_dir()) + "/vitrine/vitrine.conf"};
  return sources;
}

}  // namespace

const SettingsSources& system_sources() {
  static const SettingsSources sources = make_sources();
  return sources;
}

void hide_secrets() {
  system_sources();
  for (const auto& name : secret_variables())
    if (char* value = std::getenv(name.c_str())) {
      explicit_bzero(value, std::strlen(value));
      unsetenv(name.c_str());
    }
}

}  // namespace vitrine
