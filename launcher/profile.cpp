// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading profiles with GLib's key file parser.
#include "profile.h"

#include <glib.h>

#include <algorithm>
#include <memory>
#include <set>

#include "vitrine-config.h"

namespace vitrine {
namespace {

struct KeyFileFree {
  void operator()(GKeyFile* file) const { g_key_file_free(file); }
};
using KeyFile = std::unique_ptr<GKeyFile, KeyFileFree>;

std::vector<std::string> take_list(char** list) {
  std::vector<std::string> result;
  for (char** item = list; item && *item; ++item)
    result.emplace_back(*item);
  g_strfreev(list);
  return result;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

class Reader {
 public:
  Reader(GKeyFile* file, const std::string& path, std::string& error) : file_(file), path_(path), error_(error) {}

  bool fail(const std::string& group, const std::string& key, const std::string& what) {
    if (error_.empty())
      error_ = path_ + ": [" + group + "]" + (key.empty() ? "" : " " + key) + ": " + what;
    return false;
  }
  std::string text(const std::string& group, const char* key, bool must) {
    GError* problem = nullptr;
    char* value = g_key_file_get_string(file_, group.c_str(), key, &problem);
    if (!value) {
      if (must || !g_error_matches(problem, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND))
        fail(group, key, must ? "is missing" : problem->message);
      g_clear_error(&problem);
      return "";
    }
    std::string result = value;
    g_free(value);
    return result;
  }
  std::vector<std::string> list(const std::string& group, const char* key) {
    return take_list(g_key_file_get_string_list(file_, group.c_str(), key, nullptr, nullptr));
  }
  std::vector<std::string> keys(const std::string& group) {
    return take_list(g_key_file_get_keys(file_, group.c_str(), nullptr, nullptr));
  }
  bool has_group(const std::string& group) { return g_key_file_has_group(file_, group.c_str()); }

  bool element(const std::string& kind, const std::string& factory, ProfileElement& element) {
    element.group = kind + " " + factory;
    element.factory = factory;
    if (!has_group(element.group))
      return fail("profile", kind, "names " + factory + ", but there is no group [" + element.group + "]");
    for (const auto& key : keys(element.group)) {
      if (key == "@caps") {
        element.caps = text(element.group, key.c_str(), true);
      } else if (key == "@convert" && kind == "capture") {
        element.convert = list(element.group, key.c_str());
      } else if (key == "@check-elements") {
        element.check_elements = list(element.group, key.c_str());
      } else if (key == "@bitrate" && kind == "encoder") {
        if (!bitrate(element))
          return false;
      } else if (key.starts_with("@")) {
        return fail(element.group, key, "unknown; a " + kind + " group may have @caps, @check-elements" +
                                            (kind == "capture" ? ", @convert" : kind == "encoder" ? ", @bitrate" : ""));
      } else {
        element.properties.emplace_back(key, text(element.group, key.c_str(), true));
      }
    }
    return error_.empty();
  }

 private:
  bool bitrate(ProfileElement& element) {
    const std::string value = text(element.group, "@bitrate", true);
    const size_t star = value.find('*');
    char* end = nullptr;
    const double factor = star == std::string::npos ? 0 : g_ascii_strtod(value.c_str() + star + 1, &end);
    if (star == std::string::npos || star == 0 || !end || *end || factor <= 0)
      return fail(element.group, "@bitrate", "'" + value + "' is not of the form property*factor");
    element.bitrate_property = value.substr(0, star);
    element.bitrate_factor = factor;
    return true;
  }

  GKeyFile* file_;
  const std::string& path_;
  std::string& error_;
};

bool read_candidates(Reader& reader, const char* kind, std::vector<ProfileElement>& out) {
  const auto names = reader.list("profile", kind);
  if (names.empty())
    return reader.fail("profile", kind, "is missing or empty");
  for (const auto& name : names)
    if (!reader.element(kind, name, out.emplace_back()))
      return false;
  return true;
}

}  // namespace

std::optional<Profile> parse_profile(const std::string& path, std::string& error) {
  error.clear();
  KeyFile file(g_key_file_new());
  GError* problem = nullptr;
  if (!g_key_file_load_from_file(file.get(), path.c_str(), G_KEY_FILE_NONE, &problem)) {
    error = path + ": " + problem->message;
    g_error_free(problem);
    return std::nullopt;
  }
  Reader reader(file.get(), path, error);
  Profile profile;
  profile.path = path;
  if (!reader.has_group("profile")) {
    error = path + ": there is no group [profile]";
    return std::nullopt;
  }
  static const std::vector<std::string> known = {"format", "title", "codec", "capture", "encoder"};
  for (const auto& key : reader.keys("profile"))
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      reader.fail("profile", key, "unknown; known are " + joined(known));
      return std::nullopt;
    }
  if (const std::string format = reader.text("profile", "format", true); error.empty() && format != "1")
    reader.fail("profile", "format", "'" + format + "' is not a version that this program knows (1)");
  profile.title = reader.text("profile", "title", true);
  profile.codec = reader.text("profile", "codec", true);
  static const std::vector<std::string> codecs = {"H264", "VP8", "VP9"};
  if (error.empty() && std::find(codecs.begin(), codecs.end(), profile.codec) == codecs.end())
    reader.fail("profile", "codec", "'" + profile.codec + "' is none of " + joined(codecs));
  if (!error.empty() || !read_candidates(reader, "capture", profile.capture) ||
      !read_candidates(reader, "encoder", profile.encoder))
    return std::nullopt;
  std::set<std::string> used = {"profile"};
  for (const auto& candidate : profile.capture) {
    used.insert(candidate.group);
    for (const auto& name : candidate.convert) {
      ProfileElement element{"convert " + name, name, {}, "", {}, {}, "", 1};
      // A converter without settings needs no group.
      if (reader.has_group(element.group) && !reader.element("convert", name, element))
        return std::nullopt;
      used.insert(element.group);
      profile.convert[name] = element;
    }
  }
  for (const auto& candidate : profile.encoder)
    used.insert(candidate.group);
  for (const auto& group : take_list(g_key_file_get_groups(file.get(), nullptr)))
    if (!used.contains(group)) {
      error = path + ": [" + group + "]: nothing refers to this group";
      return std::nullopt;
    }
  return profile;
}

std::vector<std::string> profile_folders() {
  const char* shipped = g_getenv("VITRINE_PROFILE_DIR");
  return {std::string(g_get_user_config_dir()) + "/vitrine/profiles", "/etc/vitrine/profiles",
          shipped && *shipped ? shipped : VITRINE_DATA_DIR "/profiles"};
}

std::optional<std::string> find_profile(const std::string& name, std::string& error) {
  if (name.find('/') != std::string::npos)
    return name;
  for (const auto& folder : profile_folders()) {
    const std::string path = folder + "/" + name + ".profile";
    if (g_file_test(path.c_str(), G_FILE_TEST_IS_REGULAR))
      return path;
  }
  error = "there is no profile '" + name + "' in " + joined(profile_folders()) + "; 'vitrine profiles' lists what there is";
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> list_profiles() {
  std::map<std::string, std::string> found;
  for (const auto& folder : profile_folders()) {
    GDir* dir = g_dir_open(folder.c_str(), 0, nullptr);
    while (const char* entry = dir ? g_dir_read_name(dir) : nullptr) {
      const std::string file = entry;
      if (file.ends_with(".profile"))
        found.emplace(file.substr(0, file.size() - 8), folder + "/" + file);
    }
    if (dir)
      g_dir_close(dir);
  }
  return {found.begin(), found.end()};
}

std::optional<std::string> expand(const std::string& text, const std::map<std::string, std::string>& values, std::string& error) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      out += text[at++];
      continue;
    }
    const auto found = values.find(text.substr(at + 1, end - at - 1));
    if (found == values.end()) {
      error = "unknown placeholder " + text.substr(at, end - at + 1);
      return std::nullopt;
    }
    out += found->second;
    at = end + 1;
  }
  return out;
}

}  // namespace vitrine
