// SPDX-License-Identifier: LGPL-2.1-or-later
// Who asks: by name and password (RFC 7617), by a token (RFC 6750), or by the cookie of an earlier answer; with waits after failures.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "webrtc/accounts.h"
#include "webrtc/forwarded.h"

namespace vitrine {

struct LoginSettings {
  const char* realm;     // what browsers show
  bool required = true;  // else everybody is let in, and may control
  Accounts accounts;
  std::string cookie, cookie_path;                  // the path ends with a slash; without a name none is set
  std::function<void(const std::string&)> failed;  // may be missing; is told the address
};

/// Bound to the thread of its server.
class HttpLogin {
 public:
  explicit HttpLogin(LoginSettings settings) : settings_(std::move(settings)) {}

  bool open_to_all() const { return !settings_.required; }
  bool nobody_passes() const { return settings_.required && settings_.accounts.empty(); }
  /// Other accounts from now on; who could no longer come in as he did has to log in again.
  void change(const Accounts& accounts);
  /// Nothing: the request has its answer.
  std::optional<Identity> admit(SoupServerMessage* message, const RequestOrigin& origin);

 private:
  std::optional<Identity> check_password(SoupServerMessage* message, const std::string& authorization, const RequestOrigin& origin, int64_t now_us);

  LoginSettings settings_;
  Sessions sessions_;
  FailureThrottle throttle_;
};

}  // namespace vitrine
