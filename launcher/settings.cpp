// SPDX-License-Identifier: LGPL-2.1-or-later
// Merging: which of several values counts.
#include "settings.h"

#include <glib.h>

#include <memory>

#include "key-lines.h"
#include "settings-aliases.h"
#include "text.h"

namespace vitrine {
namespace {

struct KeyFileFree {
  void operator()(GKeyFile* file) const { g_key_file_free(file); }
};

/// The only group of a configuration file.
constexpr char kGroup[] = "settings";

std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r'))
    line.pop_back();
  return line;
}

/// Whether there is a user name, a password or a key in this URL.
bool has_secret(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme != std::string::npos && url.substr(0, url.find_first_of("/?#", scheme + 3)).find('@', scheme) != std::string::npos)
    return true;
  const size_t query = url.find('?');
  return query != std::string::npos && (url.find("key=", query) != std::string::npos || url.find("token=", query) != std::string::npos ||
                                        url.find("secret=", query) != std::string::npos || url.find("password=", query) != std::string::npos);
}

const char* variable(const SettingsSources& sources, const char* name) {
  const char* value = sources.environment && name ? sources.environment(name) : nullptr;
  return value && *value ? value : nullptr;
}

}  // namespace

bool Settings::set(const OptionSpec& option, const std::string& value, Origin origin, const std::string& source, std::string& error) {
  const std::string problem = value_problem(option, value);
  if (problem.empty())
    values_[option.name] = {value, origin, source};
  else
    error = source + ": " + problem;
  return problem.empty();
}

bool Settings::read_environment(const SettingsSources& sources, std::string& error) {
  for (const auto& option : option_table())
    if (const char* value = variable(sources, option.environment)) {
      if (option.kind == OptionKind::number && is_service_link(value))
        warnings_.push_back(std::string(option.environment) + ": " + _("was set by Kubernetes for a Service of that name; ignored"));
      else if (!set(option, value, Origin::environment, option.environment, error))
        return false;
    }
  return true;
}

bool Settings::read_config(const std::string& path, bool must_exist, const SettingsSources& sources, std::string& error) {
  std::string why;
  const auto file = sources.read_file ? sources.read_file(path, why) : std::nullopt;
  if (!file) {
    if (why.empty() && !must_exist)
      return true;
    error = path + ": " + _("cannot be read:") + " " + (why.empty() ? _("there is no such file") : why);
    return false;
  }
  const KeyLines lines(file->text);
  const auto place = [&](int line) { return path + ":" + std::to_string(line); };
  if (!lines.problem().empty()) {
    error = place(lines.problem_line()) + ": " + lines.problem();
    return false;
  }
  const std::unique_ptr<GKeyFile, KeyFileFree> keys(g_key_file_new());
  g_key_file_load_from_data(keys.get(), file->text.c_str(), file->text.size(), G_KEY_FILE_NONE, nullptr);
  char** groups = g_key_file_get_groups(keys.get(), nullptr);
  for (char** group = groups; *group && error.empty(); ++group)
    if (std::string(*group) != kGroup)
      error = place(lines.line_of(*group, "")) + ": [" + *group + "]: " + _("unknown group; known is") + " [" + kGroup + "]";
  g_strfreev(groups);
  char** names = g_key_file_get_keys(keys.get(), kGroup, nullptr, nullptr);
  for (char** name = names; name && *name && error.empty(); ++name) {
    const std::string where = place(lines.line_of(kGroup, *name)), shown = where + ": [" + kGroup + "] " + *name;
    const OptionSpec* option = find_option(*name);
    char* value = g_key_file_get_string(keys.get(), kGroup, *name, nullptr);
    if (!option || !option->environment || std::string(option->name) == "config")
      error = shown + ": " + _("unknown key; vitrine --help lists the options");
    else if (!value)
      error = shown + ": " + _("is no text in UTF-8");
    else if (option->kind == OptionKind::secret && file->open_to_others)
      error = shown + ": " + _("others may read this secret; use") + " chmod 600 " + path;
    else if (const std::string problem = value_problem(*option, value); !problem.empty())
      error = shown + ": " + problem;
    else
      values_[option->name] = {value, Origin::config, where};
    g_free(value);
  }
  g_strfreev(names);
  return error.empty();
}

/// systemd.exec(5), "Credentials": a folder with a file per secret, named as the option, or with "vitrine." before it.
bool Settings::read_credentials(const SettingsSources& sources, std::string& error) {
  const char* folder = variable(sources, "CREDENTIALS_DIRECTORY");
  for (const auto& option : option_table()) {
    if (!folder || option.kind != OptionKind::secret || !sources.read_file)
      continue;
    for (const std::string& name : {std::string(option.name), std::string("vitrine.") + option.name}) {
      std::string why;
      const auto file = sources.read_file(std::string(folder) + "/" + name, why);
      if (!file && !why.empty())
        error = std::string(_("credential")) + " " + name + ": " + _("cannot be read:") + " " + why;
      else if (file)
        set(option, first_line(file->text), Origin::credential, std::string(_("credential")) + " " + name, error);
      if (!error.empty())
        return false;
    }
  }
  return true;
}

void Settings::read_legacy(const SettingsSources& sources) {
  for (const auto& [option, value, source] : adopt_aliases([&](const char* name) { return variable(sources, name); }, warnings_)) {
    const OptionSpec& spec = *find_option(option);
    if (const std::string problem = value_problem(spec, value); problem.empty())
      values_[option] = {value, Origin::legacy, source};
    else
      warnings_.push_back(source + ": " + problem + "; " + _("ignored"));
  }
}

bool Settings::read_arguments(const std::vector<std::string>& arguments, std::string& error) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      command_.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (!read_argument(arguments, i, error))
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
    error = option ? shown + ": " + _("command lines can be read by others; use") + " " + option->environment + ", " + shown + "-file"
                   : std::string(_("unknown option")) + " " + shown;
    return false;
  }
  std::string value = "true";
  if (equals != std::string::npos) {
    value = argument.substr(equals + 1);
  } else if (option->kind != OptionKind::flag && option->kind != OptionKind::optional_size) {
    if (++at == arguments.size()) {
      error = shown + ": " + _("needs a value");
      return false;
    }
    value = arguments[at];
  }
  if (file_option(*option) && has_secret(value)) {
    error = shown + ": " + _("command lines can be read by others; use") + " " + option->environment + ", " + shown + "-file";
    return false;
  }
  return set(*option, value, Origin::command_line, shown, error);
}

bool Settings::exclude(const std::string& one, const std::string& other, std::string& error) {
  if (!is_on(one) || !is_on(other))
    return true;
  const Origin first = origin(one), second = origin(other);
  // Other systems did not complain; the one that they heeded comes first.
  if (first == second && first != Origin::legacy) {
    error = source(one) + ": " + _("cannot go together with") + " " + source(other);
    return false;
  }
  values_.erase(first < second ? one : other);
  return true;
}

bool Settings::read(const std::vector<std::string>& arguments, const SettingsSources& sources, std::string& error) {
  arguments_ = arguments;
  // The command line comes first since it names a file, and last since it wins.
  if (!read_arguments(arguments, error))
    return false;
  const auto strongest = values_;
  for (const auto& option : option_table())
    if (option.fallback)
      values_[option.name] = {option.fallback, Origin::fallback, "default"};
  for (const auto& path : sources.config_files)
    if (!read_config(path, false, sources, error))
      return false;
  const char* named = variable(sources, "VITRINE_CONFIG");
  const std::string config = strongest.contains("config") ? strongest.at("config").text : named ? named : "";
  if ((!config.empty() && !read_config(config, true, sources, error)) || !read_credentials(sources, error))
    return false;
  read_legacy(sources);
  if (!read_environment(sources, error))
    return false;
  for (const auto& [name, value] : strongest)
    values_[name] = value;
  return resolve(error);
}

bool Settings::read(const std::vector<std::string>& arguments, const std::function<const char*(const char*)>& environment,
                    std::string& error) {
  return read(arguments, SettingsSources{environment, {}, {}}, error);
}

std::optional<Settings> Settings::again(const SettingsSources& sources, std::string& error) const {
  Settings fresh;
  if (!fresh.read(arguments_, sources, error) || !fresh.read_secrets(sources, error))
    return std::nullopt;
  fresh.adopt_profile(profile_);
  return fresh;
}

/// What belongs together, and what does not.
bool Settings::resolve(std::string& error) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"virtual", "display"}, {"no-auth", "password-file"}, {"no-auth", "password"}, {"no-auth", "accounts-file"}};
  for (const auto& option : option_table())
    if (const OptionSpec* file = file_option(option))
      pairs.emplace_back(file->name, option.name);
  for (const auto& [one, other] : pairs)
    if (!exclude(one, other, error))
      return false;
  if (has("tls-cert") != has("tls-key")) {
    error = std::string(has("tls-cert") ? "--tls-key" : "--tls-cert") + ": " + _("is needed too for TLS");
    return false;
  }
  if (command_.empty() && has("command"))
    command_ = {"/bin/sh", "-c", text("command")};
  return true;
}

bool Settings::read_secrets(const SettingsSources& sources, std::string& error) {
  for (const auto& option : option_table()) {
    const OptionSpec* named = file_option(option);
    if (!named || !has(named->name))
      continue;
    const Value given = values_[named->name];
    std::string why;
    const auto file = sources.read_file(given.text, why);
    const std::string line = file ? first_line(file->text) : "";
    if (line.empty()) {
      error = given.source + ": " + given.text + ": " + _("cannot be read, or its first line is empty");
      return false;
    }
    values_[option.name] = {line, given.origin, given.source};
  }
  return true;
}

void Settings::take(const Settings& other, const std::string& name) {
  if (const auto found = other.values_.find(name); found != other.values_.end())
    values_[name] = found->second;
  else
    values_.erase(name);
}

void Settings::adopt_profile(const std::map<std::string, std::string>& values) {
  profile_ = values;
  for (const auto& [name, value] : values)
    if (origin(name) <= Origin::profile)
      values_[name] = {value, Origin::profile, "profile"};
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
  return kind == OptionKind::flag || kind == OptionKind::optional_size ? flag(name) : has(name);
}

Settings::Origin Settings::origin(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? Origin::fallback : found->second.origin;
}

std::string Settings::source(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "default" : found->second.source;
}

}  // namespace vitrine
