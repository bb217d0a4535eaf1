// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings that change while a session runs: all that are good, or none.
#include <utility>

#include "common/ref.h"
#include "log.h"
#include "session-body.h"
#include "settings-files.h"
#include "text.h"

namespace vitrine {
namespace {

/// Whether there is TLS at all is in every link and cookie.
bool begins_or_ends_tls(const std::string& option, const Settings& now, const Settings& fresh) {
  return (option == "tls-cert" || option == "tls-key") && now.has(option) != fresh.has(option);
}

bool changes_live(const OptionSpec& option, const Settings& now, const Settings& fresh) {
  return changes_live(option) && !begins_or_ends_tls(option.name, now, fresh);
}

}  // namespace

void Session::reload() {
  if (!started_) {
    reload_ = true;
    return;
  }
  service_.reloading();
  std::string error;
  const auto fresh = settings_.again(system_sources(), error);
  if (!fresh || !take_over(*fresh, error))
    log_line(LogLevel::error, error + "; " + _("the settings stay as they were"));
  service_.reloaded();
}

bool Session::take_over(const Settings& fresh, std::string& error) {
  Settings next = settings_;
  for (const auto& option : option_table())
    if (changes_live(option, settings_, fresh))
      next.take(fresh, option.name);
  const std::string known = one_time_password_;
  Credentials credentials = credentials_for(next);
  if (!change_server(next, credentials, error)) {
    std::string ignored;
    change_server(settings_, credentials_, ignored);
    one_time_password_ = known;
    return false;
  }
  credentials_ = std::move(credentials);
  const Settings before = std::exchange(settings_, std::move(next));
  const auto changed = [&](const char* name) { return settings_.text(name) != before.text(name); };
  set_log_format(settings_.text("log-format") == "json" ? LogFormat::json : LogFormat::text);
  set_log_level(log_level_from(settings_.text("log-level")));
  keeper_->set_most_bitrate(static_cast<unsigned>(settings_.number("bitrate")));
  if (changed("framerate"))
    change_pictures();
  for (const auto& option : option_table()) {
    const std::string name = option.name, value = fresh.text(name);
    // Once for each change, and not for one that was taken back.
    if (value != read_.text(name) && value != settings_.text(name))
      log_line(LogLevel::warning, fresh.source(name) + ": " + name + ": " + _("has changed; it counts from the next start on"));
  }
  read_ = fresh;
  log_line(LogLevel::info, _("the settings were read again"));
  if (one_time_password_ != known)
    print_where(settings_, one_time_password_);
  return true;
}

bool Session::change_server(const Settings& settings, const Credentials& credentials, std::string& error) {
  for (const auto& option : option_table())
    if (option.property && changes_live(option, settings_, settings) &&
        !set_or_reset(server_.get(), {option.property, settings.text(option.name), settings.source(option.name)}, error))
      return false;
  const auto text = [](const std::string& value) { return value.empty() ? nullptr : value.c_str(); };
  g_object_set(server_.get(), "user", credentials.user.c_str(), "password", text(credentials.password), "accounts-file",
               text(settings.text("accounts-file")), "max-bitrate", static_cast<guint>(settings.number("bitrate") * 1000), nullptr);
  char* problem = nullptr;
  g_signal_emit_by_name(server_.get(), "reload", &problem);
  const GCharPtr owned(problem);
  if (problem)
    error = problem;
  return !problem;
}

}  // namespace vitrine
