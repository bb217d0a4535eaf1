// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything relative to an open folder, and nothing through links.
#include "webrtc/files/file-folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>

#include "webrtc/files/file-name.h"

namespace vitrine {
namespace {

constexpr char kPartPrefix[] = ".vitrine-upload-";
constexpr int kMostNumbers = 1000;
constexpr uint64_t kMostLeftFree = 256u << 20;

std::string part_name(const std::string& id) {
  return kPartPrefix + id;
}

FileError error_of(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return FileError::kNoSpace;
    case ENOENT:
      return FileError::kNotFound;
    case ELOOP:
    case EEXIST:
    case EISDIR:
    case EACCES:
    case EPERM:
    case EROFS:
      return FileError::kRefused;
    default:
      return FileError::kFailed;
  }
}

/// Opens our own regular file, not what somebody put in its place.
UniqueFd open_part(int folder, const std::string& id, int flags, struct stat* status, FileError* error) {
  UniqueFd fd(openat(folder, part_name(id).c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0666));
  if (!fd || fstat(fd.get(), status) != 0) {
    *error = error_of(errno);
    return UniqueFd();
  }
  if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() || status->st_nlink != 1) {
    *error = FileError::kRefused;
    return UniqueFd();
  }
  return fd;
}

/// A session whose disk is full to the last byte has more to lose than this file.
bool has_room(int fd, uint64_t bytes) {
  struct statvfs space {};
  if (fstatvfs(fd, &space) != 0)
    return true;
  const uint64_t block = std::max<uint64_t>(space.f_frsize, 1);
  const uint64_t reserve = std::min<uint64_t>(space.f_blocks / 20, kMostLeftFree / block);
  return space.f_bavail >= reserve && bytes / block <= space.f_bavail - reserve;
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using FolderHandle = std::unique_ptr<DIR, CloseFolder>;

FolderHandle read_folder(UniqueFd fd) {
  FolderHandle folder(fd ? fdopendir(fd.get()) : nullptr);
  if (folder)
    fd.release();
  return folder;
}

/// Gives the finished file its name without ever taking another's.
FileError publish(int folder, const std::string& id, const std::string& name, std::string* taken) {
  for (int number = 1; number <= kMostNumbers; number++) {
    *taken = number == 1 ? name : numbered_file_name(name, number);
    if (renameat2(folder, part_name(id).c_str(), folder, taken->c_str(), RENAME_NOREPLACE) == 0)
      return FileError::kNone;
    if (errno == EINVAL) {
      // A file system without RENAME_NOREPLACE: a second name, which is refused too if it is taken.
      if (linkat(folder, part_name(id).c_str(), folder, taken->c_str(), 0) == 0) {
        unlinkat(folder, part_name(id).c_str(), 0);
        return FileError::kNone;
      }
    }
    if (errno != EEXIST)
      return error_of(errno);
  }
  return FileError::kRefused;
}

}  // namespace

std::string FileFolder::prepare(bool writable) const {
  if (g_mkdir_with_parents(path_.c_str(), 0777) != 0)
    return "'" + path_ + "' cannot be made: " + g_strerror(errno);
  const UniqueFd folder = open_folder();
  if (!folder || faccessat(folder.get(), ".", R_OK | X_OK | (writable ? W_OK : 0), AT_EACCESS) != 0)
    return "'" + path_ + "' cannot be " + (writable ? "written: " : "read: ") + g_strerror(errno);
  return "";
}

UniqueFd FileFolder::open_folder() const {
  return UniqueFd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

StoredPiece FileFolder::progress(const std::string& id) const {
  StoredPiece piece;
  const UniqueFd folder = open_folder();
  if (!folder) {
    piece.error = FileError::kNoFolder;
    return piece;
  }
  struct stat status {};
  if (open_part(folder.get(), id, O_RDONLY, &status, &piece.error))
    piece.size = static_cast<uint64_t>(status.st_size);
  else if (piece.error == FileError::kNotFound)
    piece.error = FileError::kNone;
  return piece;
}

StoredPiece FileFolder::append(const std::string& id, const std::string& name, uint64_t offset, uint64_t total,
                               const void* bytes, size_t length) const {
  StoredPiece piece;
  const UniqueFd folder = open_folder();
  if (!folder) {
    piece.error = FileError::kNoFolder;
    return piece;
  }
  struct stat status {};
  const UniqueFd fd = open_part(folder.get(), id, O_WRONLY | O_CREAT, &status, &piece.error);
  if (!fd)
    return piece;
  piece.size = static_cast<uint64_t>(status.st_size);
  if (piece.size != offset || offset > total || length > total - offset) {
    piece.error = FileError::kWrongOffset;
    return piece;
  }
  if (!has_room(fd.get(), total - offset)) {
    if (offset == 0)
      unlinkat(folder.get(), part_name(id).c_str(), 0);
    piece.error = FileError::kNoSpace;
    return piece;
  }
  const auto* at = static_cast<const char*>(bytes);
  while (length > 0) {
    const ssize_t written = pwrite(fd.get(), at, length, static_cast<off_t>(piece.size));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      piece.error = error_of(written < 0 ? errno : EIO);
      return piece;
    }
    at += written;
    length -= static_cast<size_t>(written);
    piece.size += static_cast<uint64_t>(written);
  }
  if (piece.size == total)
    piece.error = publish(folder.get(), id, safe_file_name(name), &piece.name);
  return piece;
}

FileError FileFolder::discard(const std::string& id) const {
  const UniqueFd folder = open_folder();
  if (!folder)
    return FileError::kNoFolder;
  return unlinkat(folder.get(), part_name(id).c_str(), 0) == 0 ? FileError::kNone : error_of(errno);
}

void FileFolder::remove_stale(int64_t seconds) const {
  const FolderHandle folder = read_folder(open_folder());
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (!name.starts_with(kPartPrefix) || !is_upload_id(name.substr(sizeof kPartPrefix - 1)))
      continue;
    struct stat status {};
    if (fstatat(dirfd(folder.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
        status.st_mtime < time(nullptr) - seconds)
      unlinkat(dirfd(folder.get()), name.c_str(), 0);
  }
}

std::optional<std::vector<FolderEntry>> FileFolder::list(size_t limit) const {
  const FolderHandle folder = read_folder(open_folder());
  if (!folder)
    return std::nullopt;
  std::vector<FolderEntry> entries;
  while (const dirent* entry = readdir(folder.get())) {
    struct stat status {};
    if (entry->d_name[0] == '.' || fstatat(dirfd(folder.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
      continue;
    entries.push_back({entry->d_name, static_cast<uint64_t>(status.st_size), static_cast<int64_t>(status.st_mtime)});
  }
  std::sort(entries.begin(), entries.end(), [](const FolderEntry& a, const FolderEntry& b) {
    return a.modified_s != b.modified_s ? a.modified_s > b.modified_s : a.name < b.name;
  });
  if (entries.size() > limit)
    entries.resize(limit);
  return entries;
}

OpenedFile FileFolder::open_file(const std::string& name) const {
  OpenedFile file;
  const UniqueFd folder = open_folder();
  if (!folder) {
    file.error = FileError::kNoFolder;
    return file;
  }
  file.error = FileError::kNotFound;
  if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    return file;
  UniqueFd fd(openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return file;
  file.fd = std::move(fd);
  file.error = FileError::kNone;
  file.size = static_cast<uint64_t>(status.st_size);
  file.version = std::to_string(status.st_ino) + "-" + std::to_string(status.st_size) + "-" + std::to_string(status.st_mtim.tv_sec) + "." +
                 std::to_string(status.st_mtim.tv_nsec);
  return file;
}

}  // namespace vitrine
