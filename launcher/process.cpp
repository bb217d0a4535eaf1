// SPDX-License-Identifier: LGPL-2.1-or-later
// Children.
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

extern char** environ;

namespace vitrine {
namespace {

std::vector<pid_t> children() {
  std::vector<pid_t> pids;
  // The children of each thread of ours.
  std::ifstream list("/proc/thread-self/children");
  const std::string self = std::to_string(getpid());
  std::ifstream main_list("/proc/" + self + "/task/" + self + "/children");
  for (auto* stream : {&list, &main_list})
    for (pid_t pid; *stream >> pid;)
      pids.push_back(pid);
  return pids;
}

void pause_ms(int ms) {
  const timespec time{ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&time, nullptr);
}

void reap() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

pid_t start_process(const std::vector<std::string>& command, const std::vector<std::string>& environment, int keep_fd,
                    const std::string& log, std::string& error) {
  // Everything that allocates is done before fork(): other threads may hold the allocator's lock.
  std::vector<char*> arguments;
  for (const auto& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; *variable; ++variable) {
    bool replaced = false;
    for (const auto& addition : environment)
      replaced = replaced || strncmp(*variable, addition.c_str(), addition.find('=') + 1) == 0;
    if (!replaced)
      variables.push_back(*variable);
  }
  for (const auto& addition : environment)
    variables.push_back(const_cast<char*>(addition.c_str()));
  variables.push_back(nullptr);

  int status_pipe[2];
  if (pipe2(status_pipe, O_CLOEXEC) != 0) {
    error = strerror(errno);
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
    const int log_fd = log.empty() ? -1 : open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd >= 0)
      dup2(log_fd, STDERR_FILENO);
    if (keep_fd >= 0)
      fcntl(keep_fd, F_SETFD, 0);
    execvpe(arguments[0], arguments.data(), variables.data());
    const int why = errno;
    [[maybe_unused]] const ssize_t n = write(status_pipe[1], &why, sizeof why);
    _exit(127);
  }
  close(status_pipe[1]);
  int why = 0;
  if (pid > 0 && read(status_pipe[0], &why, sizeof why) == sizeof why) {
    waitpid(pid, nullptr, 0);
    error = command[0] + ": " + strerror(why);
  } else if (pid < 0) {
    error = strerror(errno);
  }
  close(status_pipe[0]);
  return error.empty() ? pid : 0;
}

void end_process(pid_t pid, int patience_ms) {
  kill(-pid, SIGTERM);
  for (int waited = 0; waited < patience_ms; waited += 10) {
    if (waitpid(pid, nullptr, WNOHANG) != 0)
      return;
    pause_ms(10);
  }
  kill(-pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

void end_all_children(int patience_ms) {
  for (int waited = 0;; waited += 10) {
    reap();
    const auto left = children();
    if (left.empty())
      return;
    if (waited == 0 || waited >= patience_ms)
      for (const pid_t pid : left)
        kill(pid, waited == 0 ? SIGTERM : SIGKILL);
    if (waited > patience_ms + 2000)
      return;
    pause_ms(10);
  }
}

int exit_status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace vitrine
