// SPDX-License-Identifier: LGPL-2.1-or-later
// Where STUN and TURN servers and their credentials come from, as it was asked for. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "webrtc/turn/rtc-configuration.h"
#include "webrtc/turn/turn-credentials.h"

namespace vitrine {

struct TurnSettings {
  std::string stun_servers;     // list of stun: URLs or host[:port]
  std::string turn_servers;     // list of turn: and turns: URLs
  std::string user, password;   // static
  std::string shared_secret;    // or time-limited
  std::string rest_uri;         // or from a service
  std::string rest_user, rest_protocol = "udp";
  bool rest_tls = false;
  std::string rtc_config_file;  // or from a file that is watched
  std::string tls_ca_file;      // PEM: who may vouch for turns: and https: servers, in place of the system's
  int64_t lifetime_s = kTurnLifetimeDefault;
  bool relay_only = false;

  bool operator==(const TurnSettings&) const = default;
  bool any() const { return !stun_servers.empty() || any_turn(); }
  bool any_turn() const { return !turn_servers.empty() || !rest_uri.empty() || !rtc_config_file.empty(); }
};

/// What is wrong, naming the property and never a credential; empty if nothing.
std::string turn_settings_problem(const TurnSettings& settings);

/// The servers of stun_servers and turn_servers, with static credentials or with ones for `name` made from the shared secret.
RtcConfiguration static_configuration(const TurnSettings& settings, const std::string& name, int64_t now_s);

}  // namespace vitrine
