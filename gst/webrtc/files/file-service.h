// SPDX-License-Identifier: LGPL-2.1-or-later
// Files by HTTP: dropped on the page and sent piece by piece, listed and fetched. docs/protocol.md, "Files", has the requests.
#pragma once

#include <libsoup/soup.h>

#include <memory>
#include <string>

#include "webrtc/accounts.h"
#include "webrtc/files/disk-threads.h"
#include "webrtc/files/download-pace.h"
#include "webrtc/files/file-folder.h"
#include "webrtc/files/file-request.h"
#include "webrtc/files/upload-store.h"
#include "webrtc/token-bucket.h"

namespace vitrine {

struct FileSettings {
  std::string upload_folder;    // empty: nothing is taken
  std::string download_folder;  // empty: nothing is given
  uint64_t largest_upload = uint64_t{4} << 30;  // bytes
};

/// Bound to the thread of its server; the disk is touched on threads of its own.
class FileService {
 public:
  explicit FileService(const FileSettings& settings);
  FileService(const FileService&) = delete;
  FileService& operator=(const FileService&) = delete;

  /// Before a request's body is read: answers what is refused, and gets ready to take what is not. Requests come authenticated and from
  /// the page itself, their path (see is_file_path()) decoded and below base-path.
  void check(SoupServerMessage* message, const std::string& path, Role role);
  /// The rest of a request that check() let pass. `socket` is its connection's, if known, `address` whose it is.
  void serve(SoupServerMessage* message, GSocket* socket, const std::string& address);
  DownloadPace& pace() { return pace_; }
  /// From the next request on, bytes.
  void set_largest_upload(uint64_t bytes) { limits_.largest_upload = bytes; }

 private:
  void check_upload(SoupServerMessage* message, FileRequest request);
  void serve_list(SoupServerMessage* message);

  FileLimits limits_;
  const std::shared_ptr<UploadStore> uploads_;
  const std::shared_ptr<const FileFolder> downloads_;
  const std::shared_ptr<int> receiving_ = std::make_shared<int>(0), sending_ = std::make_shared<int>(0);
  DownloadPace pace_;
  TokenBucket requests_;
  int64_t cleaned_us_ = 0;
  DiskThreads threads_;
};

}  // namespace vitrine
