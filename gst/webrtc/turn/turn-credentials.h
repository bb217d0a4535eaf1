// SPDX-License-Identifier: LGPL-2.1-or-later
// Time-limited TURN credentials out of a secret that is shared with the TURN server (coturn: use-auth-secret). Pure.
#pragma once

#include <cstdint>
#include <string>

namespace vitrine {

struct TurnCredentials {
  std::string username, credential;
};

inline constexpr int64_t kTurnLifetimeDefault = 86400, kTurnLifetimeMin = 60, kTurnLifetimeMax = 30 * 86400;

/// "<expiry>:<name>" and base64 of its HMAC-SHA1 with `secret`, as in draft-uberti-behave-turn-rest. `now_s` is Unix time; `name` loses
/// what would not fit into a user name.
TurnCredentials make_turn_credentials(const std::string& secret, const std::string& name, int64_t now_s, int64_t lifetime_s);

/// How long credentials of this lifetime are used before new ones are made or fetched: three quarters of it.
int64_t renew_after(int64_t lifetime_s);

/// In how many seconds a service is asked again, whose answer lives this long (0: for ever): an hour for one that says nothing, a day at most.
int64_t ask_again_after(int64_t lifetime_s);

/// Overwrites a secret that is not needed any more.
void forget(std::string& secret);

}  // namespace vitrine
