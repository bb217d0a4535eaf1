// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading with GLib's key file parser, and laying one file over another.
#include "profile-layers.h"

#include <glib.h>

#include <algorithm>
#include <memory>

#include "key-lines.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr char kFormat[] = "1";

struct KeyFileFree {
  void operator()(GKeyFile* file) const { g_key_file_free(file); }
};

std::vector<std::string> taken(char** list) {
  std::vector<std::string> result;
  for (char** item = list; item && *item; ++item)
    result.emplace_back(*item);
  g_strfreev(list);
  return result;
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

ProfileLayers::ProfileLayers(const std::vector<ProfileSource>& sources, const FindBase& find_base, std::string& error) {
  error.clear();
  path_ = sources.empty() ? "" : sources[0].path;
  std::vector<std::string> chain;
  if (!add_profile(sources, find_base, true, chain, error))
    groups_.clear();
}

bool ProfileLayers::add_profile(const std::vector<ProfileSource>& sources, const FindBase& find_base, bool own,
                                std::vector<std::string>& chain, std::string& error) {
  // What the file alone says of its base; drop-ins cannot change that.
  ProfileLayers first;
  first.alone_ = true;
  if (!first.add_file(sources.at(0), own, error) || !first.check_format(error))
    return false;
  const std::string& path = sources[0].path;
  if (std::find(chain.begin(), chain.end(), path) != chain.end()) {
    error = first.where("profile", "inherits") + ": " + _("inherits itself by way of") + " " + joined(chain);
    return false;
  }
  chain.push_back(path);
  if (first.has("profile", "inherits")) {
    const std::string name = first.text("profile", "inherits");
    std::string why;
    const auto base = find_base(name, path, why);
    if (base.empty()) {
      error = first.where("profile", "inherits") + ": " + why;
      return false;
    }
    if (!add_profile(base, find_base, false, chain, error))
      return false;
  }
  for (const auto& source : sources)
    if (!add_file(source, own, error))
      return false;
  return true;
}

bool ProfileLayers::check_format(std::string& error) const {
  const std::string format = text("profile", "format");
  if (!has_group("profile"))
    error = path_ + ": " + _("there is no group [profile]");
  else if (!has("profile", "format"))
    error = where("profile", "format") + ": " + _("is missing");
  else if (format != kFormat)
    error = where("profile", "format") + ": '" + format + "' " + _("is no version that this program reads; it reads") + " " + kFormat;
  return error.empty();
}

bool ProfileLayers::add_file(const ProfileSource& source, bool own, std::string& error) {
  const KeyLines lines(source.text);
  path_ = path_.empty() ? source.path : path_;
  const std::unique_ptr<GKeyFile, KeyFileFree> file(g_key_file_new());
  GError* problem = nullptr;
  if (!lines.problem().empty())
    error = source.path + ":" + std::to_string(lines.problem_line()) + ": " + lines.problem();
  else if (!g_key_file_load_from_data(file.get(), source.text.c_str(), source.text.size(), G_KEY_FILE_NONE, &problem))
    error = source.path + ": " + problem->message;
  g_clear_error(&problem);
  if (!error.empty())
    return false;
  for (const auto& name : taken(g_key_file_get_groups(file.get(), nullptr))) {
    const auto place = [&](const std::string& key) {
      return source.path + ":" + std::to_string(lines.line_of(name, key)) + ": [" + name + "]" + (key.empty() ? "" : " " + key);
    };
    Group& group = groups_[name];
    group.where = place("");
    if (own && std::find(own_groups_.begin(), own_groups_.end(), name) == own_groups_.end())
      own_groups_.push_back(name);
    for (const auto& key : taken(g_key_file_get_keys(file.get(), name.c_str(), nullptr, nullptr))) {
      char* value = g_key_file_get_string(file.get(), name.c_str(), key.c_str(), &problem);
      if (!value)
        error = place(key) + ": " + problem->message;
      const bool good = value && set(group, {key, value, place(key)}, error);
      g_free(value);
      g_clear_error(&problem);
      if (!good)
        return false;
    }
  }
  return true;
}

bool ProfileLayers::set(Group& group, Entry entry, std::string& error) {
  const auto before = std::find_if(group.entries.begin(), group.entries.end(), [&](const Entry& other) { return other.key == entry.key; });
  if (!entry.value.empty()) {
    if (before == group.entries.end())
      group.entries.push_back(std::move(entry));
    else
      *before = std::move(entry);
    return true;
  }
  if (alone_)
    return true;
  if (before == group.entries.end()) {
    error = entry.where + ": " + _("is empty, and there is nothing inherited that it would drop");
    return false;
  }
  group.entries.erase(before);
  return true;
}

const ProfileLayers::Entry* ProfileLayers::find(const std::string& group, const std::string& key) const {
  const auto found = groups_.find(group);
  if (found == groups_.end())
    return nullptr;
  for (const auto& entry : found->second.entries)
    if (entry.key == key)
      return &entry;
  return nullptr;
}

std::vector<std::string> ProfileLayers::keys(const std::string& group) const {
  std::vector<std::string> result;
  if (const auto found = groups_.find(group); found != groups_.end())
    for (const auto& entry : found->second.entries)
      result.push_back(entry.key);
  return result;
}

std::string ProfileLayers::text(const std::string& group, const std::string& key) const {
  const Entry* entry = find(group, key);
  return entry ? entry->value : "";
}

std::vector<std::string> ProfileLayers::list(const std::string& group, const std::string& key) const {
  std::vector<std::string> result;
  const std::string all = text(group, key);
  for (size_t at = 0; at <= all.size();) {
    const size_t end = std::min(all.find(';', at), all.size());
    if (const std::string item = trimmed(all.substr(at, end - at)); !item.empty())
      result.push_back(item);
    at = end + 1;
  }
  return result;
}

std::string ProfileLayers::where(const std::string& group, const std::string& key) const {
  if (const Entry* entry = find(group, key))
    return entry->where;
  const auto found = groups_.find(group);
  const std::string place = found == groups_.end() ? path_ + ": [" + group + "]" : found->second.where;
  return place + (key.empty() ? "" : " " + key);
}

}  // namespace vitrine
