// SPDX-License-Identifier: LGPL-2.1-or-later
// What the commands that run a service without a desktop share: settings, and a life under a service manager.
#pragma once

#include <functional>
#include <string>

#include "service.h"
#include "settings.h"
#include "webrtc/services/listen.h"

namespace vitrine {

/// Who may use it. False, with `error` naming the option.
bool read_accounts(const Settings& settings, Accounts& accounts, std::string& error);
ListenSettings read_listen(const Settings& settings);

/// Bound to the main thread.
class SmallService {
 public:
  /// `take_over` is given settings that were read anew, with their secrets. False, with `error`: it has left all as it was.
  using TakeOver = std::function<bool(const Settings& fresh, std::string& error)>;

  SmallService(const Settings& settings, TakeOver take_over)
      : started_with_(settings), read_(settings), take_over_(std::move(take_over)) {}

  /// Says `line`, tells the service manager that it is ready, and runs the default context until a signal ends it.
  void run(const std::string& line);

 private:
  void reload();
  void tell_what_waits(const Settings& fresh) const;

  const Settings started_with_;
  Settings read_;  // what was read last
  const TakeOver take_over_;
  Service service_;
  GMainLoop* loop_ = nullptr;  // while it runs
};

}  // namespace vitrine
