// SPDX-License-Identifier: LGPL-2.1-or-later
// Children.
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

extern char** environ;

namespace vitrine {
namespace {

struct Child {
  pid_t pid;
  bool dead;  // and not waited for
};

/// All whose parent we are.
std::vector<Child> children() {
  std::vector<Child> found;
  DIR* proc = opendir("/proc");
  while (const dirent* entry = proc ? readdir(proc) : nullptr) {
    const pid_t pid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    std::ifstream stat(pid > 0 ? "/proc/" + std::string(entry->d_name) + "/stat" : "");
    std::string line;
    // "PID (NAME) STATE PARENT …", and the name may hold anything.
    if (!std::getline(stat, line) || line.rfind(')') == std::string::npos)
      continue;
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    char state;
    pid_t parent = 0;
    if (fields >> state >> parent && parent == getpid())
      found.push_back({pid, state == 'Z'});
  }
  if (proc)
    closedir(proc);
  return found;
}

void pause_ms(int ms) {
  const timespec time{ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&time, nullptr);
}

constexpr int kStepMs = 10;

}  // namespace

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

pid_t start_process(const std::vector<std::string>& command, const StartOptions& options, int& why) {
  // Everything that allocates is done before fork(): other threads may hold the allocator's lock.
  std::vector<char*> arguments;
  for (const auto& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; *variable; ++variable) {
    bool replaced = false;
    for (const auto& addition : options.environment)
      replaced = replaced || strncmp(*variable, addition.c_str(), addition.find('=') + 1) == 0;
    if (!replaced)
      variables.push_back(*variable);
  }
  for (const auto& addition : options.environment)
    variables.push_back(const_cast<char*>(addition.c_str()));
  variables.push_back(nullptr);

  int status_pipe[2];
  if (pipe2(status_pipe, O_CLOEXEC) != 0) {
    why = errno;
    return 0;
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
      _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD})
      signal(number, SIG_DFL);
    // In a group of its own it would be stopped when it read from the terminal.
    if (isatty(STDIN_FILENO))
      if (const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC); nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    const int log_fd = options.log.empty() ? -1 : open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd >= 0)
      dup2(log_fd, STDERR_FILENO);
    if (options.keep_fd >= 0)
      fcntl(options.keep_fd, F_SETFD, 0);
    execvpe(arguments[0], arguments.data(), variables.data());
    const int reason = errno;
    [[maybe_unused]] const ssize_t n = write(status_pipe[1], &reason, sizeof reason);
    _exit(127);
  }
  why = pid < 0 ? errno : 0;
  close(status_pipe[1]);
  int reason = 0;
  if (pid > 0 && read(status_pipe[0], &reason, sizeof reason) == sizeof reason) {
    waitpid(pid, nullptr, 0);
    why = reason;
  }
  close(status_pipe[0]);
  return why ? 0 : pid;
}

void end_process(pid_t pid, int patience_ms) {
  kill(-pid, SIGTERM);
  for (int waited = 0; waited < patience_ms + 2000; waited += kStepMs) {
    // Its orphans come to us, so we wait for them too; the group is gone when nobody can be signalled.
    while (waitpid(-pid, nullptr, WNOHANG) > 0) {
    }
    if (kill(-pid, 0) != 0)
      return;
    if (waited >= patience_ms)
      kill(-pid, SIGKILL);
    pause_ms(kStepMs);
  }
}

void end_children(pid_t except, int patience_ms) {
  std::set<pid_t> asked;
  for (int waited = 0; waited < patience_ms + 2000; waited += kStepMs) {
    bool some_left = false;
    for (const auto& [pid, dead] : children()) {
      if (pid == except || waitpid(pid, nullptr, WNOHANG) != 0)
        continue;
      some_left = true;
      if (waited >= patience_ms)
        kill(pid, SIGKILL);
      else if (asked.insert(pid).second)
        kill(pid, SIGTERM);
    }
    if (!some_left)
      return;
    pause_ms(kStepMs);
  }
}

void bury_orphans(std::set<pid_t>& seen) {
  siginfo_t info{};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
    seen.clear();
    return;
  }
  std::set<pid_t> dead;
  for (const auto& child : children())
    if (child.dead && (!seen.count(child.pid) || waitpid(child.pid, nullptr, WNOHANG) == 0))
      dead.insert(child.pid);
  seen = dead;
}

int exit_status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace vitrine
