// SPDX-License-Identifier: LGPL-2.1-or-later
// What the commands that run a service without a desktop share.
#pragma once

#include <string>

#include "settings.h"
#include "webrtc/services/listen.h"

namespace vitrine {

/// Who may use it. False, with `error` naming the option.
bool read_accounts(const Settings& settings, Accounts& accounts, std::string& error);
ListenSettings read_listen(const Settings& settings);
/// Says `line`, and runs the default context until a signal ends it.
void serve_until_signalled(const std::string& line);

}  // namespace vitrine
