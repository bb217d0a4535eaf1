// SPDX-License-Identifier: LGPL-2.1-or-later
// Datagrams to the service manager.
#include "service.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace vitrine {
namespace {

std::string take(const char* name) {
  const char* value = std::getenv(name);
  const std::string copy = value ? value : "";
  unsetenv(name);
  return copy;
}

}  // namespace

Service::Service() : socket_(take("NOTIFY_SOCKET")) {
  const std::string period = take("WATCHDOG_USEC"), pid = take("WATCHDOG_PID");
  // sd_watchdog_enabled(3): another process may be meant. Half the time leaves room for one that comes late.
  if (!period.empty() && (pid.empty() || std::strtoll(pid.c_str(), nullptr, 10) == getpid()))
    period_ms_ = static_cast<unsigned>(CLAMP(std::strtoll(period.c_str(), nullptr, 10) / 2000, 0, G_MAXINT));
  // Kept from our children; what is no open descriptor of ours is left alone.
  const int fd = std::atoi(take("VITRINE_READY_FD").c_str());
  if (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
    ready_fd_ = fd;
}

Service::~Service() {
  if (timer_)
    g_source_remove(timer_);
}

bool Service::notify(const std::string& state) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() < 2 || socket_.size() >= sizeof address.sun_path || (socket_[0] != '/' && socket_[0] != '@'))
    return false;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  // A name beside the file system, unix(7).
  if (socket_[0] == '@')
    address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const ssize_t sent = sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), length);
  close(fd);
  return sent == static_cast<ssize_t>(state.size());
}

void Service::ready() {
  notify("READY=1");
  if (ready_fd_ >= 0) {
    [[maybe_unused]] const ssize_t told = write(ready_fd_, "\n", 1);
    close(ready_fd_);
    ready_fd_ = -1;
  }
  if (period_ms_ == 0 || timer_)
    return;
  notify("WATCHDOG=1");
  timer_ = g_timeout_add(
      period_ms_,
      [](gpointer self) -> gboolean {
        static_cast<const Service*>(self)->notify("WATCHDOG=1");
        return G_SOURCE_CONTINUE;
      },
      this);
}

void Service::reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1000000LL + now.tv_nsec / 1000));
}

void Service::reloaded() const { notify("READY=1"); }

void Service::stopping() const { notify("STOPPING=1"); }

}  // namespace vitrine
