// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading profiles with GLib's key file parser.
#include "profile.h"

#include <glib.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "key-lines.h"
#include "settings.h"
#include "text.h"
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

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

const std::vector<std::string> kProfileKeys = {"format", "title", "codec", "capture", "encoder"};
const std::vector<std::string> kSettings = {"framerate", "bitrate"};
const std::map<std::string, std::string> kCodecs = {{"H264", "video/x-h264"}, {"VP8", "video/x-vp8"}, {"VP9", "video/x-vp9"}};
/// What values may hold in braces, with samples of what they become.
const std::map<std::string, std::string> kPlaceholders = {{"display", ":0"}, {"framerate", "60"}, {"bitrate", "8000"}, {"threads", "1"}};

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map)
    names.push_back(name);
  return names;
}

/// Reads one file; the first problem stays in `error`.
class Reader {
 public:
  Reader(const std::string& path, const std::string& text, std::string& error)
      : path_(path), lines_(text), file_(g_key_file_new()), error_(error) {
    error_.clear();
    GError* problem = nullptr;
    if (!lines_.problem().empty())
      error_ = path_ + ":" + std::to_string(lines_.problem_line()) + ": " + lines_.problem();
    else if (!g_key_file_load_from_data(file_.get(), text.c_str(), text.size(), G_KEY_FILE_NONE, &problem))
      error_ = path_ + ": " + problem->message;
    g_clear_error(&problem);
  }

  std::optional<Profile> read();

 private:
  std::string where(const std::string& group, const std::string& key) const {
    const int line = lines_.line_of(group, key);
    return path_ + (line ? ":" + std::to_string(line) : "") + ": [" + group + "]" + (key.empty() ? "" : " " + key);
  }
  bool good() const { return error_.empty(); }
  void fail(const std::string& group, const std::string& key, const std::string& what) {
    if (good())
      error_ = where(group, key) + ": " + what;
  }
  bool has_group(const std::string& group) const { return g_key_file_has_group(file_.get(), group.c_str()); }
  std::vector<std::string> keys(const std::string& group) const {
    return take_list(g_key_file_get_keys(file_.get(), group.c_str(), nullptr, nullptr));
  }
  std::string text(const std::string& group, const std::string& key);
  std::vector<std::string> list(const std::string& group, const std::string& key);
  ProfileValue expandable(const std::string& group, const std::string& key);
  void read_head(Profile& profile);
  void read_settings(Profile& profile);
  ProfileElement read_element(const std::string& kind, const std::string& factory, const std::string& named_by_group,
                              const std::string& named_by_key);
  void read_bitrate(const std::string& group, ProfileElement& element);
  std::vector<ProfileElement> read_candidates(const std::string& kind);
  void read_converters(Profile& profile);
  void check_codec(const Profile& profile);
  void check_unused();

  const std::string& path_;
  const KeyLines lines_;
  const KeyFile file_;
  std::string& error_;
  std::set<std::string> used_;
};

std::string Reader::text(const std::string& group, const std::string& key) {
  GError* problem = nullptr;
  char* value = g_key_file_get_string(file_.get(), group.c_str(), key.c_str(), &problem);
  if (!value)
    fail(group, key, g_error_matches(problem, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND) ? _("is missing") : problem->message);
  else if (!*value)
    fail(group, key, _("is empty"));
  const std::string result = value ? value : "";
  g_free(value);
  g_clear_error(&problem);
  return result;
}

std::vector<std::string> Reader::list(const std::string& group, const std::string& key) {
  text(group, key);
  return take_list(g_key_file_get_string_list(file_.get(), group.c_str(), key.c_str(), nullptr, nullptr));
}

ProfileValue Reader::expandable(const std::string& group, const std::string& key) {
  ProfileValue made{key, text(group, key), where(group, key)};
  std::string problem;
  if (good() && !expand(made.value, kPlaceholders, problem))
    fail(group, key, problem + "; " + _("known are") + " {" + joined(names_of(kPlaceholders)) + "}");
  return made;
}

void Reader::read_head(Profile& profile) {
  if (!has_group("profile")) {
    if (good())
      error_ = path_ + ": " + _("there is no group [profile]");
    return;
  }
  used_.insert("profile");
  for (const auto& key : keys("profile"))
    if (!contains(kProfileKeys, key))
      fail("profile", key, std::string(_("unknown key; known are")) + " " + joined(kProfileKeys));
  const std::string format = text("profile", "format");
  if (format != "1")
    fail("profile", "format", "'" + format + "' " + _("is no version that this program reads; it reads") + " 1");
  profile.title = text("profile", "title");
  profile.codec = text("profile", "codec");
  if (!kCodecs.contains(profile.codec))
    fail("profile", "codec", "'" + profile.codec + "' " + _("is none of") + " " + joined(names_of(kCodecs)));
}

void Reader::read_settings(Profile& profile) {
  if (!has_group("settings"))
    return;
  used_.insert("settings");
  for (const auto& key : keys("settings")) {
    if (!contains(kSettings, key)) {
      fail("settings", key, std::string(_("unknown key; known are")) + " " + joined(kSettings));
      return;
    }
    const std::string value = text("settings", key), problem = value_problem(*find_option(key), value);
    if (!problem.empty())
      fail("settings", key, problem);
    profile.settings[key] = value;
  }
}

ProfileElement Reader::read_element(const std::string& kind, const std::string& factory, const std::string& named_by_group,
                                    const std::string& named_by_key) {
  const std::string group = kind + " " + factory;
  ProfileElement element;
  element.factory = factory;
  element.where = where(group, "");
  used_.insert(group);
  if (!has_group(group)) {
    fail(named_by_group, named_by_key, "'" + factory + "' " + _("has no group") + " [" + group + "]");
    return element;
  }
  for (const auto& key : keys(group)) {
    if (key == "@caps") {
      element.caps = expandable(group, key);
    } else if (key == "@convert" && kind == "capture") {
      element.convert = list(group, key);
    } else if (key == "@check-elements") {
      element.check_elements = list(group, key);
    } else if (key == "@bitrate" && kind == "encoder") {
      read_bitrate(group, element);
    } else if (key.starts_with("@")) {
      fail(group, key, std::string(_("unknown key; known are")) + " @caps, @check-elements" +
                           (kind == "capture" ? ", @convert" : kind == "encoder" ? ", @bitrate" : ""));
    } else {
      element.properties.push_back(expandable(group, key));
    }
  }
  return element;
}

void Reader::read_bitrate(const std::string& group, ProfileElement& element) {
  const std::string value = text(group, "@bitrate");
  const size_t star = value.find('*');
  char* end = nullptr;
  const double factor = star == std::string::npos ? 0 : g_ascii_strtod(value.c_str() + star + 1, &end);
  if (star == std::string::npos || star == 0 || *end || !(factor > 0) || factor > 1e6)
    fail(group, "@bitrate", "'" + value + "' " + _("is not of the form property*factor"));
  element.bitrate = ProfileValue{value.substr(0, star), value, where(group, "@bitrate")};
  element.bitrate_factor = factor;
}

std::vector<ProfileElement> Reader::read_candidates(const std::string& kind) {
  std::vector<ProfileElement> candidates;
  for (const auto& name : list("profile", kind))
    if (good())
      candidates.push_back(read_element(kind, name, "profile", kind));
  return candidates;
}

void Reader::read_converters(Profile& profile) {
  for (const auto& candidate : profile.capture)
    for (const auto& name : candidate.convert) {
      // A converter without settings needs no group.
      if (has_group("convert " + name))
        profile.convert[name] = read_element("convert", name, "capture " + candidate.factory, "@convert");
      else
        profile.convert[name].factory = name;
    }
}

void Reader::check_codec(const Profile& profile) {
  const std::string& media = kCodecs.at(profile.codec);
  for (const auto& candidate : profile.encoder)
    if (candidate.caps && candidate.caps->value.substr(0, candidate.caps->value.find_first_of(", ")) != media)
      fail("encoder " + candidate.factory, "@caps", std::string(_("must begin with")) + " " + media + ", " + _("as codec says"));
}

void Reader::check_unused() {
  for (const auto& group : take_list(g_key_file_get_groups(file_.get(), nullptr)))
    if (!used_.contains(group))
      fail(group, "", _("nothing refers to this group"));
}

std::optional<Profile> Reader::read() {
  Profile profile;
  profile.path = path_;
  if (good())
    read_head(profile);
  if (good())
    read_settings(profile);
  if (good())
    profile.capture = read_candidates("capture");
  if (good())
    profile.encoder = read_candidates("encoder");
  if (good())
    read_converters(profile);
  if (good())
    check_codec(profile);
  if (good())
    check_unused();
  return good() ? std::optional(std::move(profile)) : std::nullopt;
}

}  // namespace

std::optional<Profile> parse_profile(const std::string& path, const std::string& text, std::string& error) {
  return Reader(path, text, error).read();
}

std::optional<Profile> load_profile(const std::string& path, std::string& error) {
  char* text = nullptr;
  GError* problem = nullptr;
  if (!g_file_get_contents(path.c_str(), &text, nullptr, &problem)) {
    error = path + ": " + _("cannot be read:") + " " + g_strerror(errno);
    g_error_free(problem);
    return std::nullopt;
  }
  const std::string copy = text;
  g_free(text);
  return parse_profile(path, copy, error);
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
  error = std::string(_("there is no profile")) + " '" + name + "' " + _("in") + " " + joined(profile_folders()) + "; " +
          _("'vitrine profiles' lists what there is");
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
      error = std::string(_("unknown placeholder")) + " " + text.substr(at, end - at + 1);
      return std::nullopt;
    }
    out += found->second;
    at = end + 1;
  }
  return out;
}

}  // namespace vitrine
