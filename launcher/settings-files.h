// SPDX-License-Identifier: LGPL-2.1-or-later
// Where settings come from on this machine: its environment and its files.
#pragma once

#include "settings.h"

namespace vitrine {

/// The process's environment as it was at the first call, and the files of system and user.
const SettingsSources& system_sources();
/// Takes secrets out of the environment: programs on the desktop have no business with them, nor has who reads /proc. What
/// system_sources() gives stays as it was.
void hide_secrets();

}  // namespace vitrine
