// SPDX-License-Identifier: LGPL-2.1-or-later
// What a service manager wants to hear: sd_notify(3)'s protocol, readiness and watchdog; s6's readiness.
#pragma once

#include <string>

namespace vitrine {

/// Takes $NOTIFY_SOCKET, $WATCHDOG_USEC, $WATCHDOG_PID and $VITRINE_READY_FD out of the environment, so that programs on the desktop do not
/// speak for us. The last names a descriptor, 3 or more, that gets a line when we are ready and is closed then: s6's notification-fd.
/// Without them everything here does nothing.
class Service {
 public:
  Service();
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Sends one datagram, such as "STATUS=…". False if there is nobody to tell or it does not arrive.
  bool notify(const std::string& state) const;
  /// Says that it runs, and from now on, while the main loop of this thread turns, that it is alive.
  void ready();
  /// Before and after settings are read again.
  void reloading() const;
  void reloaded() const;
  void stopping() const;

 private:
  const std::string socket_;
  int ready_fd_ = -1;
  unsigned period_ms_ = 0;  // of the watchdog's signs of life; 0 for none
  unsigned timer_ = 0;
};

}  // namespace vitrine
