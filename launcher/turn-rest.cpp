// SPDX-License-Identifier: LGPL-2.1-or-later
// From settings to a running TURN REST service.
#include "turn-rest.h"

#include "report.h"
#include "small-service.h"
#include "text.h"
#include "turn-options.h"
#include "webrtc/turn/turn-rest-server.h"

namespace vitrine {

int run_turn_rest(const Settings& settings) {
  TurnRestSettings service;
  service.listen = read_listen(settings);
  service.require_auth = !settings.flag("no-auth");
  service.turn = named_turn_servers(settings);
  std::string error;
  if (!read_accounts(settings, service.accounts, error))
    return complain(kExitUsage, error);
  TurnRestServer server(std::move(service));
  if (!server.start(error))
    return complain(error.starts_with("port ") ? kExitPort : kExitUsage, error);
  serve_until_signalled(std::string(_("RTC configurations on port")) + " " + settings.text("port"));
  return kExitOk;
}

}  // namespace vitrine
