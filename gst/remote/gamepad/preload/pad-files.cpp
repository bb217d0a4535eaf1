// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths, sockets, pages. Calls go straight to the kernel where the C library's names are ours.
#include "remote/gamepad/preload/pad-files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace vitrine {

using namespace pad_abi;

namespace {

constexpr char kInput[] = "/dev/input";
constexpr size_t kInputLength = sizeof kInput - 1;
constexpr int kPatienceMs = 1000;

char folder_[sizeof(sockaddr_un::sun_path)];
size_t folder_length_ = 0;

int kernel_open(const char* path, int flags) { return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, 0)); }

/// "event0" to "event3", "js0" to "js3".
bool parse_name(const char* name, PadDevice& device) {
  device.joystick = strncmp(name, kJoystickPrefix, sizeof kJoystickPrefix - 1) == 0;
  if (!device.joystick && strncmp(name, kEventPrefix, sizeof kEventPrefix - 1) != 0)
    return false;
  const char* number = name + (device.joystick ? sizeof kJoystickPrefix : sizeof kEventPrefix) - 1;
  if (number[0] < '0' || number[0] >= '0' + kPadCount || number[1] != '\0')
    return false;
  device.pad = static_cast<unsigned>(number[0] - '0');
  return true;
}

/// Before the program's own code, and without allocating.
__attribute__((constructor)) void learn_folder() {
  const char* folder = getenv(kFolderVariable);
  const size_t length = folder && folder[0] == '/' ? strlen(folder) : 0;
  // No shorter than /dev, whose place it takes in the names that glob() finds.
  if (length < sizeof "/dev" - 1 || length + 20 > sizeof folder_)
    return;
  memcpy(folder_, folder, length + 1);
  folder_length_ = length;
}

/// Waits for the server's word that it knows us: from then on no event is missed.
bool say_hello(int fd) {
  PadHello hello, answer;
  if (send(fd, &hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello)
    return false;
  pollfd waiting{fd, POLLIN, 0};
  int ready;
  do
    ready = poll(&waiting, 1, kPatienceMs);
  while (ready < 0 && errno == EINTR);
  return ready == 1 && recv(fd, &answer, sizeof answer, MSG_DONTWAIT) == sizeof answer && answer.magic == PadHello::kMagic;
}

}  // namespace

bool pads_here() { return folder_length_ > 0; }

const char* redirected(const char* path, char (&room)[PATH_MAX]) {
  if (!pads_here() || !path || strncmp(path, kInput, kInputLength) != 0 || (path[kInputLength] != '/' && path[kInputLength] != '\0'))
    return nullptr;
  const char* rest = path + kInputLength;
  const size_t length = strlen(rest);
  if (folder_length_ + sizeof kInputFolder + length > sizeof room || strstr(rest, ".."))
    return nullptr;
  memcpy(room, folder_, folder_length_);
  memcpy(room + folder_length_, kInputFolder, sizeof kInputFolder - 1);
  memcpy(room + folder_length_ + sizeof kInputFolder - 1, rest, length + 1);
  return room;
}

bool device_of_path(int folder, const char* path, PadDevice& device) {
  if (!pads_here() || !path)
    return false;
  if (strncmp(path, kInput, kInputLength) == 0) {
    const char* name = path + kInputLength;
    if (*name != '/')
      return false;
    while (*name == '/')
      ++name;
    return parse_name(name, device);
  }
  if (folder < 0 || !parse_name(path, device))
    return false;
  char link[40], target[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  const int before = errno;
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, target, sizeof target - 1);
  errno = before;
  if (length < 0)
    return false;
  target[length] = '\0';
  return strncmp(target, folder_, folder_length_) == 0 && strcmp(target + folder_length_, kInputFolder) == 0;
}

bool device_of_fd(int fd, PadDevice& device) {
  if (!pads_here())
    return false;
  sockaddr_un address;
  socklen_t length = sizeof address;
  const int before = errno;
  const bool connected = getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  errno = before;
  if (!connected || address.sun_family != AF_UNIX || length <= offsetof(sockaddr_un, sun_path))
    return false;
  char path[sizeof address.sun_path + 1];
  memcpy(path, address.sun_path, sizeof address.sun_path);
  // Of a path as long as can be the length counts a NUL that has no place (unix(7)).
  const size_t named = length - offsetof(sockaddr_un, sun_path);
  path[named < sizeof address.sun_path ? named : sizeof address.sun_path] = '\0';
  constexpr size_t part = sizeof kSocketFolder - 1;
  return strncmp(path, folder_, folder_length_) == 0 && strncmp(path + folder_length_, kSocketFolder, part) == 0 &&
         path[folder_length_ + part] == '/' && parse_name(path + folder_length_ + part + 1, device);
}

int open_device(const PadDevice& device, int flags) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  char path[PATH_MAX];
  const int length = snprintf(path, sizeof path, "%s%s/%s%u", folder_, kSocketFolder, device.joystick ? kJoystickPrefix : kEventPrefix, device.pad);
  if (length < 0 || static_cast<size_t>(length) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path, path, static_cast<size_t>(length));
  const int type = SOCK_STREAM | (flags & O_CLOEXEC ? SOCK_CLOEXEC : 0);
  const int fd = socket(AF_UNIX, type, 0);
  if (fd < 0)
    return -1;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || !say_hello(fd)) {
    const int why = errno == ENOENT || errno == EACCES ? errno : ENODEV;
    syscall(SYS_close, fd);
    errno = why;
    return -1;
  }
  if (flags & O_NONBLOCK)
    fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

bool read_page(const PadDevice& device, PadPage& page) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s%s/%u", folder_, kPageFolder, device.pad);
  const int fd = kernel_open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  bool good = false;
  // The server writes for some microseconds, at most some hundred times per second.
  for (int attempt = 0; attempt < 100 && !good; ++attempt) {
    uint32_t again = 0;
    good = pread(fd, &page, sizeof page, 0) == sizeof page && page.magic == PadPage::kMagic && page.sequence % 2 == 0 &&
           pread(fd, &again, sizeof again, offsetof(PadPage, sequence)) == sizeof again && again == page.sequence;
  }
  syscall(SYS_close, fd);
  return good;
}

unsigned device_minor(const PadDevice& device) { return (device.joystick ? kJoystickMinor : kEventMinor) + device.pad; }

}  // namespace vitrine
