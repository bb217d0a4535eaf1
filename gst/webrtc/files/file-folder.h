// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder that files arrive in, or leave from. Nothing outside of it is ever touched, whatever lies in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/unique-fd.h"

namespace vitrine {

enum class FileError {
  kNone,
  kNoFolder,     // it has vanished, or may not be used
  kWrongOffset,  // the piece does not go on where the file ends
  kNoSpace,
  kNotFound,
  kRefused,  // something else is in the way
  kFailed,
};

struct StoredPiece {
  FileError error = FileError::kNone;
  uint64_t size = 0;  // of the unfinished file, now
  std::string name;   // of the finished one, once the last piece is there
};

struct FolderEntry {
  std::string name;
  uint64_t size = 0;      // bytes
  int64_t modified_s = 0;  // Unix time
};

struct OpenedFile {
  UniqueFd fd;
  FileError error = FileError::kNone;
  uint64_t size = 0;    // bytes
  std::string version;  // another one when the file has changed
};

/// Each call opens the folder anew, so that it may vanish and come back. Thread-safe.
class FileFolder {
 public:
  explicit FileFolder(std::string path) : path_(std::move(path)) {}

  /// Makes the folder if it is not there, and sees whether it can be read and, if that is wanted, written. What is wrong; empty if
  /// nothing.
  std::string prepare(bool writable) const;

  /// How much of an upload is there; 0 when none of it is.
  StoredPiece progress(const std::string& id) const;
  /// Appends `bytes` at `offset`, which must be the end. With the last of `total` bytes the file gets its name, or the next
  /// free one like it. A twentieth of the file system, at most 256 MiB, is left for others.
  StoredPiece append(const std::string& id, const std::string& name, uint64_t offset, uint64_t total, const void* bytes,
                     size_t length) const;
  FileError discard(const std::string& id) const;
  /// Unfinished files that nobody has added to for so long are removed.
  void remove_stale(int64_t seconds) const;

  /// Visible regular files, newest first, at most `limit`; nothing if the folder cannot be read.
  std::optional<std::vector<FolderEntry>> list(size_t limit) const;
  /// A visible regular file, opened for reading. Links are not followed.
  OpenedFile open_file(const std::string& name) const;

 private:
  UniqueFd open_folder() const;

  const std::string path_;
};

}  // namespace vitrine
