// SPDX-License-Identifier: LGPL-2.1-or-later
// From settings to a running TURN REST service.
#include "turn-rest.h"

#include <glib-unix.h>
#include <signal.h>

#include <cstdio>

#include "report.h"
#include "text.h"
#include "webrtc/turn/turn-rest-server.h"

namespace vitrine {
namespace {

bool read_accounts(const Settings& settings, TurnRestSettings& service, std::string& error) {
  const std::string password = settings.text("password");
  return (password.empty() || service.accounts.add(settings.text("user"), password, Role::view, error)) &&
         (!settings.has("accounts-file") || service.accounts.load(settings.text("accounts-file"), error));
}

}  // namespace

int run_turn_rest(const Settings& settings) {
  TurnRestSettings service;
  service.listen_address = settings.text("listen");
  service.port = static_cast<int>(settings.number("port"));
  service.require_auth = !settings.flag("no-auth");
  service.tls_certificate = settings.text("tls-cert");
  service.tls_key = settings.text("tls-key");
  service.turn.stun_servers = settings.text("stun-server");
  service.turn.turn_servers = settings.text("turn-servers");
  service.turn.user = settings.text("turn-user");
  service.turn.password = settings.text("turn-password");
  service.turn.shared_secret = settings.text("turn-shared-secret");
  if (settings.has("turn-lifetime"))
    service.turn.lifetime_s = settings.number("turn-lifetime");
  std::string error;
  if (!read_accounts(settings, service, error))
    return complain(kExitUsage, error);
  TurnRestServer server(std::move(service));
  if (!server.start(error))
    return complain(error.starts_with("port ") ? kExitPort : kExitUsage, error);
  std::printf("%s %ld\n", _("RTC configurations on port"), settings.number("port"));
  std::fflush(stdout);
  const auto loop = Ref<GMainLoop>::adopt(g_main_loop_new(nullptr, FALSE));
  signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    g_unix_signal_add(
        number,
        [](gpointer running) -> gboolean {
          g_main_loop_quit(static_cast<GMainLoop*>(running));
          return G_SOURCE_CONTINUE;
        },
        loop.get());
  g_main_loop_run(loop.get());
  return kExitOk;
}

}  // namespace vitrine
