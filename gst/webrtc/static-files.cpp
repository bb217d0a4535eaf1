// SPDX-License-Identifier: LGPL-2.1-or-later
// Static files.
#include "webrtc/static-files.h"

#include <sys/stat.h>

#include <climits>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace vitrine {
namespace {

constexpr struct {
  std::string_view suffix;
  const char* content_type;
} kTypes[] = {
    {".html", "text/html; charset=utf-8"},     {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},       {".json", "application/json"},
    {".svg", "image/svg+xml"},                 {".png", "image/png"},
    {".ico", "image/x-icon"},                  {".wasm", "application/wasm"},
    {".woff2", "font/woff2"},                  {".map", "application/json"},
    {".webmanifest", "application/manifest+json"}, {".txt", "text/plain; charset=utf-8"},
};

std::string real_path(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr), std::free);
  return resolved ? resolved.get() : "";
}

}  // namespace

std::optional<StaticFile> find_static_file(const std::string& root, const std::string& url_path) {
  if (root.empty() || url_path.empty() || url_path[0] != '/' || url_path.size() > 1024 ||
      url_path.find('\0') != std::string::npos || url_path.find('\\') != std::string::npos ||
      url_path.find("/.") != std::string::npos)
    return std::nullopt;
  const std::string relative = url_path == "/" ? "/index.html" : url_path;
  const char* type = nullptr;
  for (const auto& entry : kTypes)
    if (relative.ends_with(entry.suffix))
      type = entry.content_type;
  const std::string base = real_path(root), file = real_path(root + relative);
  struct stat info;
  if (!type || base.empty() || !file.starts_with(base + "/") || stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
    return std::nullopt;
  // Files under assets/ carry a hash in their name; the page itself must be asked for anew.
  const bool hashed = relative.starts_with("/assets/");
  return StaticFile{file, type, hashed ? "private, max-age=31536000, immutable" : "no-cache"};
}

}  // namespace vitrine
