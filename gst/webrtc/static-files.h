// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's files: which file a URL path means, and its headers.
#pragma once

#include <optional>
#include <string>

namespace vitrine {

struct StaticFile {
  std::string path;           // on disk
  const char* content_type;
  const char* cache_control;
};

/// The file under `root` that `url_path` (decoded, starting with '/') names. Nothing for paths with "..", hidden files, directories other
/// than "/", links that lead out of `root`, unknown file types, and what does not exist.
std::optional<StaticFile> find_static_file(const std::string& root, const std::string& url_path);

}  // namespace vitrine
