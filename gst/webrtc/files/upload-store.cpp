// SPDX-License-Identifier: LGPL-2.1-or-later
// Who writes, and what was written.
#include "webrtc/files/upload-store.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr size_t kMostRemembered = 512;
constexpr int64_t kStaleSeconds = 24 * 60 * 60;

}  // namespace

std::shared_ptr<UploadStore::Upload> UploadStore::find(const std::string& id) {
  MutexLock lock(table_);
  if (const auto known = uploads_.find(id); known != uploads_.end())
    return known->second;
  if (order_.size() >= kMostRemembered) {
    // The oldest that nobody works on just now.
    const auto idle = std::find_if(order_.begin(), order_.end(), [this](const std::string& other) REQUIRES(table_) { return uploads_[other].use_count() == 1; });
    if (idle != order_.end()) {
      uploads_.erase(*idle);
      order_.erase(idle);
    }
  }
  order_.push_back(id);
  return uploads_[id] = std::make_shared<Upload>();
}

uint64_t UploadStore::take(const std::string& id) {
  const auto upload = find(id);
  return upload->writer = ++writers_;
}

StoredPiece UploadStore::append(const std::string& id, uint64_t writer, const std::string& name, uint64_t offset, uint64_t total,
                                const void* bytes, size_t length) {
  const auto upload = find(id);
  MutexLock lock(upload->mutex);
  StoredPiece piece;
  if (upload->writer != writer) {
    piece = folder_.progress(id);
    piece.error = FileError::kWrongOffset;
    return piece;
  }
  if (!upload->name.empty()) {
    // The answer that it has arrived was lost on the way.
    piece.size = upload->size;
    piece.name = upload->name;
    if (offset != upload->size || length != 0)
      piece.error = FileError::kWrongOffset;
    return piece;
  }
  piece = folder_.append(id, name, offset, total, bytes, length);
  if (piece.error == FileError::kNone && !piece.name.empty()) {
    upload->name = piece.name;
    upload->size = piece.size;
  }
  return piece;
}

StoredPiece UploadStore::progress(const std::string& id) {
  const auto upload = find(id);
  MutexLock lock(upload->mutex);
  if (upload->name.empty())
    return folder_.progress(id);
  StoredPiece piece;
  piece.size = upload->size;
  return piece;
}

FileError UploadStore::discard(const std::string& id) {
  const auto upload = find(id);
  MutexLock lock(upload->mutex);
  upload->writer = 0;
  return folder_.discard(id);
}

void UploadStore::remove_stale() { folder_.remove_stale(kStaleSeconds); }

}  // namespace vitrine
