// SPDX-License-Identifier: LGPL-2.1-or-later
// Start of X servers, with readiness told by -displayfd.
#include "ximagesrc-shm-xserver.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace vitrine {
namespace {

constexpr int kFirstDisplay = 70;
constexpr int kLastDisplay = 79;
constexpr int kStartupMs = 15000;

/// Reads up to the end of the line: the server writes it in two pieces and dies if nobody takes the second.
bool becomes_ready(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  char byte = 0;
  while (byte != '\n') {
    if (poll(&waiting, 1, kStartupMs) != 1 || read(fd, &byte, 1) != 1)
      return false;
  }
  return true;
}

pid_t spawn(std::vector<std::string> arguments, int ready_fd) {
  std::vector<char*> argv;
  for (std::string& argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid != 0)
    return pid;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    _exit(1);
  const int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, 0);
  dup2(nothing, 1);
  dup2(nothing, 2);
  fcntl(ready_fd, F_SETFD, 0);
  execvp(argv[0], argv.data());
  _exit(127);
}

/// Xvfb -shmem never does this itself.
void remove_segments_of(pid_t creator) {
  std::ifstream list("/proc/sysvipc/shm");
  std::string line;
  std::getline(list, line);
  while (std::getline(list, line)) {
    long key, id, permissions, bytes, pid;
    if (std::istringstream(line) >> key >> id >> permissions >> bytes >> pid && pid == creator)
      shmctl(static_cast<int>(id), IPC_RMID, nullptr);
  }
}

}  // namespace

std::unique_ptr<XServer> XServer::start(const std::vector<std::string>& arguments) {
  for (int number = kFirstDisplay; number <= kLastDisplay; number++) {
    // One that is taken is left to the server to notice: it knows a lock file whose owner is dead.
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return nullptr;
    std::vector<std::string> all = arguments;
    all.insert(all.begin() + 1, {":" + std::to_string(number), "-displayfd", std::to_string(ends[1]),
                                 "-noreset", "-nolisten", "tcp"});
    std::unique_ptr<XServer> server(new XServer);
    server->display_ = ":" + std::to_string(number);
    server->pid_ = spawn(all, ends[1]);
    close(ends[1]);
    const bool ready = becomes_ready(ends[0]);
    close(ends[0]);
    if (ready)
      return server;
  }
  return nullptr;
}

std::unique_ptr<XServer> XServer::start_xvfb(const std::string& screen,
                                             const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"Xvfb", "-screen", "0", screen};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return start(arguments);
}

std::unique_ptr<XServer> XServer::start_xorg_dummy(int width, int height) {
  char directory[] = "/tmp/vitrine-xorg-XXXXXX";
  if (!mkdtemp(directory))
    return nullptr;
  const std::string config = std::string(directory) + "/xorg.conf";
  std::ofstream(config) << R"(
Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoAddGPU" "false"
EndSection
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 65536
EndSection
Section "Monitor"
  Identifier "monitor"
  HorizSync 5.0 - 1000.0
  VertRefresh 5.0 - 200.0
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "monitor"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Virtual )" << width << " "
                        << height << R"(
  EndSubSection
EndSection
)";
  std::unique_ptr<XServer> server = start(
      {"Xorg", "-config", config, "-logfile", std::string(directory) + "/log", "-novtswitch", "-sharevts"});
  if (server)
    server->directory_ = directory;
  else
    std::filesystem::remove_all(directory);
  return server;
}

void XServer::kill_now() {
  if (pid_ <= 0)
    return;
  remove_segments_of(pid_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  const std::string number = display_.substr(1);
  unlink(("/tmp/.X11-unix/X" + number).c_str());
  unlink(("/tmp/.X" + number + "-lock").c_str());
}

XServer::~XServer() {
  if (pid_ > 0) {
    remove_segments_of(pid_);
    kill(pid_, SIGTERM);
    for (int i = 0; i < 200 && waitpid(pid_, nullptr, WNOHANG) == 0; i++)
      usleep(10000);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (!directory_.empty())
    std::filesystem::remove_all(directory_);
}

}  // namespace vitrine
