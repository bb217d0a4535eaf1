// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of a profile as one set of groups and keys: what it inherits, the file itself, its drop-ins; later ones win. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "profile.h"

namespace vitrine {

class ProfileLayers {
 public:
  ProfileLayers(const ProfileLayers&) = delete;
  ProfileLayers& operator=(const ProfileLayers&) = delete;
  /// Nothing is in it, and `error` says why, if a file is no key file, a profile inherits itself, or an empty value drops nothing.
  ProfileLayers(const std::vector<ProfileSource>& sources, const FindBase& find_base, std::string& error);

  bool has_group(const std::string& group) const { return groups_.contains(group); }
  bool has(const std::string& group, const std::string& key) const { return find(group, key) != nullptr; }
  /// In the order in which they were first given.
  std::vector<std::string> keys(const std::string& group) const;
  std::string text(const std::string& group, const std::string& key) const;
  /// Separated by ';', without spaces around and empty items.
  std::vector<std::string> list(const std::string& group, const std::string& key) const;
  /// "FILE:LINE: [group] key", of the value that won. The group's own place if the key is empty or not there.
  std::string where(const std::string& group, const std::string& key) const;
  /// Groups that the profile itself or a drop-in mentions, in order: what it inherits may stay unused.
  const std::vector<std::string>& own_groups() const { return own_groups_; }
  const std::string& path() const { return path_; }

 private:
  ProfileLayers() = default;
  struct Entry {
    std::string key, value, where;
  };
  struct Group {
    std::string where;
    std::vector<Entry> entries;
  };
  bool add_profile(const std::vector<ProfileSource>& sources, const FindBase& find_base, bool own, std::vector<std::string>& chain,
                   std::string& error);
  bool add_file(const ProfileSource& source, bool own, std::string& error);
  bool check_format(std::string& error) const;
  bool set(Group& group, Entry entry, std::string& error);
  const Entry* find(const std::string& group, const std::string& key) const;
  std::map<std::string, Group> groups_;
  std::vector<std::string> own_groups_;
  std::string path_;
  bool alone_ = false;  // read without what it inherits: what an empty value drops is not there
};

}  // namespace vitrine
