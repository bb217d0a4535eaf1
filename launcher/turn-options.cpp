// SPDX-License-Identifier: LGPL-2.1-or-later
// One line for each option.
#include "turn-options.h"

namespace vitrine {

TurnSettings named_turn_servers(const Settings& settings) {
  TurnSettings turn;
  turn.stun_servers = settings.text("stun-server");
  turn.turn_servers = settings.text("turn-servers");
  turn.user = settings.text("turn-user");
  turn.password = settings.text("turn-password");
  turn.shared_secret = settings.text("turn-shared-secret");
  if (settings.has("turn-lifetime"))
    turn.lifetime_s = settings.number("turn-lifetime");
  return turn;
}

TurnSettings all_turn_servers(const Settings& settings) {
  TurnSettings turn = named_turn_servers(settings);
  turn.rest_uri = settings.text("turn-rest-uri");
  turn.rest_user = settings.text("turn-rest-user");
  if (settings.has("turn-rest-protocol"))
    turn.rest_protocol = settings.text("turn-rest-protocol");
  turn.rest_tls = settings.flag("turn-rest-tls");
  turn.rtc_config_file = settings.text("rtc-config-file");
  turn.tls_ca_file = settings.text("turn-ca-file");
  turn.relay_only = settings.text("ice-transport-policy") == "relay";
  return turn;
}

}  // namespace vitrine
