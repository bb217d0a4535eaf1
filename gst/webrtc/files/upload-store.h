// SPDX-License-Identifier: LGPL-2.1-or-later
// Uploads on their way into a folder: one writer each, and what became of those that ended lately.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "common/mutex.h"
#include "webrtc/files/file-folder.h"

namespace vitrine {

/// Thread-safe. All but take() touch the disk.
class UploadStore {
 public:
  explicit UploadStore(std::string folder) : folder_(std::move(folder)) {}

  /// From now on only who has this number writes to the upload: a viewer that comes back does not wait for its own lost connection.
  uint64_t take(const std::string& id);
  StoredPiece append(const std::string& id, uint64_t writer, const std::string& name, uint64_t offset, uint64_t total, const void* bytes,
                     size_t length);
  /// `size` is what is there, the whole file's for one that has ended.
  StoredPiece progress(const std::string& id);
  FileError discard(const std::string& id);
  void remove_stale();

 private:
  struct Upload {
    std::atomic<uint64_t> writer{0};
    Mutex mutex;  // held while the disk is written; never together with table_
    uint64_t size GUARDED_BY(mutex) = 0;
    std::string name GUARDED_BY(mutex);  // once it has ended
  };
  std::shared_ptr<Upload> find(const std::string& id);

  const FileFolder folder_;
  std::atomic<uint64_t> writers_{0};
  Mutex table_;
  std::map<std::string, std::shared_ptr<Upload>> uploads_ GUARDED_BY(table_);
  std::deque<std::string> order_ GUARDED_BY(table_);  // oldest first
};

}  // namespace vitrine
