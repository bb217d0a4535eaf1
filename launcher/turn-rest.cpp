// SPDX-License-Identifier: LGPL-2.1-or-later
// From settings to a running TURN REST service.
#include "turn-rest.h"

#include "report.h"
#include "small-service.h"
#include "text.h"
#include "turn-options.h"
#include "webrtc/turn/turn-rest-server.h"

namespace vitrine {

namespace {

bool read_service(const Settings& settings, TurnRestSettings& service, std::string& error) {
  service.listen = read_listen(settings);
  service.require_auth = !settings.flag("no-auth");
  service.turn = named_turn_servers(settings);
  return read_accounts(settings, service.accounts, error);
}

}  // namespace

int run_turn_rest(const Settings& settings) {
  TurnRestSettings service;
  std::string error;
  if (!read_service(settings, service, error))
    return complain(kExitUsage, error);
  TurnRestServer server(std::move(service));
  if (!server.start(error))
    return complain(error.starts_with("port ") ? kExitPort : kExitUsage, error);
  SmallService(settings, [&server](const Settings& fresh, std::string& why) {
    TurnRestSettings wanted;
    return read_service(fresh, wanted, why) && server.change(wanted, why);
  }).run(std::string(_("RTC configurations on port")) + " " + settings.text("port"));
  return kExitOk;
}

}  // namespace vitrine
