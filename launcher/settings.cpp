// SPDX-License-Identifier: LGPL-2.1-or-later
// The option table, and merging.
#include "settings.h"

#include <cstdlib>

namespace vitrine {

const std::vector<OptionSpec>& option_table() {
  static const std::vector<OptionSpec> table = {
      {"virtual", "VITRINE_VIRTUAL", OptionKind::optional_text, "WIDTHxHEIGHT", nullptr,
       "start a private X server of this size (1920x1080 if none is given); done by itself when there is no $DISPLAY"},
      {"display", "VITRINE_DISPLAY", OptionKind::text, "NAME", nullptr, "stream this X display instead of $DISPLAY"},
      {"port", "VITRINE_PORT", OptionKind::number, "NUMBER", "8080", "the one port, TCP and UDP", 1, 65535},
      {"listen", "VITRINE_LISTEN", OptionKind::text, "ADDRESS", nullptr, "IP address to listen on instead of all"},
      {"user", "VITRINE_USER", OptionKind::text, "NAME", "user", "user name that goes with the password"},
      {"password-file", "VITRINE_PASSWORD_FILE", OptionKind::text, "FILE", nullptr,
       "file whose first line is the password; without any password a one-time one is made and printed"},
      {"password", "VITRINE_PASSWORD", OptionKind::secret, nullptr, nullptr,
       "the password; only from the environment, since command lines can be read by others"},
      {"accounts-file", "VITRINE_ACCOUNTS_FILE", OptionKind::text, "FILE", nullptr,
       "more accounts, a line each: name:password-or-crypt-hash:control|view"},
      {"no-auth", "VITRINE_NO_AUTH", OptionKind::flag, nullptr, nullptr, "let everybody in who reaches the port"},
      {"profile", "VITRINE_PROFILE", OptionKind::text, "NAME|FILE", "software-h264", "how to capture and encode"},
      {"framerate", "VITRINE_FRAMERATE", OptionKind::number, "FPS", "60", "pictures per second at most", 1, 240},
      {"bitrate", "VITRINE_BITRATE", OptionKind::number, "KBIT", "8000", "video bitrate in kbit/s", 100, 1000000},
      {"title", "VITRINE_TITLE", OptionKind::text, "TEXT", "Vitrine", "name of the session, shown by the page"},
      {"public-address", "VITRINE_PUBLIC_ADDRESS", OptionKind::text, "HOST[:PORT]", nullptr,
       "where browsers reach the media port, if not where they reach the page"},
      {"max-viewers", "VITRINE_MAX_VIEWERS", OptionKind::number, "NUMBER", "16", "viewers at the same time", 1, 1000},
      {"tls-cert", "VITRINE_TLS_CERT", OptionKind::text, "FILE", nullptr, "PEM certificate: https instead of http"},
      {"tls-key", "VITRINE_TLS_KEY", OptionKind::text, "FILE", nullptr, "PEM key that goes with it"},
      {"no-udp", "VITRINE_NO_UDP", OptionKind::flag, nullptr, nullptr, "media by TCP alone"},
      {"help", nullptr, OptionKind::flag, nullptr, nullptr, "show this text"},
      {"version", nullptr, OptionKind::flag, nullptr, nullptr, "show the version"},
  };
  return table;
}

const OptionSpec* find_option(const std::string& name) {
  for (const auto& option : option_table())
    if (name == option.name)
      return &option;
  return nullptr;
}

std::optional<Size> parse_size(const std::string& text) {
  char* end = nullptr;
  const long width = std::strtol(text.c_str(), &end, 10);
  if (end == text.c_str() || (*end != 'x' && *end != 'X'))
    return std::nullopt;
  const char* second = end + 1;
  const long height = std::strtol(second, &end, 10);
  if (end == second || *end || width < 16 || height < 16 || width > 16384 || height > 16384)
    return std::nullopt;
  return Size{static_cast<int>(width), static_cast<int>(height)};
}

bool Settings::set(const OptionSpec& option, const std::string& value, const std::string& origin, const std::string& shown,
                   std::string& error) {
  const auto fail = [&](const std::string& what) {
    error = shown + ": " + what;
    return false;
  };
  if (option.kind == OptionKind::number) {
    char* end = nullptr;
    const long number = std::strtol(value.c_str(), &end, 10);
    if (value.empty() || *end || number < option.min || number > option.max)
      return fail("'" + value + "' is not a number from " + std::to_string(option.min) + " to " + std::to_string(option.max));
  } else if (option.kind == OptionKind::flag) {
    if (value != "true" && value != "false" && value != "1" && value != "0" && value != "yes" && value != "no")
      return fail("'" + value + "' is neither true nor false");
  } else if (option.kind == OptionKind::optional_text) {
    const bool plain = value == "true" || value == "1" || value == "yes" || value == "false" || value == "0" || value == "no";
    if (!plain && !parse_size(value))
      return fail("'" + value + "' is not a size like 1920x1080");
  } else if (value.empty()) {
    return fail("needs a value");
  }
  values_[option.name] = {value, origin};
  return true;
}

bool Settings::read(const std::vector<std::string>& arguments,
                    const std::function<const char*(const char*)>& environment, std::string& error) {
  for (const auto& option : option_table()) {
    if (option.fallback)
      values_[option.name] = {option.fallback, "default"};
    const char* value = option.environment ? environment(option.environment) : nullptr;
    if (value && *value && !set(option, value, std::string("environment ") + option.environment, option.environment, error))
      return false;
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      command_.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      return true;
    }
    if (argument == "-h") {
      values_["help"] = {"true", "command line"};
      continue;
    }
    if (!argument.starts_with("--")) {
      if (argument.starts_with("-") && argument.size() > 1) {
        error = "unknown option " + argument;
        return false;
      }
      words_.push_back(argument);
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    const OptionSpec* option = find_option(name);
    if (!option || option->kind == OptionKind::secret) {
      error = "unknown option --" + name + (option ? " (set " + std::string(option->environment) + " or --password-file)" : "");
      return false;
    }
    std::string value;
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (option->kind == OptionKind::flag || option->kind == OptionKind::optional_text) {
      value = "true";
    } else if (++i < arguments.size()) {
      value = arguments[i];
    } else {
      error = "--" + name + ": needs a value";
      return false;
    }
    if (!set(*option, value, "command line", "--" + name, error))
      return false;
  }
  return true;
}

std::string Settings::text(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "" : found->second.text;
}

long Settings::number(const std::string& name) const { return std::strtol(text(name).c_str(), nullptr, 10); }

bool Settings::flag(const std::string& name) const {
  const std::string value = text(name);
  return !value.empty() && value != "false" && value != "0" && value != "no";
}

std::string Settings::origin(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "not set" : found->second.origin;
}

std::string help_text() {
  std::string out =
      "Usage:\n"
      "  vitrine [OPTION…] [-- COMMAND [ARGUMENT…]]   stream an X display to web browsers\n"
      "  vitrine pipeline [OPTION…]                   print the same pipeline as a gst-launch-1.0 line\n"
      "  vitrine profiles                             list the profiles\n"
      "  vitrine check FILE                           check a profile\n"
      "\n"
      "Runs COMMAND on the display and ends with it. Without $DISPLAY, --display or --virtual it starts a private X server.\n"
      "\n"
      "Options, each also a variable of the environment:\n";
  for (const auto& option : option_table()) {
    if (option.kind == OptionKind::secret) {
      out += "  " + std::string(option.environment) + "\n      " + option.help + "\n";
      continue;
    }
    std::string left = std::string("  --") + option.name;
    if (option.kind == OptionKind::optional_text)
      left += std::string("[=") + option.argument + "]";
    else if (option.argument)
      left += std::string("=") + option.argument;
    if (option.environment)
      left += std::string("  (") + option.environment + ")";
    out += left + "\n      " + option.help;
    if (option.fallback)
      out += std::string(" [") + option.fallback + "]";
    out += "\n";
  }
  out +=
      "\n"
      "Exit status: 0 ended by a signal, or that of COMMAND; 1 failure at run time; 2 wrong usage or settings; 3 no X display, or it\n"
      "is gone; 4 the port is in use; 5 a GStreamer element or encoder is missing.\n";
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
      "Made by `vitrine --help`'s own table (`launcher/settings.cpp`); a test compares. An option on the command line wins over the\n"
      "environment, which wins over the default. Flags take `true` or `false` in the environment.\n\n"
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
