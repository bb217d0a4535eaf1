// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings: one table of options drives the command line, the environment, files, --help, completion and the documents. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {

enum class OptionKind { text, file, number, flag, size, optional_size, choice, secret };

struct OptionSpec {
  const char* name;         // "--name"
  const char* environment;  // "VITRINE_NAME"; null for what is no setting but a request
  OptionKind kind;
  const char* argument;     // in --help, null for flags; of a choice "ONE|OTHER", all there is
  const char* fallback;     // default, null if none
  const char* help;
  long min = 0, max = 0;             // of numbers
  const char* property = nullptr;    // of webrtcsignallerbin that takes the value
};

/// All options, in the order of --help.
const std::vector<OptionSpec>& option_table();
const OptionSpec* find_option(const std::string& name);
/// The option that names a file whose first line is this one's value; null if there is none.
const OptionSpec* file_option(const OptionSpec& option);
/// What a choice may be; empty for other kinds.
std::vector<std::string> choices_of(const OptionSpec& option);

/// Whether a running session takes another value over when it reads its settings again (SIGHUP).
bool changes_live(const OptionSpec& option);

/// What is wrong with a value of this option; empty if nothing. Never repeats a secret.
std::string value_problem(const OptionSpec& option, const std::string& value);
/// A value for people: "***" for secrets and, inside URLs, for user and password and for what comes after "?".
std::string shown_value(const OptionSpec& option, const std::string& value);

/// Where settings come from besides the command line.
struct SettingsSources {
  struct File {
    std::string text;
    bool open_to_others = false;  // more than its owner may read it
  };
  /// Null if there is no such variable.
  std::function<const char*(const char* name)> environment;
  /// Nothing, with errno's text in `error` (empty if the file does not exist), if it cannot be read.
  std::function<std::optional<File>(const std::string& path, std::string& error)> read_file;
  std::vector<std::string> config_files;  // weakest first; those that do not exist are passed over
};

/// Values by option name, and where each came from.
class Settings {
 public:
  /// Weakest first. `legacy`: variables of other systems, see settings-aliases.h.
  enum class Origin { fallback, profile, config, credential, legacy, environment, command_line };

  /// Merges command line, environment, files and defaults. `arguments` come without the program's name. Of two that exclude each other
  /// the one of the stronger origin stays. False, with `error` naming option, variable, or file, line and key, on bad input.
  bool read(const std::vector<std::string>& arguments, const SettingsSources& sources, std::string& error);
  bool read(const std::vector<std::string>& arguments, const std::function<const char*(const char*)>& environment,
            std::string& error);
  /// The same command line with what environment and files say now.
  std::optional<Settings> again(const SettingsSources& sources, std::string& error) const;
  /// Fills in values from the files that options name, of secrets and of what may hold some: the first line of each. False, with `error`, if one cannot be read.
  bool read_secrets(const SettingsSources& sources, std::string& error);
  /// Takes over what `other` has for this option, also that it has nothing.
  void take(const Settings& other, const std::string& name);
  /// Values of a profile's [settings], checked before; they win over defaults only.
  void adopt_profile(const std::map<std::string, std::string>& values);

  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name) const;
  long number(const std::string& name) const;
  bool flag(const std::string& name) const;
  Origin origin(const std::string& name) const;
  /// "--name", "VITRINE_NAME", "/etc/vitrine/vitrine.conf:3", "credential name", "profile" or "default": for people.
  std::string source(const std::string& name) const;
  /// What people should know: variables that do nothing any more, and why.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// The first words: subcommand and its arguments, before "--".
  const std::vector<std::string>& words() const { return words_; }
  /// What comes after "--", else what --command says.
  const std::vector<std::string>& command() const { return command_; }

 private:
  struct Value {
    std::string text;
    Origin origin = Origin::fallback;
    std::string source;
  };
  bool set(const OptionSpec& option, const std::string& value, Origin origin, const std::string& source, std::string& error);
  bool read_environment(const SettingsSources& sources, std::string& error);
  bool read_config(const std::string& path, bool must_exist, const SettingsSources& sources, std::string& error);
  bool read_credentials(const SettingsSources& sources, std::string& error);
  void read_legacy(const SettingsSources& sources);
  bool read_arguments(const std::vector<std::string>& arguments, std::string& error);
  bool read_argument(const std::vector<std::string>& arguments, size_t& at, std::string& error);
  bool resolve(std::string& error);
  bool exclude(const std::string& one, const std::string& other, std::string& error);
  bool is_on(const std::string& name) const;
  std::map<std::string, Value> values_;
  std::map<std::string, std::string> profile_;  // what was adopted
  std::vector<std::string> arguments_, words_, command_, warnings_;
};

struct Size {
  int width = 0, height = 0;
};
/// "1920x1080"; nothing if malformed or beyond 16…16384.
std::optional<Size> parse_size(const std::string& text);
/// Digits only, unlike strtol().
std::optional<long> parse_number(const std::string& text);
/// "tcp://10.0.0.1:80": what Kubernetes puts into NAME_PORT for a Service called NAME, which nobody meant as a setting.
bool is_service_link(const std::string& text);
/// true, yes, 1; false, no, 0.
std::optional<bool> parse_flag(const std::string& text);

}  // namespace vitrine
