// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of the network settings that have no better place.
#include "webrtc/network-settings.h"

#include <glib.h>

#include "webrtc/origins.h"

namespace vitrine {

std::string network_settings_problem(NetworkSettings& settings) {
  if (settings.ice_mode == IceMode::lite && settings.turn.relay_only && !settings.turn.any_turn())
    return "ice-transport-policy: relay needs TURN servers";
  if (const auto problem = signaller_settings_problem(settings.signaller); !problem.empty())
    return problem;
  std::string error;
  if (!TrustedProxies::parse(settings.trusted_proxies, error))
    return "trusted-proxies: " + error;
  if (!AllowedOrigins::parse(settings.allowed_origins, error))
    return "allowed-origins: " + error;
  std::string& path = settings.base_path;
  while (path.ends_with("/"))
    path.pop_back();
  if (!path.empty() && !path.starts_with("/"))
    path = "/" + path;
  for (const char c : path)
    if (!g_ascii_isalnum(c) && std::string("/-._~").find(c) == std::string::npos)
      return "base-path: only letters, digits and -._~ can stand between its slashes";
  if (path.find("//") != std::string::npos || (path + "/").find("/../") != std::string::npos || (path + "/").find("/./") != std::string::npos)
    return "base-path: is no plain path";
  return "";
}

}  // namespace vitrine
