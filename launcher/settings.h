// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings: one table of options drives the command line, the environment, --help and docs/environment.md. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vitrine {

enum class OptionKind { text, number, flag, optional_text, choice, secret };

struct OptionSpec {
  const char* name;         // "--name"
  const char* environment;  // "VITRINE_NAME"
  OptionKind kind;
  const char* argument;     // in --help, null for flags; of a choice "ONE|OTHER", all there is
  const char* fallback;     // default, null if none
  const char* help;
  long min = 0, max = 0;    // of numbers
};

/// All options, in the order of --help.
const std::vector<OptionSpec>& option_table();
const OptionSpec* find_option(const std::string& name);

/// What is wrong with a value of this option; empty if nothing. Never repeats a secret.
std::string value_problem(const OptionSpec& option, const std::string& value);

/// Values by option name, and where each came from.
class Settings {
 public:
  enum class Origin { fallback, profile, environment, command_line };  // weakest first

  /// Merges the command line over the environment over the defaults. `arguments` come without the program's name. Of two that exclude
  /// each other the one of the stronger origin stays. False, with `error` naming option or variable, on bad input.
  bool read(const std::vector<std::string>& arguments, const std::function<const char*(const char*)>& environment,
            std::string& error);
  /// Values of a profile's [settings], checked before; they win over defaults only.
  void adopt_profile(const std::map<std::string, std::string>& values);

  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name) const;
  long number(const std::string& name) const;
  bool flag(const std::string& name) const;
  Origin origin(const std::string& name) const;
  /// The first words: subcommand and its arguments, before "--".
  const std::vector<std::string>& words() const { return words_; }
  /// What comes after "--".
  const std::vector<std::string>& command() const { return command_; }

 private:
  struct Value {
    std::string text;
    Origin origin = Origin::fallback;
  };
  bool set(const OptionSpec& option, const std::string& value, Origin origin, std::string& error);
  bool read_environment(const std::function<const char*(const char*)>& environment, std::string& error);
  bool read_argument(const std::vector<std::string>& arguments, size_t& at, std::string& error);
  bool exclude(const char* one, const char* other, std::string& error);
  bool is_on(const std::string& name) const;
  std::map<std::string, Value> values_;
  std::vector<std::string> words_, command_;
};

struct Size {
  int width = 0, height = 0;
};
/// "1920x1080"; nothing if malformed or beyond 16…16384.
std::optional<Size> parse_size(const std::string& text);

std::string help_text();
/// docs/environment.md.
std::string environment_document();

}  // namespace vitrine
