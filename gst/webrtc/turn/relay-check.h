// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether TURN servers give relays: each is really asked for one, and given it back.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "webrtc/stun.h"
#include "webrtc/turn/rtc-configuration.h"
#include "webrtc/turn/turn-wire.h"

namespace vitrine {

struct RelayCheck {
  enum class End {
    relay,
    not_asked,        // there are more than kServersMost
    no_such_name,
    unreachable,      // `wire` says how
    refused,          // `error` of the server's
  };
  static constexpr size_t kServersMost = 16, kAddressesMost = 4;

  IceUrl url;
  std::string address;  // that was asked; empty if there is none
  End end = End::not_asked;
  std::optional<SocketAddress> relay;
  WireResult wire;
  int error = 0;
  std::string why;  // of no_such_name
};

/// Asks all TURN servers at once, at each of their addresses, and waits so long at most. `ca_file` empty: the system's certificate
/// authorities. In the order of the configuration; nothing here is secret.
std::vector<RelayCheck> check_relays(const RtcConfiguration& configuration, const std::string& ca_file, std::chrono::milliseconds patience);

}  // namespace vitrine
