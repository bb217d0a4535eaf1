// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings and life of a service without a desktop.
#include "small-service.h"

#include <cstdio>

#include "common/ref.h"
#include "log.h"
#include "settings-files.h"
#include "signals.h"
#include "text.h"

namespace vitrine {

bool read_accounts(const Settings& settings, Accounts& accounts, std::string& error) {
  const std::string password = settings.text("password");
  return (password.empty() || accounts.add(settings.text("user"), password, Role::view, error)) &&
         (!settings.has("accounts-file") || accounts.load(settings.text("accounts-file"), error));
}

ListenSettings read_listen(const Settings& settings) {
  return {settings.text("listen"), static_cast<int>(settings.number("port")), settings.text("tls-cert"), settings.text("tls-key")};
}

void SmallService::run(const std::string& line) {
  const auto loop = Ref<GMainLoop>::adopt(g_main_loop_new(nullptr, FALSE));
  loop_ = loop.get();
  watch_signals(
      [](gpointer self) -> gboolean {
        g_main_loop_quit(static_cast<SmallService*>(self)->loop_);
        return G_SOURCE_CONTINUE;
      },
      [](gpointer self) -> gboolean {
        static_cast<SmallService*>(self)->reload();
        return G_SOURCE_CONTINUE;
      },
      this);
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  service_.ready();
  g_main_loop_run(loop_);
  service_.stopping();
  loop_ = nullptr;
}

void SmallService::reload() {
  service_.reloading();
  std::string error;
  const auto fresh = read_.again(system_sources(), error);
  if (!fresh || !take_over_(*fresh, error)) {
    log_line(LogLevel::error, error + "; " + _("the settings stay as they were"));
  } else {
    set_log_format(fresh->text("log-format") == "json" ? LogFormat::json : LogFormat::text);
    set_log_level(log_level_from(fresh->text("log-level")));
    tell_what_waits(*fresh);
    read_ = *fresh;
    log_line(LogLevel::info, _("the settings were read again"));
  }
  service_.reloaded();
}

void SmallService::tell_what_waits(const Settings& fresh) const {
  for (const std::string name : {"listen", "port", "no-auth", "tls-cert", "tls-key"}) {
    const bool is_tls = name.starts_with("tls-"), tls_stays = started_with_.has("tls-cert") == fresh.has("tls-cert");
    const std::string value = fresh.text(name);
    // Once for each change, and not for one that was taken back.
    if (!(is_tls && tls_stays) && value != read_.text(name) && value != started_with_.text(name))
      log_line(LogLevel::warning, fresh.source(name) + ": " + name + ": " + _("has changed; it counts from the next start on"));
  }
}

}  // namespace vitrine
