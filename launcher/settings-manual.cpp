// SPDX-License-Identifier: LGPL-2.1-or-later
// Manual page and shell completion from the option table.
#include <glib.h>

#include <cstdio>

#include "settings-text.h"
#include "vitrine-config.h"

namespace vitrine {
namespace {

/// Text for roff: backslashes, dashes and what is not ASCII escaped, no line starts with a control character.
std::string roff(const std::string& text) {
  std::string out;
  for (const char* at = text.c_str(); *at; at = g_utf8_next_char(at)) {
    const char c = *at;
    if (static_cast<unsigned char>(c) >= 0x80) {
      char escaped[16];
      std::snprintf(escaped, sizeof escaped, "\\[u%04X]", g_utf8_get_char(at));
      out += escaped;
    } else if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

std::string item(const std::string& tag, const std::string& text) { return ".TP\n" + tag + "\n" + roff(text) + "\n"; }

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }

/// For the inside of single quotes in a shell.
std::string shell_quoted(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out;
}

/// For a description in a specification of zsh's _arguments.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '[' || c == ']' || c == ':' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return shell_quoted(out);
}

constexpr struct {
  const char* words;
  const char* help;
} kCommands[] = {
    {"pipeline", "print the same pipeline as a gst-launch-1.0 line"},
    {"turn-rest", "hand out TURN credentials, as a service beside a TURN server"},
    {"signalling", "serve signalling to desktops and pages that are elsewhere"},
    {"probe", "try every encoder and say which profile is best"},
    {"profiles", "list the profiles"},
    {"check", "check a profile"},
    {"doctor", "try everything and report, without secrets, for a bug report"},
    {"health", "ask the session with these settings whether it is well: status 0, else 1"},
    {"setting", "print one setting as it counts here; profiles are not looked into"},
    {"environment-document", "print all settings and variables as Markdown"},
    {"man-page", "print this page"},
    {"completion", "print a completion script for bash or zsh"},
};

std::string live_options() {
  std::string names;
  for (const auto& option : option_table())
    if (changes_live(option))
      names += (names.empty() ? "" : ", ") + std::string(option.name);
  return names;
}

std::string bash_script() {
  std::string flags, cases, commands;
  for (const auto& [words, help] : kCommands)
    commands += std::string(commands.empty() ? "" : " ") + words;
  for (const auto& option : option_table()) {
    if (option.kind == OptionKind::secret)
      continue;
    const bool takes = option.kind != OptionKind::flag && option.kind != OptionKind::optional_size;
    flags += std::string(flags.empty() ? "" : " ") + "--" + option.name + (takes ? "=" : "");
    const std::string label = std::string("    --") + option.name + ") ";
    if (option.kind == OptionKind::file)
      cases += label + "COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n";
    else if (option.kind == OptionKind::choice) {
      std::string choices;
      for (const auto& choice : choices_of(option))
        choices += (choices.empty() ? "" : " ") + choice;
      cases += label + "COMPREPLY=($(compgen -W '" + choices + "' -- \"$current\")); return ;;\n";
    } else if (std::string(option.name) == "profile")
      cases += label + "COMPREPLY=($(compgen -W \"$(vitrine profiles 2>/dev/null | cut -d' ' -f1)\" -f -- \"$current\")); return ;;\n";
    else if (takes)
      cases += label + "return ;;\n";
  }
  return "# bash completion for vitrine, made by `vitrine completion bash`.\n"
         "_vitrine() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} word\n"
         "  COMPREPLY=()\n"
         "  # What comes after -- is a command of its own.\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    if [ \"$word\" = -- ]; then\n"
         "      COMPREPLY=($(compgen -c -- \"$current\") $(compgen -f -- \"$current\"))\n"
         "      return\n"
         "    fi\n"
         "  done\n"
         "  # \"=\" is a word of its own.\n"
         "  if [ \"$current\" = = ]; then\n"
         "    current=\n"
         "  elif [ \"$option\" = = ]; then\n"
         "    option=${COMP_WORDS[COMP_CWORD - 2]}\n"
         "  fi\n"
         "  case $option in\n" +
         cases +
         "    check) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
         "    completion) COMPREPLY=($(compgen -W 'bash zsh' -- \"$current\")); return ;;\n"
         "  esac\n"
         "  case $current in\n"
         "    -*)\n"
         "      COMPREPLY=($(compgen -W '" +
         flags +
         "' -- \"$current\"))\n"
         "      [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace\n"
         "      ;;\n"
         "    *) [ \"$COMP_CWORD\" -ne 1 ] || COMPREPLY=($(compgen -W '" +
         commands +
         "' -- \"$current\")) ;;\n"
         "  esac\n"
         "}\n"
         "complete -F _vitrine vitrine\n";
}

std::string zsh_script() {
  std::string out =
      "#compdef vitrine\n"
      "# zsh completion for vitrine, made by `vitrine completion zsh`.\n"
      "local -a commands=(\n";
  for (const auto& [words, help] : kCommands)
    out += std::string("  '") + words + ":" + shell_quoted(help) + "'\n";
  out +=
      ")\n"
      "_vitrine_profiles() { local -a names=(${(f)\"$(vitrine profiles 2>/dev/null | cut -d' ' -f1)\"}); _alternative "
      "\"profiles:profile:($names)\" 'files:file:_files' }\n"
      "_arguments \\\n";
  for (const auto& option : option_table()) {
    if (option.kind == OptionKind::secret)
      continue;
    const std::string name = option.name, help = "[" + zsh_text(option.help) + "]";
    std::string spec;
    if (option.kind == OptionKind::flag)
      spec = "--" + name + help;
    else if (option.kind == OptionKind::optional_size)
      spec = "--" + name + "=-" + help + "::" + option.argument + ":";
    else if (option.kind == OptionKind::file)
      spec = "--" + name + "=" + help + ":FILE:_files";
    else if (name == "profile")
      spec = "--" + name + "=" + help + ":NAME:_vitrine_profiles";
    else if (option.kind == OptionKind::choice) {
      std::string choices;
      for (const auto& choice : choices_of(option))
        choices += (choices.empty() ? "" : " ") + choice;
      spec = "--" + name + "=" + help + ":one of:(" + choices + ")";
    } else
      spec = "--" + name + "=" + help + ":" + zsh_text(option.argument) + ":";
    out += "  '" + spec + "' \\\n";
  }
  return out +
         "  '1:command:{_describe command commands}' \\\n"
         "  '*:: :_normal'\n";
}

}  // namespace

std::string man_page() {
  std::string out =
      ".\\\" Made by vitrine man-page from the option table.\n"
      ".TH VITRINE 1 \"\" \"Vitrine " VITRINE_VERSION "\" \"User Commands\"\n"
      ".SH NAME\nvitrine \\- put an X desktop or program into web browsers\n"
      ".SH SYNOPSIS\n"
      ".B vitrine\n[\\fIOPTION\\fR...] [\\fB\\-\\-\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]]\n";
  for (const auto& [words, help] : kCommands)
    out += std::string(".br\n.B vitrine ") + roff(words) + "\n" +
           (std::string(words) == "check" ? "\\fIFILE\\fR\n" : std::string(words) == "setting" ? "\\fINAME\\fR\n" : std::string(words) == "completion" ? "bash|zsh\n" : "");
  out +=
      ".SH DESCRIPTION\n"
      "Captures an X display, encodes it, and serves it, with a page, sound and input, on one port, TCP and UDP.\n"
      "Runs \\fICOMMAND\\fR on the display and ends with it. Without $DISPLAY, \\fB\\-\\-display\\fR or \\fB\\-\\-virtual\\fR it starts a "
      "private X server.\n"
      "It prints where to point the browser and, if no password was given, one for this session.\n"
      ".SH COMMANDS\n";
  for (const auto& [words, help] : kCommands)
    out += item(bold(words), help);
  out +=
      ".SH OPTIONS\n"
      "Each option is also a variable of the environment and a key of the group [settings] in vitrine.conf. The command line wins over "
      "the environment, that over systemd credentials, those over the files, those over the profile, that over the default.\n";
  for (const auto& option : option_table()) {
    std::string tag = bold(std::string(option.kind == OptionKind::secret ? "" : "--") +
                           (option.kind == OptionKind::secret ? option.environment : option.name));
    if (option.argument)
      tag += std::string(option.kind == OptionKind::optional_size ? "[=\\fI" : "=\\fI") + roff(option.argument) + "\\fR" +
             (option.kind == OptionKind::optional_size ? "]" : "");
    if (option.environment && option.kind != OptionKind::secret)
      tag += " (" + roff(option.environment) + ")";
    out += item(tag, std::string(option.help) + (option.fallback ? std::string(" [") + option.fallback + "]" : ""));
  }
  out +=
      ".SH FILES\n" + item("\\fI/etc/vitrine/vitrine.conf\\fR, \\fI~/.config/vitrine/vitrine.conf\\fR", "settings") +
      item("\\fI/etc/vitrine/profiles\\fR, \\fI~/.config/vitrine/profiles\\fR", "profiles of your own") +
      ".SH SIGNALS\n" + item("SIGHUP", "read the settings, and the files that they name, again and take over what can be changed while it runs: " + live_options() +
                                         ". Of what else has changed a line says that it counts from the next start on; a mistake leaves all as it was. On a "
                                         "terminal SIGHUP ends the session. The commands signalling and turn-rest do the same with what concerns them.") +
      item("SIGINT, SIGTERM", "end") +
      ".SH EXIT STATUS\n" + item("0", "ended by a signal; otherwise that of COMMAND (127 and 126 if it cannot be run)") +
      item("1", "failure at run time") + item("2", "wrong usage, setting or profile") + item("3", "no X display, or it is gone") +
      item("4", "the port is in use") + item("5", "a GStreamer element or encoder is missing") +
      ".SH EXAMPLES\n" + item("vitrine \\-\\- xterm", "one program in a window of its own") +
      item("vitrine \\-\\-virtual=2560x1440 \\-\\-password\\-file=pw \\-\\- startxfce4", "a desktop") +
      ".SH SEE ALSO\n\\fBgst\\-launch\\-1.0\\fR(1), \\fBXvfb\\fR(1), \\fBsystemd.exec\\fR(5)\n";
  return out;
}

std::string completion_script(const std::string& shell) {
  return shell == "bash" ? bash_script() : shell == "zsh" ? zsh_script() : "";
}

}  // namespace vitrine
