// SPDX-License-Identifier: LGPL-2.1-or-later
// Child processes that end with us: process groups, a subreaper for what they leave behind, and an end with patience.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace vitrine {

/// Orphans of our children become our own, so that end_children() finds them.
void become_subreaper();

struct StartOptions {
  std::vector<std::string> environment;  // NAME=VALUE additions
  int keep_fd = -1;                      // passed on
  std::string log;                       // file for stderr
};

/// Starts a program in a process group of its own; it gets SIGTERM should we die. 0, with errno in `why`, if it cannot be started.
pid_t start_process(const std::vector<std::string>& command, const StartOptions& options, int& why);

/// SIGTERM to the process' group, SIGKILL after `patience_ms`; returns when all of the group have ended.
void end_process(pid_t pid, int patience_ms);

/// The same for every child and orphan of ours but `except`.
void end_children(pid_t except, int patience_ms);

/// Waits for orphans of our children that have ended, which nobody else does: those that `seen` holds from the call before. To be called now and then.
void bury_orphans(std::set<pid_t>& seen);

/// The exit status that a shell would give for a wait status.
int exit_status_of(int wait_status);

}  // namespace vitrine
