// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service manager is told, on a real socket; and the shape of log lines.
#include <glib.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "log.h"
#include "service.h"

using namespace vitrine;

namespace {

/// A service manager's socket: bound to a name beside the file system, or to a path.
class Manager {
 public:
  explicit Manager(const std::string& name) : name_(name), fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@')
      address.sun_path[0] = '\0';
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    close(fd_);
    if (name_[0] == '/')
      unlink(name_.c_str());
  }
  std::string next() {
    char text[512];
    const ssize_t got = recv(fd_, text, sizeof text, 0);
    return got < 0 ? "" : std::string(text, static_cast<size_t>(got));
  }

 private:
  const std::string name_;
  const int fd_;
};

std::string name() { return "@vitrine-test-" + std::to_string(getpid()); }

}  // namespace

TEST(Service, SaysNothingWhereNobodyListens) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(Service().notify("READY=1"));
  for (const char* odd : {"relative", "@", "/", "/nonexistent/socket"}) {
    setenv("NOTIFY_SOCKET", odd, 1);
    EXPECT_FALSE(Service().notify("READY=1")) << odd;
  }
  setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  EXPECT_FALSE(Service().notify("READY=1"));
}

TEST(Service, TellsThatItIsReadyReloadsAndStops) {
  for (const std::string& where : {name(), "/tmp/vitrine-test-" + std::to_string(getpid())}) {
    Manager manager(where);
    Service service;
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "programs on the desktop could speak for us";
    service.ready();
    EXPECT_EQ(manager.next(), "READY=1");
    service.reloading();
    EXPECT_TRUE(manager.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    service.reloaded();
    EXPECT_EQ(manager.next(), "READY=1");
    service.stopping();
    EXPECT_EQ(manager.next(), "STOPPING=1");
    EXPECT_EQ(manager.next(), "");
  }
}

TEST(Service, GivesSignsOfLifeWhileItsLoopTurns) {
  Manager manager(name());
  setenv("WATCHDOG_USEC", "40000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  Service service;
  service.ready();
  EXPECT_EQ(manager.next(), "READY=1");
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  EXPECT_EQ(manager.next(), "") << "nothing turns the loop";
  while (manager.next().empty())
    g_main_context_iteration(nullptr, TRUE);
}

TEST(Service, LeavesTheWatchdogOfAnotherProcessAlone) {
  Manager manager(name());
  setenv("WATCHDOG_USEC", "40000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  Service service;
  service.ready();
  EXPECT_EQ(manager.next(), "READY=1");
  EXPECT_EQ(manager.next(), "");
}

TEST(Log, AJsonLineIsOneObjectWhateverIsInIt) {
  EXPECT_EQ(json_line(LogLevel::warning, 1700000000123456, "", "a \"b\"\n\\\x01"),
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warning\",\"message\":\"a \\\"b\\\"\\u000a\\\\\\u0001\"}");
  EXPECT_EQ(json_line(LogLevel::error, 0, "ice", "x"),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"category\":\"ice\",\"message\":\"x\"}");
  EXPECT_EQ(json_string("\xff"), "\"\xef\xbf\xbd\"");
}
