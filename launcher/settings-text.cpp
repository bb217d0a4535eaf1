// SPDX-License-Identifier: LGPL-2.1-or-later
// Help, document and --print-config from the option table.
#include "settings-text.h"

#include <algorithm>

#include "settings-aliases.h"
#include "text.h"

namespace vitrine {
namespace {

std::string table_cell(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string code(const std::string& text) { return "`" + table_cell(text) + "`"; }

/// What a variable of another system does here, in a table's cell.
std::string meaning(const AliasSpec& alias) {
  const std::string option = alias.option ? std::string("`--") + alias.option + "`" : "";
  const std::string note = alias.note ? table_cell(alias.note) : "";
  switch (alias.rule) {
    case AliasRule::kept:
      return "read by " + note;
    case AliasRule::gone:
      return "nothing, and a warning" + (alias.harmless ? " unless " + code(alias.harmless) : "") + ": " + note;
    case AliasRule::inverse:
      return option + ", the other way round";
    case AliasRule::part:
      return "part of " + option + (note.empty() ? "" : "; " + note);
    case AliasRule::encoder:
      return option + " that has this encoder";
    default:
      return option + (note.empty() ? "" : "; " + note);
  }
}

}  // namespace

std::string help_text() {
  std::string out = _("Usage:\n"
                      "  vitrine [OPTION…] [-- COMMAND [ARGUMENT…]]   stream an X display to web browsers\n"
                      "  vitrine pipeline [OPTION…]                   print the same pipeline as a gst-launch-1.0 line\n"
                      "  vitrine turn-rest [OPTION…]                  hand out TURN credentials, as a service beside a TURN server\n"
                      "  vitrine signalling [OPTION…]                 serve signalling to desktops and pages that are elsewhere\n"
                      "  vitrine probe [--json]                       try every encoder and say which profile is best\n"
                      "  vitrine profiles                             list the profiles\n"
                      "  vitrine check FILE                           check a profile\n"
                      "  vitrine doctor [OPTION…]                     try everything and report, without secrets, for a bug report\n"
                      "  vitrine health [OPTION…]                     ask the session with these settings whether it is well: status 0, else 1\n"
                      "  vitrine setting NAME [OPTION…]               print one setting as it counts here; profiles are not looked into\n"
                      "  vitrine environment-document                 print docs/environment.md: all settings and variables\n"
                      "  vitrine man-page                             print the manual page\n"
                      "  vitrine completion bash|zsh                  print a completion script\n"
                      "\n"
                      "Runs COMMAND on the display and ends with it; see --restart for what happens after a crash. Without $DISPLAY,\n"
                      "--display or --virtual it starts a private X server.\n"
                      "\n"
                      "Options, each also a variable of the environment and a key of vitrine.conf:\n");
  for (const auto& option : option_table()) {
    if (option.kind == OptionKind::secret) {
      out += "  " + std::string(option.environment) + "\n      " + _(option.help) + "\n";
      continue;
    }
    std::string left = std::string("  --") + option.name;
    if (option.kind == OptionKind::optional_size)
      left += std::string("[=") + option.argument + "]";
    else if (option.argument)
      left += std::string("=") + option.argument;
    if (option.environment)
      left += std::string("  (") + option.environment + ")";
    out += left + "\n      " + _(option.help);
    if (option.fallback)
      out += std::string(" [") + option.fallback + "]";
    out += "\n";
  }
  out += _("\n"
           "Exit status: 0 ended by a signal; that of COMMAND when it ends (127 and 126 if it cannot be run); 1 failure at run\n"
           "time; 2 wrong usage, setting or profile; 3 no X display, or it is gone; 4 the port is in use; 5 a GStreamer element\n"
           "or encoder is missing.\n");
  return out;
}

std::string environment_document() {
  std::string out =
      "# Settings\n\n"
      "Printed by `vitrine environment-document` from the tables in `launcher/settings-table.cpp` and `launcher/settings-aliases-*.cpp`;\n"
      "a test compares.\n\n"
      "Of several values the first of these counts, and `vitrine --print-config` shows which one did:\n\n"
      "1. the command line;\n"
      "2. the environment: variables of the first table, then those of the second;\n"
      "3. secrets only: systemd credentials (`LoadCredential=password:…`), named as the option, or `vitrine.` and the option;\n"
      "4. configuration files: the one that `--config` names, `~/.config/vitrine/vitrine.conf`, `/etc/vitrine/vitrine.conf`;\n"
      "5. the profile's group `[settings]`;\n"
      "6. the default.\n\n"
      "A configuration file is a key file with the one group `[settings]`, whose keys are the options without dashes:\n\n"
      "```ini\n[settings]\nport=8443\ntitle=Workshop\npassword-file=/etc/vitrine/password\n```\n\n"
      "Flags are `true` or `false` in the environment and in files. An empty variable counts as none. Secrets are refused on the command\n"
      "line, and in files that others may read; they are removed from the environment of the programs that Vitrine starts.\n\n"
      "Those marked with ↻ are taken over by a running session when it reads its settings again, on SIGHUP: see `docs/service.md`.\n\n"
      "## Options\n\n"
      "| option | variable | default | | meaning |\n|---|---|---|---|---|\n";
  for (const auto& option : option_table()) {
    if (!option.environment)
      continue;
    out += option.kind == OptionKind::secret ? "| " : std::string("| `--") + option.name + "` ";
    out += std::string("| `") + option.environment + "` | " + (option.fallback ? code(option.fallback) : "") +
           (changes_live(option) ? " | ↻ | " : " | | ") + table_cell(option.help) + (option.kind == OptionKind::choice ? ": " + code(option.argument) : "") + " |\n";
  }
  out +=
      "\n## Variables of other systems\n\n"
      "Deployments of selkies-gstreamer, selkies, and the images built around them keep their variables. Values are read in the spelling\n"
      "of those systems (`True`, `60,8-240`, `true|locked`). A value that makes no sense here is ignored with a warning; nothing in this\n"
      "table ever stops a session from starting. Of several for one option the upper one counts.\n\n"
      "| variable | does |\n|---|---|\n";
  for (const auto& alias : alias_table())
    out += std::string("| `") + alias.name + "` | " + meaning(alias) + " |\n";
  return out;
}

std::string config_text(const Settings& settings) {
  struct Row {
    std::string name, value, source;
  };
  std::vector<Row> rows;
  size_t widths[2] = {0, 0};
  for (const auto& option : option_table()) {
    if (!option.environment)
      continue;
    const std::string value = settings.has(option.name) ? shown_value(option, settings.text(option.name)) : "-";
    rows.push_back({option.name, value, settings.has(option.name) ? settings.source(option.name) : ""});
    widths[0] = std::max(widths[0], rows.back().name.size());
    widths[1] = std::max(widths[1], std::min<size_t>(rows.back().value.size(), 32));
  }
  std::string out;
  for (const auto& [name, value, source] : rows) {
    std::string line = name + std::string(widths[0] - name.size() + 2, ' ') + value;
    if (!source.empty())
      line += std::string(value.size() < widths[1] ? widths[1] - value.size() + 2 : 2, ' ') + source;
    out += line + "\n";
  }
  return out;
}

}  // namespace vitrine
