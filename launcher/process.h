// SPDX-License-Identifier: LGPL-2.1-or-later
// Child processes that end with us: process groups, a subreaper for what they leave behind, and an end with patience.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace vitrine {

/// Orphans of our children become our own, so that end_all_children() finds them.
void become_subreaper();

/// Starts a program in a process group of its own; it gets SIGTERM should we die. `environment` holds NAME=VALUE additions; `keep_fd` is
/// passed on, -1 for none; what it prints to stderr goes to `log` if that is not empty. 0, with `error`, if it cannot be started.
pid_t start_process(const std::vector<std::string>& command, const std::vector<std::string>& environment, int keep_fd,
                    const std::string& log, std::string& error);

/// SIGTERM to the process' group, SIGKILL after `patience_ms`; returns when it has ended.
void end_process(pid_t pid, int patience_ms);

/// The same for every child and orphan that is left.
void end_all_children(int patience_ms);

/// The exit status that a shell would give for a wait status.
int exit_status_of(int wait_status);

}  // namespace vitrine
