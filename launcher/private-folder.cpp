// SPDX-License-Identifier: LGPL-2.1-or-later
// Making, marking and sweeping private folders.
#include "private-folder.h"

#include <fcntl.h>
#include <glib.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "text.h"

namespace vitrine {
namespace {

constexpr char kPrefix[] = "vitrine-";
constexpr const char* kFiles[] = {"Xauthority", "Xvfb.log", "Xvfb_screen0", "native", "sound.pa", "sound.log", "lock"};
/// What a virtualgamepads that was killed leaves behind, inner folders first.
constexpr const char* kGamepadFolders[] = {"gamepads/input", "gamepads/sockets", "gamepads/pads", "gamepads"};

/// Whether `folder` lies in memory and `bytes` more fit into it.
bool is_memory_with_room(const std::string& folder, unsigned long long bytes) {
  struct statfs status {};
  return statfs(folder.c_str(), &status) == 0 && status.f_type == TMPFS_MAGIC &&
         static_cast<unsigned long long>(status.f_bavail) * static_cast<unsigned long long>(status.f_bsize) > bytes;
}

/// Files alone; a folder in it stays, and with it the folder.
void remove_with_files(const std::string& path) {
  GDir* dir = g_dir_open(path.c_str(), 0, nullptr);
  while (const char* name = dir ? g_dir_read_name(dir) : nullptr)
    unlink((path + "/" + name).c_str());
  if (dir)
    g_dir_close(dir);
  rmdir(path.c_str());
}

void remove_folder(const std::string& path) {
  for (const char* folder : kGamepadFolders)
    remove_with_files(path + "/" + folder);
  for (const char* file : kFiles)
    unlink((path + "/" + file).c_str());
  rmdir(path.c_str());
}

/// Takes the lock file of a folder; nothing if somebody else has it, or there is none and `flags` do not make it.
UniqueFd take_lock(const std::string& folder, int flags) {
  UniqueFd lock(open((folder + "/lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
  struct stat status {};
  // Swept away between open() and flock()? Then it has no name any more.
  if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || fstat(lock.get(), &status) != 0 || status.st_nlink == 0)
    return {};
  return lock;
}

/// Removes folders whose owner was killed.
void sweep(const std::string& base) {
  GDir* dir = g_dir_open(base.c_str(), 0, nullptr);
  while (const char* name = dir ? g_dir_read_name(dir) : nullptr) {
    const std::string path = base + "/" + name;
    struct stat status {};
    if (!std::string(name).starts_with(kPrefix) || lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != geteuid())
      continue;
    if (const UniqueFd lock = take_lock(path, 0))
      remove_folder(path);
  }
  if (dir)
    g_dir_close(dir);
}

std::string choose_base(unsigned long long bytes) {
  const char* runtime = g_getenv("XDG_RUNTIME_DIR");
  for (const std::string& folder : {std::string(runtime ? runtime : ""), std::string("/dev/shm")})
    if (!folder.empty() && access(folder.c_str(), W_OK) == 0 && is_memory_with_room(folder, bytes))
      return folder;
  return g_get_tmp_dir();
}

}  // namespace

std::unique_ptr<PrivateFolder> PrivateFolder::make(unsigned long long bytes, std::string& error) {
  const std::string base = choose_base(bytes);
  sweep(base);
  // Another that sweeps may take a folder before it is locked: very rarely once, hardly twice.
  for (int attempt = 0; attempt < 5; ++attempt) {
    std::string path = base + "/" + kPrefix + "XXXXXX";
    if (!g_mkdtemp_full(path.data(), 0700))
      break;
    if (UniqueFd lock = take_lock(path, O_CREAT | O_EXCL))
      return std::unique_ptr<PrivateFolder>(new PrivateFolder(path, std::move(lock), is_memory_with_room(base, bytes)));
    remove_folder(path);
  }
  error = base + ": " + _("no private folder can be made here");
  return nullptr;
}

void PrivateFolder::remove() const { remove_folder(path_); }

}  // namespace vitrine
