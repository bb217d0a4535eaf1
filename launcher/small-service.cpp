// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings and life of a service without a desktop.
#include "small-service.h"

#include <glib-unix.h>
#include <signal.h>

#include <cstdio>

#include "common/ref.h"

namespace vitrine {

bool read_accounts(const Settings& settings, Accounts& accounts, std::string& error) {
  const std::string password = settings.text("password");
  return (password.empty() || accounts.add(settings.text("user"), password, Role::view, error)) &&
         (!settings.has("accounts-file") || accounts.load(settings.text("accounts-file"), error));
}

ListenSettings read_listen(const Settings& settings) {
  return {settings.text("listen"), static_cast<int>(settings.number("port")), settings.text("tls-cert"), settings.text("tls-key")};
}

void serve_until_signalled(const std::string& line) {
  std::printf("%s\n", line.c_str());
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
}

}  // namespace vitrine
