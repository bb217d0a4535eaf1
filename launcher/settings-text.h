// SPDX-License-Identifier: LGPL-2.1-or-later
// What is written from the option table: help, documents, completion.
#pragma once

#include <string>

#include "settings.h"

namespace vitrine {

/// --help, translated.
std::string help_text();
/// docs/environment.md.
std::string environment_document();
/// vitrine(1), in man(7) macros.
std::string man_page();
/// A completion script for "bash" or "zsh"; empty for another shell.
std::string completion_script(const std::string& shell);
/// --print-config: each value and where it came from, secrets masked.
std::string config_text(const Settings& settings);

}  // namespace vitrine
