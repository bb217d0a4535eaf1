// SPDX-License-Identifier: LGPL-2.1-or-later
// The option table, and merging.
#include "settings.h"

#include <cstdlib>

#include "text.h"

namespace vitrine {

const std::vector<OptionSpec>& option_table() {
  static const std::vector<OptionSpec> table = {
      {"virtual", "VITRINE_VIRTUAL", OptionKind::optional_text, "WIDTHxHEIGHT", nullptr,
       N_("start a private X server of this size (1920x1080 if none is given); done by itself when there is no $DISPLAY")},
      {"display", "VITRINE_DISPLAY", OptionKind::text, "NAME", nullptr, N_("stream this X display instead of $DISPLAY")},
      {"port", "VITRINE_PORT", OptionKind::number, "NUMBER", "8080", N_("the one port, TCP and UDP"), 1, 65535},
      {"listen", "VITRINE_LISTEN", OptionKind::text, "ADDRESS", nullptr, N_("IP address to listen on instead of all")},
      {"user", "VITRINE_USER", OptionKind::text, "NAME", "user", N_("user name that goes with the password")},
      {"password-file", "VITRINE_PASSWORD_FILE", OptionKind::text, "FILE", nullptr,
       N_("file whose first line is the password; without any password a one-time one is made and printed")},
      {"password", "VITRINE_PASSWORD", OptionKind::secret, nullptr, nullptr,
       N_("the password; only from the environment, since command lines can be read by others")},
      {"accounts-file", "VITRINE_ACCOUNTS_FILE", OptionKind::text, "FILE", nullptr,
       N_("more accounts, a line each: name:password-or-crypt-hash:control|view")},
      {"no-auth", "VITRINE_NO_AUTH", OptionKind::flag, nullptr, nullptr, N_("let everybody in who reaches the port")},
      {"profile", "VITRINE_PROFILE", OptionKind::text, "NAME|FILE", "software-h264", N_("how to capture and encode")},
      {"framerate", "VITRINE_FRAMERATE", OptionKind::number, "FPS", "60", N_("pictures per second at most"), 1, 240},
      {"bitrate", "VITRINE_BITRATE", OptionKind::number, "KBIT", "8000", N_("video bitrate in kbit/s"), 100, 1000000},
      {"title", "VITRINE_TITLE", OptionKind::text, "TEXT", "Vitrine", N_("name of the session, shown by the page")},
      {"public-address", "VITRINE_PUBLIC_ADDRESS", OptionKind::text, "HOST[:PORT]", nullptr,
       N_("where browsers reach the media port, if not where they reach the page")},
      {"max-viewers", "VITRINE_MAX_VIEWERS", OptionKind::number, "NUMBER", "16", N_("viewers at the same time"), 1, 1000},
      {"tls-cert", "VITRINE_TLS_CERT", OptionKind::text, "FILE", nullptr, N_("PEM certificate: https instead of http")},
      {"tls-key", "VITRINE_TLS_KEY", OptionKind::text, "FILE", nullptr, N_("PEM key that goes with it")},
      {"restart", "VITRINE_RESTART", OptionKind::choice, "never|on-crash|always", "on-crash",
       N_("when COMMAND is started again: after a crash (a signal such as SIGSEGV or SIGKILL, or the loss of its display), or after "
          "every end; until that happens again and again")},
      {"no-audio", "VITRINE_NO_AUDIO", OptionKind::flag, nullptr, nullptr, N_("no sound")},
      {"no-udp", "VITRINE_NO_UDP", OptionKind::flag, nullptr, nullptr, N_("media by TCP alone")},
      {"help", nullptr, OptionKind::flag, nullptr, nullptr, N_("show this text")},
      {"version", nullptr, OptionKind::flag, nullptr, nullptr, N_("show the version")},
  };
  return table;
}

const OptionSpec* find_option(const std::string& name) {
  for (const auto& option : option_table())
    if (name == option.name)
      return &option;
  return nullptr;
}

namespace {

/// Digits only, unlike strtol().
std::optional<long> parse_number(const std::string& text) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::strtol(text.c_str(), nullptr, 10);
}

std::optional<bool> parse_flag(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes")
    return true;
  if (text == "false" || text == "0" || text == "no")
    return false;
  return std::nullopt;
}

}  // namespace

std::optional<Size> parse_size(const std::string& text) {
  const size_t cross = text.find('x');
  if (cross == std::string::npos)
    return std::nullopt;
  const auto width = parse_number(text.substr(0, cross)), height = parse_number(text.substr(cross + 1));
  if (!width || !height || *width < 16 || *height < 16 || *width > 16384 || *height > 16384)
    return std::nullopt;
  return Size{static_cast<int>(*width), static_cast<int>(*height)};
}

std::string value_problem(const OptionSpec& option, const std::string& value) {
  switch (option.kind) {
    case OptionKind::number:
      if (const auto number = parse_number(value); !number || *number < option.min || *number > option.max)
        return "'" + value + "' " + _("is not a number from") + " " + std::to_string(option.min) + " " + _("to") + " " +
               std::to_string(option.max);
      break;
    case OptionKind::flag:
      if (!parse_flag(value))
        return "'" + value + "' " + _("is neither true nor false");
      break;
    case OptionKind::optional_text:
      if (!parse_flag(value) && !parse_size(value))
        return "'" + value + "' " + _("is not a size like 1920x1080");
      break;
    case OptionKind::choice:
      if (("|" + std::string(option.argument) + "|").find("|" + value + "|") == std::string::npos || value.find('|') != std::string::npos)
        return "'" + value + "' " + _("is none of") + " " + option.argument;
      break;
    case OptionKind::text:
    case OptionKind::secret:
      if (value.empty())
        return _("needs a value");
  }
  return "";
}

bool Settings::set(const OptionSpec& option, const std::string& value, Origin origin, std::string& error) {
  const std::string problem = value_problem(option, value);
  if (problem.empty())
    values_[option.name] = {value, origin};
  else
    error = (origin == Origin::environment ? option.environment : std::string("--") + option.name) + ": " + problem;
  return problem.empty();
}

bool Settings::read_environment(const std::function<const char*(const char*)>& environment, std::string& error) {
  for (const auto& option : option_table()) {
    if (option.fallback)
      values_[option.name] = {option.fallback, Origin::fallback};
    const char* value = option.environment ? environment(option.environment) : nullptr;
    if (value && *value && !set(option, value, Origin::environment, error))
      return false;
  }
  return true;
}

bool Settings::read_argument(const std::vector<std::string>& arguments, size_t& at, std::string& error) {
  const std::string argument = arguments[at] == "-h" ? "--help" : arguments[at];
  if (!argument.starts_with("-") || argument == "-") {
    words_.push_back(argument);
    return true;
  }
  const size_t equals = argument.find('=');
  const std::string shown = argument.substr(0, equals);
  const OptionSpec* option = shown.starts_with("--") ? find_option(shown.substr(2)) : nullptr;
  if (!option || option->kind == OptionKind::secret) {
    error = option ? shown + ": " + _("command lines can be read by others; use") + " " + option->environment + ", --password-file"
                   : std::string(_("unknown option")) + " " + shown;
    return false;
  }
  std::string value = "true";
  if (equals != std::string::npos) {
    value = argument.substr(equals + 1);
  } else if (option->kind != OptionKind::flag && option->kind != OptionKind::optional_text) {
    if (++at == arguments.size()) {
      error = shown + ": " + _("needs a value");
      return false;
    }
    value = arguments[at];
  }
  return set(*option, value, Origin::command_line, error);
}

bool Settings::exclude(const char* one, const char* other, std::string& error) {
  if (!is_on(one) || !is_on(other))
    return true;
  const Origin first = origin(one), second = origin(other);
  if (first == second) {
    const auto shown = [first](const char* name) {
      return first == Origin::environment ? find_option(name)->environment : std::string("--") + name;
    };
    error = shown(one) + ": " + _("cannot go together with") + " " + shown(other);
    return false;
  }
  values_.erase(first < second ? one : other);
  return true;
}

bool Settings::read(const std::vector<std::string>& arguments,
                    const std::function<const char*(const char*)>& environment, std::string& error) {
  if (!read_environment(environment, error))
    return false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      command_.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (!read_argument(arguments, i, error))
      return false;
  }
  static constexpr const char* kPairs[][2] = {{"virtual", "display"},
                                              {"no-auth", "password-file"},
                                              {"no-auth", "password"},
                                              {"no-auth", "accounts-file"},
                                              {"password-file", "password"}};
  for (const auto& pair : kPairs)
    if (!exclude(pair[0], pair[1], error))
      return false;
  if (has("tls-cert") != has("tls-key")) {
    error = std::string(has("tls-cert") ? "--tls-key" : "--tls-cert") + ": " + _("is needed too for TLS");
    return false;
  }
  return true;
}

void Settings::adopt_profile(const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values)
    if (origin(name) <= Origin::profile)
      values_[name] = {value, Origin::profile};
}

std::string Settings::text(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "" : found->second.text;
}

long Settings::number(const std::string& name) const { return parse_number(text(name)).value_or(0); }

bool Settings::flag(const std::string& name) const {
  const std::string value = text(name);
  return !value.empty() && parse_flag(value).value_or(true);
}

bool Settings::is_on(const std::string& name) const {
  const OptionKind kind = find_option(name)->kind;
  return kind == OptionKind::flag || kind == OptionKind::optional_text ? flag(name) : has(name);
}

Settings::Origin Settings::origin(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? Origin::fallback : found->second.origin;
}

std::string help_text() {
  std::string out = _("Usage:\n"
                      "  vitrine [OPTION…] [-- COMMAND [ARGUMENT…]]   stream an X display to web browsers\n"
                      "  vitrine pipeline [OPTION…]                   print the same pipeline as a gst-launch-1.0 line\n"
                      "  vitrine profiles                             list the profiles\n"
                      "  vitrine check FILE                           check a profile\n"
                      "\n"
                      "Runs COMMAND on the display and ends with it. Without $DISPLAY, --display or --virtual it starts a private X\n"
                      "server.\n"
                      "\n"
                      "Options, each also a variable of the environment:\n");
  for (const auto& option : option_table()) {
    if (option.kind == OptionKind::secret) {
      out += "  " + std::string(option.environment) + "\n      " + _(option.help) + "\n";
      continue;
    }
    std::string left = std::string("  --") + option.name;
    if (option.kind == OptionKind::optional_text)
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

namespace {
std::string table_cell(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}
}  // namespace

std::string environment_document() {
  std::string out =
      "# Settings\n\n"
      "Printed by `vitrine environment-document` from the table in `launcher/settings.cpp`; a test compares.\n\n"
      "An option on the command line wins over the environment, which wins over the profile's group `[settings]`, which wins\n"
      "over the default. Flags are `true` or `false` in the environment. An empty variable counts as none.\n\n"
      "| option | variable | default | meaning |\n|---|---|---|---|\n";
  for (const auto& option : option_table()) {
    if (!option.environment)
      continue;
    out += option.kind == OptionKind::secret ? "| " : std::string("| `--") + option.name + "` ";
    out += std::string("| `") + option.environment + "` | " + (option.fallback ? std::string("`") + option.fallback + "`" : "") +
           " | " + table_cell(option.help) + " |\n";
  }
  return out;
}

}  // namespace vitrine
