// SPDX-License-Identifier: LGPL-2.1-or-later
// A library for LD_PRELOAD that gives programs gamepads without any privilege: what they do with /dev/input goes to a folder of the
// session and its sockets. Every other call passes unchanged to the next library. Does nothing where VITRINE_GAMEPAD_FOLDER is not set.
//
// Reading, writing, waiting and closing need no help: the descriptor is a socket on which the server sends input events.

// The C library must not give its own names other meanings here.
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/joystick.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "remote/gamepad/preload/pad-files.h"
#include "remote/gamepad/preload/pad-ioctl.h"

using namespace vitrine;
using namespace vitrine::pad_abi;

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

/// The function of that name in the library after us, looked up once.
template <typename Function>
Function* next_of(Function*& kept, const char* name) {
  Function* found = __atomic_load_n(&kept, __ATOMIC_ACQUIRE);
  if (!found) {
    found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
    __atomic_store_n(&kept, found, __ATOMIC_RELEASE);
  }
  return found;
}

// `next` in a function below is the same function of the next library; without one there is nothing to be done.
#define NEXT(name, failure)                                     \
  static decltype(::name)* kept_next = nullptr;                 \
  decltype(::name)* const next = next_of(kept_next, #name);     \
  if (!next) {                                                  \
    errno = ENOSYS;                                             \
    return failure;                                             \
  }

template <typename Stat>
void make_device(Stat& status, const PadDevice& device) {
  status.st_mode = S_IFCHR | 0660;
  status.st_rdev = makedev(kInputMajor, device_minor(device));
  status.st_size = 0;
}

/// After a call about a path has told what it knows of the file that stands for a device.
template <typename Stat>
int after_path(int result, int folder, const char* path, Stat* status) {
  PadDevice device;
  if (result == 0 && S_ISREG(status->st_mode) && device_of_path(folder, path, device))
    make_device(*status, device);
  return result;
}

template <typename Stat>
int after_fd(int result, int fd, Stat* status) {
  PadDevice device;
  if (result == 0 && S_ISSOCK(status->st_mode) && device_of_fd(fd, device))
    make_device(*status, device);
  return result;
}

bool opens_device(int folder, const char* path, int flags, PadDevice& device) {
  return !(flags & (O_DIRECTORY | O_CREAT | O_PATH)) && device_of_path(folder, path, device);
}

mode_t mode_of(int flags, va_list arguments) {
  const bool has_mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

/// What EVIOCSFF and others ask the server to do.
int command(int fd, uint16_t type, uint16_t code, int32_t value, const PadEffect* effect = nullptr) {
  uint8_t bytes[sizeof(input_event)] = {};
  const EventTail tail{type, code, value};
  if (effect)
    memcpy(bytes, effect, sizeof *effect);
  memcpy(bytes + sizeof bytes - sizeof tail, &tail, sizeof tail);
  return send(fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof bytes ? 0 : -ENODEV;
}

/// Ids of effects in use, of the descriptors that have some. Which file one is of tells its inode: descriptors are closed without our
/// hearing of it.
struct Effects {
  ino_t inode;
  uint16_t used;
};
Effects effects_[64];

Effects* effects_of(int fd) {
  struct stat status;
  Effects& found = effects_[static_cast<unsigned>(fd) % (sizeof effects_ / sizeof effects_[0])];
  if (fstat(fd, &status) == 0 && found.inode != status.st_ino)
    found = {status.st_ino, 0};
  return &found;
}

int upload_effect(int fd, ff_effect* effect) {
  PadEffect made;
  if (effect->id < -1 || effect->id >= kEffectsMost || !pad_effect_of(*effect, made))
    return -EINVAL;
  if (effect->id == -1) {
    Effects* effects = effects_of(fd);
    int16_t id = 0;
    while (id < kEffectsMost && effects->used >> id & 1)
      ++id;
    if (id == kEffectsMost)
      return -ENOSPC;
    effects->used = static_cast<uint16_t>(effects->used | 1 << id);
    effect->id = id;
  }
  return command(fd, kUploadEffect, static_cast<uint16_t>(effect->id), 0, &made);
}

int erase_effect(int fd, int id) {
  if (id < 0 || id >= kEffectsMost)
    return -EINVAL;
  Effects* effects = effects_of(fd);
  effects->used = static_cast<uint16_t>(effects->used & ~(1 << id));
  return command(fd, kEraseEffect, static_cast<uint16_t>(id), 0);
}

int device_ioctl(int fd, const PadDevice& device, unsigned long request, void* argument) {
  const auto number = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  switch (request) {
    case EVIOCSFF:
      return device.joystick ? -EINVAL : upload_effect(fd, static_cast<ff_effect*>(argument));
    case EVIOCRMFF:
      return device.joystick ? -EINVAL : erase_effect(fd, number);
    case EVIOCSCLOCKID:
      return device.joystick ? -EINVAL : command(fd, kSetClock, 0, *static_cast<int*>(argument));
    case EVIOCGRAB:
      // Nobody else reads this session's gamepads but its own programs.
      return device.joystick ? -EINVAL : 0;
    default:
      break;
  }
  PadPage page;
  if (!read_page(device, page))
    return -ENODEV;
  return device.joystick ? answer_joystick_ioctl(page, request, argument) : answer_event_ioctl(page, request, argument);
}

}  // namespace

// ---- opening ----

#define OPEN(name)                                          \
  EXPORT int name(const char* path, int flags, ...) {       \
    va_list arguments;                                      \
    va_start(arguments, flags);                             \
    const mode_t mode = mode_of(flags, arguments);          \
    va_end(arguments);                                      \
    PadDevice device;                                       \
    if (opens_device(-1, path, flags, device))              \
      return open_device(device, flags);                    \
    NEXT(name, -1)                                          \
    char room[PATH_MAX];                                    \
    const char* other = redirected(path, room);             \
    return next(other ? other : path, flags, mode);         \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                              \
  EXPORT int name(int folder, const char* path, int flags, ...) { \
    va_list arguments;                                            \
    va_start(arguments, flags);                                   \
    const mode_t mode = mode_of(flags, arguments);                \
    va_end(arguments);                                            \
    PadDevice device;                                             \
    if (opens_device(folder, path, flags, device))                \
      return open_device(device, flags);                          \
    NEXT(name, -1)                                                \
    char room[PATH_MAX];                                          \
    const char* other = redirected(path, room);                   \
    return next(folder, other ? other : path, flags, mode);       \
  }
OPENAT(openat)
OPENAT(openat64)

// Of programs built with _FORTIFY_SOURCE.
#define OPEN_2(name, plain) \
  EXPORT int name(const char* path, int flags) { return plain(path, flags); }
OPEN_2(__open_2, open)
OPEN_2(__open64_2, open64)
#define OPENAT_2(name, plain) \
  EXPORT int name(int folder, const char* path, int flags) { return plain(folder, path, flags); }
OPENAT_2(__openat_2, openat)
OPENAT_2(__openat64_2, openat64)

#define FOPEN(name)                                                                      \
  EXPORT FILE* name(const char* path, const char* mode) {                                \
    PadDevice device;                                                                    \
    if (device_of_path(-1, path, device)) {                                              \
      const int fd = open_device(device, strchr(mode, 'e') ? O_CLOEXEC : 0);             \
      return fd < 0 ? nullptr : fdopen(fd, mode);                                        \
    }                                                                                    \
    NEXT(name, nullptr)                                                                  \
    return next(path, mode);                                                             \
  }
FOPEN(fopen)
FOPEN(fopen64)

// ---- asking about files ----

#define STAT(name, Type)                                            \
  EXPORT int name(const char* path, Type* status) {                 \
    NEXT(name, -1)                                                  \
    char room[PATH_MAX];                                            \
    const char* other = redirected(path, room);                     \
    return after_path(next(other ? other : path, status), -1, path, status); \
  }
STAT(stat, struct stat)
STAT(lstat, struct stat)
STAT(stat64, struct stat64)
STAT(lstat64, struct stat64)

#define FSTATAT(name, Type)                                                                   \
  EXPORT int name(int folder, const char* path, Type* status, int flags) {                    \
    NEXT(name, -1)                                                                            \
    char room[PATH_MAX];                                                                      \
    const char* other = redirected(path, room);                                               \
    const int result = next(folder, other ? other : path, status, flags);                     \
    return path && *path ? after_path(result, folder, path, status) : after_fd(result, folder, status); \
  }
FSTATAT(fstatat, struct stat)
FSTATAT(fstatat64, struct stat64)

#define FSTAT(name, Type)                         \
  EXPORT int name(int fd, Type* status) {         \
    NEXT(name, -1)                                \
    return after_fd(next(fd, status), fd, status); \
  }
FSTAT(fstat, struct stat)
FSTAT(fstat64, struct stat64)

// Of programs built for C libraries before 2.33.
extern "C" {
int __xstat(int version, const char* path, struct stat* status);
int __lxstat(int version, const char* path, struct stat* status);
int __xstat64(int version, const char* path, struct stat64* status);
int __lxstat64(int version, const char* path, struct stat64* status);
int __fxstat(int version, int fd, struct stat* status);
int __fxstat64(int version, int fd, struct stat64* status);
ssize_t __read_chk(int fd, void* buffer, size_t count, size_t room);
}

#define XSTAT(name, Type)                                                    \
  EXPORT int name(int version, const char* path, Type* status) {             \
    NEXT(name, -1)                                                           \
    char room[PATH_MAX];                                                     \
    const char* other = redirected(path, room);                              \
    return after_path(next(version, other ? other : path, status), -1, path, status); \
  }
XSTAT(__xstat, struct stat)
XSTAT(__lxstat, struct stat)
XSTAT(__xstat64, struct stat64)
XSTAT(__lxstat64, struct stat64)

#define FXSTAT(name, Type)                                 \
  EXPORT int name(int version, int fd, Type* status) {     \
    NEXT(name, -1)                                         \
    return after_fd(next(version, fd, status), fd, status); \
  }
FXSTAT(__fxstat, struct stat)
FXSTAT(__fxstat64, struct stat64)

EXPORT int statx(int folder, const char* path, int flags, unsigned mask, struct statx* status) {
  NEXT(statx, -1)
  char room[PATH_MAX];
  const char* other = redirected(path, room);
  const int result = next(folder, other ? other : path, flags, mask, status);
  PadDevice device;
  const bool ours = result == 0 && (path && *path ? S_ISREG(status->stx_mode) && device_of_path(folder, path, device)
                                                  : S_ISSOCK(status->stx_mode) && device_of_fd(folder, device));
  if (ours) {
    status->stx_mode = S_IFCHR | 0660;
    status->stx_rdev_major = kInputMajor;
    status->stx_rdev_minor = device_minor(device);
    status->stx_size = 0;
  }
  return result;
}

#define ACCESS(name)                                \
  EXPORT int name(const char* path, int mode) {     \
    NEXT(name, -1)                                  \
    char room[PATH_MAX];                            \
    const char* other = redirected(path, room);     \
    return next(other ? other : path, mode);        \
  }
ACCESS(access)
ACCESS(eaccess)
ACCESS(euidaccess)

EXPORT int faccessat(int folder, const char* path, int mode, int flags) {
  NEXT(faccessat, -1)
  char room[PATH_MAX];
  const char* other = redirected(path, room);
  return next(folder, other ? other : path, mode, flags);
}

#define XATTR(name)                                                                        \
  EXPORT ssize_t name(const char* path, const char* attribute, void* value, size_t size) { \
    NEXT(name, -1)                                                                         \
    char room[PATH_MAX];                                                                   \
    const char* other = redirected(path, room);                                            \
    return next(other ? other : path, attribute, value, size);                             \
  }
XATTR(getxattr)
XATTR(lgetxattr)

#define LISTXATTR(name)                                            \
  EXPORT ssize_t name(const char* path, char* list, size_t size) { \
    NEXT(name, -1)                                                 \
    char room[PATH_MAX];                                           \
    const char* other = redirected(path, room);                    \
    return next(other ? other : path, list, size);                 \
  }
LISTXATTR(listxattr)
LISTXATTR(llistxattr)

EXPORT char* realpath(const char* path, char* resolved) {
  NEXT(realpath, nullptr)
  char room[PATH_MAX];
  const char* other = redirected(path, room);
  if (!other)
    return next(path, resolved);
  struct stat status;
  if (stat(path, &status) != 0)
    return nullptr;
  if (!resolved)
    return strdup(path);
  strncpy(resolved, path, PATH_MAX - 1);
  resolved[PATH_MAX - 1] = '\0';
  return resolved;
}

// ---- the folder ----

EXPORT DIR* opendir(const char* path) {
  NEXT(opendir, nullptr)
  char room[PATH_MAX];
  const char* other = redirected(path, room);
  return next(other ? other : path);
}

#define SCANDIR(name, Entry)                                                                                            \
  EXPORT int name(const char* path, Entry*** entries, int (*filter)(const Entry*), int (*compare)(const Entry**, const Entry**)) { \
    NEXT(name, -1)                                                                                                      \
    char room[PATH_MAX];                                                                                                \
    const char* other = redirected(path, room);                                                                         \
    return next(other ? other : path, entries, filter, compare);                                                        \
  }
SCANDIR(scandir, struct dirent)
SCANDIR(scandir64, struct dirent64)

EXPORT int inotify_add_watch(int fd, const char* path, uint32_t mask) {
  NEXT(inotify_add_watch, -1)
  char room[PATH_MAX];
  const char* other = redirected(path, room);
  return next(fd, other ? other : path, mask);
}

/// Results get the names that programs look for again: the folder's own are longer.
#define GLOB(name, Glob)                                                                                        \
  EXPORT int name(const char* pattern, int flags, int (*failed)(const char*, int), Glob* found) {               \
    NEXT(name, GLOB_NOSPACE)                                                                                    \
    char room[PATH_MAX];                                                                                        \
    const char* other = redirected(pattern, room);                                                              \
    const size_t before = flags & GLOB_APPEND ? found->gl_pathc : 0;                                            \
    const int result = next(other ? other : pattern, flags, failed, found);                                     \
    if (!other || result != 0)                                                                                  \
      return result;                                                                                            \
    const size_t offset = flags & GLOB_DOOFFS ? found->gl_offs : 0, cut = strlen(other) - strlen(pattern);      \
    for (size_t i = before; i < found->gl_pathc; ++i) {                                                         \
      char* path = found->gl_pathv[offset + i];                                                                 \
      const size_t length = strlen(path);                                                                       \
      if (length > cut && strncmp(path, other, cut) == 0) {                                                     \
        memmove(path, path + cut, length - cut + 1);                                                            \
        memcpy(path, "/dev/input", sizeof "/dev/input" - 1);                                                    \
      }                                                                                                         \
    }                                                                                                           \
    return result;                                                                                              \
  }
GLOB(glob, glob_t)
GLOB(glob64, glob64_t)

// ---- using a device ----

EXPORT int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  PadDevice device;
  const unsigned type = _IOC_TYPE(request);
  if ((type == 'E' || type == 'j') && device_of_fd(fd, device)) {
    const int result = device_ioctl(fd, device, request, argument);
    if (result >= 0)
      return result;
    errno = -result;
    return -1;
  }
  NEXT(ioctl, -1)
  return next(fd, request, argument);
}

/// A device that was unplugged tells so; a socket would seem to have come to its end.
static ssize_t after_read(ssize_t result, int fd, size_t count) {
  PadDevice device;
  if (result != 0 || count == 0 || !device_of_fd(fd, device))
    return result;
  errno = ENODEV;
  return -1;
}

EXPORT ssize_t read(int fd, void* buffer, size_t count) {
  NEXT(read, -1)
  return after_read(next(fd, buffer, count), fd, count);
}

EXPORT ssize_t __read_chk(int fd, void* buffer, size_t count, size_t room) {
  NEXT(__read_chk, -1)
  return after_read(next(fd, buffer, count, room), fd, count);
}
