// SPDX-License-Identifier: LGPL-2.1-or-later
// HTTP Basic (RFC 7617) in front of a small service: accounts, waits after failures, passwords hashed once.
#pragma once

#include <libsoup/soup.h>

#include <string>

#include "webrtc/accounts.h"

namespace vitrine {

/// An answer that no cache keeps.
void respond_now(SoupServerMessage* message, guint status, const char* type, const std::string& body);

/// Bound to one thread.
class BasicGate {
 public:
  /// `realm` is what browsers show; without `required` everybody passes.
  BasicGate(const char* realm, bool required, Accounts accounts)
      : realm_(realm), required_(required), accounts_(std::move(accounts)) {}

  bool open_to_all() const { return !required_; }
  bool nobody_passes() const { return required_ && accounts_.empty(); }
  /// Whether the caller may pass; `account` is then who it is, empty if nobody asks. Else the request has its answer.
  bool admit(SoupServerMessage* message, std::string& account);

 private:
  const char* const realm_;
  const bool required_;
  const Accounts accounts_;
  FailureThrottle throttle_;
  Sessions sessions_;  // so that a hashed password is not computed for every request
};

}  // namespace vitrine
