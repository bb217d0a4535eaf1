// SPDX-License-Identifier: LGPL-2.1-or-later
// The program on the display: started, and after a crash started again if that is wanted.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "keeper-limit.h"

namespace vitrine {

constexpr char kTopicProgram[] = "program";

/// Whether an exit status, as a shell gives it, is that of a crash: ended by a signal that says so, or killed for its memory.
bool is_crash(int status);

/// Bound to the main thread.
class ProgramKeeper {
 public:
  enum class Policy { never, on_crash, always };
  static Policy policy_from(const std::string& name);

  struct Host {
    /// NAME=VALUE for the program beside $DISPLAY.
    std::vector<std::string> environment;
    /// As in Keeper::Host.
    std::function<void(const char* topic, const char* text)> tell;
    std::function<void(pid_t pid)> watch;
    /// When the display was lost last, and whether it is away now.
    std::function<int64_t()> display_lost_us;
    std::function<bool()> display_down;
    /// The program's end is the session's. `why` is empty for a good end.
    std::function<void(int status, const std::string& why)> finish;
  };

  ProgramKeeper(std::vector<std::string> command, Policy policy, Host host);
  ~ProgramKeeper();
  ProgramKeeper(const ProgramKeeper&) = delete;
  ProgramKeeper& operator=(const ProgramKeeper&) = delete;

  bool wanted() const { return !command_.empty(); }
  Policy policy() const { return policy_; }
  pid_t pid() const { return pid_; }
  /// On this display; an empty name is $DISPLAY.
  void start(const std::string& display);
  void ended(int status);
  /// The display has come back: a program that went with it comes too.
  void display_back(const std::string& display);

 private:
  void judge(int status, int64_t ended_us);
  void start_in(int64_t delay_us);
  void stop_telling();

  const std::vector<std::string> command_;
  const Policy policy_;
  const Host host_;
  RestartLimit limit_;
  std::string display_;
  pid_t pid_ = 0;
  int64_t started_us_ = 0;
  bool waits_for_display_ = false;
  unsigned timer_ = 0, told_ = 0;
};

}  // namespace vitrine
