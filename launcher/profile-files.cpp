// SPDX-License-Identifier: LGPL-2.1-or-later
// Finding and reading the files.
#include "profile-files.h"

#include <glib.h>

#include <cerrno>
#include <map>

#include "text.h"
#include "vitrine-config.h"

namespace vitrine {
namespace {

constexpr char kSuffix[] = ".profile";

std::optional<std::string> read_file(const std::string& path, std::string& error) {
  char* text = nullptr;
  gsize length = 0;
  GError* problem = nullptr;
  errno = 0;
  if (!g_file_get_contents(path.c_str(), &text, &length, &problem)) {
    error = path + ": " + _("cannot be read:") + " " + g_strerror(errno);
    g_error_free(problem);
    return std::nullopt;
  }
  const std::string copy(text, length);
  g_free(text);
  return copy;
}

std::vector<std::string> entries(const std::string& folder, const std::string& suffix) {
  std::vector<std::string> names;
  GDir* dir = g_dir_open(folder.c_str(), 0, nullptr);
  while (const char* entry = dir ? g_dir_read_name(dir) : nullptr)
    if (const std::string name = entry; name.size() > suffix.size() && name.ends_with(suffix))
      names.push_back(name);
  if (dir)
    g_dir_close(dir);
  return names;
}

/// Drop-ins of the profile at `path`, in order of their names. Those of one found by name may lie in any folder of the search path; of
/// equal names the first folder's counts.
std::vector<std::string> drop_ins(const std::string& path) {
  const std::string::size_type slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash), file = path.substr(slash + 1);
  std::vector<std::string> folders = {folder};
  for (const auto& searched : profile_folders())
    if (searched == folder) {
      folders = profile_folders();
      break;
    }
  std::map<std::string, std::string> found;
  for (const auto& one : folders)
    for (const auto& name : entries(one + "/" + file + ".d", ".conf"))
      found.emplace(name, one + "/" + file + ".d/" + name);
  std::vector<std::string> paths;
  for (const auto& [name, drop_in] : found)
    paths.push_back(drop_in);
  return paths;
}

std::vector<ProfileSource> read_sources(const std::string& path, std::string& error) {
  std::vector<std::string> paths = drop_ins(path);
  paths.insert(paths.begin(), path);
  std::vector<ProfileSource> sources;
  for (const auto& one : paths) {
    const auto text = read_file(one, error);
    if (!text)
      return {};
    sources.push_back({one, *text});
  }
  return sources;
}

bool exists(const std::string& path) { return g_file_test(path.c_str(), G_FILE_TEST_IS_REGULAR); }

/// Beside the file that inherits it, or in the search path. A profile may inherit one of its own name from a folder that is searched later.
std::vector<ProfileSource> find_base(const std::string& name, const std::string& from, std::string& error) {
  const std::string::size_type slash = from.rfind('/');
  std::vector<std::string> folders = profile_folders();
  folders.insert(folders.begin(), slash == std::string::npos ? "." : from.substr(0, slash));
  bool passed = !from.ends_with("/" + name + kSuffix);
  for (const auto& folder : folders) {
    const std::string path = folder + "/" + name + kSuffix;
    if (path == from)
      passed = true;
    else if (passed && exists(path))
      return read_sources(path, error);
  }
  error = std::string(_("there is no profile")) + " '" + name + "' " + _("in") + " " + joined(folders);
  return {};
}

}  // namespace

std::optional<Profile> load_profile(const std::string& path, std::string& error) {
  const auto sources = read_sources(path, error);
  return sources.empty() ? std::nullopt : parse_profile(sources, find_base, error);
}

std::vector<ProfileSource> profile_sources(const std::string& path) {
  std::string ignored;
  return read_sources(path, ignored);
}

std::vector<std::string> profile_folders() {
  const char* shipped = g_getenv("VITRINE_PROFILE_DIR");
  return {std::string(g_get_user_config_dir()) + "/vitrine/profiles", "/etc/vitrine/profiles",
          shipped && *shipped ? shipped : VITRINE_DATA_DIR "/profiles"};
}

std::optional<std::string> find_profile(const std::string& name, std::string& error) {
  if (name.find('/') != std::string::npos)
    return name;
  for (const auto& folder : profile_folders())
    if (const std::string path = folder + "/" + name + kSuffix; exists(path))
      return path;
  error = std::string(_("there is no profile")) + " '" + name + "' " + _("in") + " " + joined(profile_folders()) + "; " +
          _("'vitrine profiles' lists what there is");
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> list_profiles() {
  std::map<std::string, std::string> found;
  for (const auto& folder : profile_folders())
    for (const auto& file : entries(folder, kSuffix))
      found.emplace(file.substr(0, file.size() - (sizeof kSuffix - 1)), folder + "/" + file);
  return {found.begin(), found.end()};
}

}  // namespace vitrine
