// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings that change while a session runs.
#include "log.h"
#include "session-body.h"
#include "settings-files.h"
#include "text.h"

namespace vitrine {

void Session::reload() {
  service_.reloading();
  std::string error;
  const auto fresh = settings_.again(system_sources(), error);
  if (!fresh)
    log_line(LogLevel::error, error + "; " + _("the settings stay as they were"));
  for (const auto& option : option_table()) {
    const std::string name = option.name;
    if (!fresh || fresh->text(name) == settings_.text(name))
      continue;
    if (name == "bitrate" && keeper_)
      keeper_->set_bitrate(Keeper::kMainPad, static_cast<unsigned>(fresh->number(name)));
    else if (name == "log-format")
      set_log_format(fresh->text(name) == "json" ? LogFormat::json : LogFormat::text);
    else
      log_line(LogLevel::warning, fresh->source(name) + ": " + name + ": " + _("has changed; it counts from the next start on"));
  }
  if (fresh) {
    settings_ = *fresh;
    log_line(LogLevel::info, _("the settings were read again"));
  }
  service_.reloaded();
}

}  // namespace vitrine
