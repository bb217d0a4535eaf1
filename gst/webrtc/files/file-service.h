// SPDX-License-Identifier: LGPL-2.1-or-later
// Files by HTTP: dropped on the page and sent piece by piece, listed and fetched. docs/protocol.md has the requests.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <string>

#include "webrtc/files/file-folder.h"

namespace vitrine {

struct FileSettings {
  std::string upload_folder;    // empty: nothing is taken
  std::string download_folder;  // empty: nothing is given
  uint64_t largest_upload = 0;  // bytes
};

/// Bound to the thread of its server; the disk is touched on threads of its own. Requests come authenticated.
class FileService {
 public:
  explicit FileService(FileSettings settings);
  ~FileService();
  FileService(const FileService&) = delete;
  FileService& operator=(const FileService&) = delete;

  /// As much of a file as one request brings, in bytes.
  static constexpr uint64_t kLargestPiece = 8u << 20;

  // Paths come as libsoup gives them: decoded.

  /// Whether it is for us: "/files/…".
  static bool is_path(const std::string& path);
  /// Before a request's body is read: answers what is refused. False when it did.
  bool check(SoupServerMessage* message, const std::string& path);
  void serve(SoupServerMessage* message, const std::string& path);

 private:
  struct Shared;
  void serve_upload(SoupServerMessage* message, const std::string& id);
  void serve_list(SoupServerMessage* message);
  void serve_download(SoupServerMessage* message, const std::string& name);

  const FileSettings settings_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace vitrine
