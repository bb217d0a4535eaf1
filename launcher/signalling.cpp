// SPDX-License-Identifier: LGPL-2.1-or-later
// From settings to a running signalling server.
#include "signalling.h"

#include "report.h"
#include "small-service.h"
#include "text.h"
#include "webrtc/signalling/signalling-server.h"

namespace vitrine {

namespace {

bool read_service(const Settings& settings, SignallingServerSettings& service, std::string& error) {
  service.listen = read_listen(settings);
  service.require_auth = !settings.flag("no-auth");
  service.allowed_origins = settings.text("allowed-origins");
  return read_accounts(settings, service.accounts, error);
}

}  // namespace

int run_signalling(const Settings& settings) {
  SignallingServerSettings service;
  std::string error;
  if (!read_service(settings, service, error))
    return complain(kExitUsage, error);
  SignallingServer server(std::move(service));
  if (!server.start(error))
    return complain(error.starts_with("port ") ? kExitPort : kExitUsage, error);
  SmallService(settings, [&server](const Settings& fresh, std::string& why) {
    SignallingServerSettings wanted;
    return read_service(fresh, wanted, why) && server.change(wanted, why);
  }).run(std::string(_("signalling on port")) + " " + settings.text("port"));
  return kExitOk;
}

}  // namespace vitrine
