// SPDX-License-Identifier: LGPL-2.1-or-later
// What a browser needs to know of STUN and TURN servers: the RTC configuration, as JSON and from JSON. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "webrtc/turn/ice-url.h"

namespace vitrine {

struct IceServer {
  std::vector<IceUrl> urls;
  std::string username, credential;  // of TURN
  bool operator==(const IceServer&) const = default;
};

struct RtcConfiguration {
  static constexpr size_t kServersMax = 16, kUrlsMax = 8, kCredentialMax = 1024;
  static constexpr size_t kTextMax = 65536;

  std::vector<IceServer> servers;
  bool relay_only = false;
  int64_t lifetime_s = 0;  // of the credentials; 0: they do not expire

  bool has_turn() const;
  bool operator==(const RtcConfiguration&) const = default;
};

/// Reads either form that is in use: {"iceServers":[{"urls":…,"username":…,"credential":…}],"lifetimeDuration":"86400s",
/// "iceTransportPolicy":"all"|"relay"} (W3C RTCConfiguration with what coturn's companions add), or
/// {"username":…,"password":…,"ttl":…,"uris":[…]} (TURN REST). URLs of a scheme that is not known are left out. Nothing, with `error`
/// naming the member and never its value, when it cannot be used.
std::optional<RtcConfiguration> parse_rtc_configuration(std::string_view text, std::string& error);

/// The whole as one JSON object in the first form, and its member iceServers alone.
std::string rtc_configuration_json(const RtcConfiguration& configuration);
std::string ice_servers_json(const RtcConfiguration& configuration);

}  // namespace vitrine
