// SPDX-License-Identifier: LGPL-2.1-or-later
// Brings the display back: the session's own X server is started anew, another's is waited for.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "keeper-limit.h"
#include "xserver.h"

namespace vitrine {

constexpr char kTopicDisplay[] = "display";

/// Bound to the main thread.
class DisplayKeeper {
 public:
  struct Host {
    /// As in Keeper::Host.
    std::function<void(const char* topic, const char* text)> tell;
    /// The display is lost; the display of this name is there (again) and may be tried.
    std::function<void()> gone;
    std::function<void(const std::string& display)> here;
    /// What came back works.
    std::function<void()> back;
    std::function<void(pid_t pid)> watch;  // a new X server's process
    std::function<void(const std::string& why)> give_up;
  };

  /// `xserver` is null if the display is not the session's own.
  DisplayKeeper(XServer* xserver, std::string display, Host host);
  ~DisplayKeeper();
  DisplayKeeper(const DisplayKeeper&) = delete;
  DisplayKeeper& operator=(const DisplayKeeper&) = delete;

  bool is_down() const { return down_; }
  /// When it was lost last, in µs of the monotonic clock; 0 if never.
  int64_t lost_us() const { return lost_us_; }

  /// Something lost its connection to the display, or the X server has ended.
  void lost();
  void server_ended(int status);
  /// Whether what was told `here` got on with it.
  void result(bool good);

 private:
  void attempt();
  void attempt_in(int64_t delay_us);

  XServer* const xserver_;
  const std::string display_;  // of others
  const Host host_;
  RestartLimit limit_;
  bool down_ = false, starting_ = false;
  bool paid_ = false;  // the next start has been taken from the limit
  int starts_ = 0;  // of the X server since it was lost
  int64_t lost_us_ = 0, back_us_ = 0, delay_us_ = 0;
  unsigned timer_ = 0;
};

}  // namespace vitrine
