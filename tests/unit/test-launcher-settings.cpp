// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings: which origin wins, what is refused, and that no secret is repeated.
#include <glib.h>
#include <gtest/gtest.h>

#include <map>

#include "settings-text.h"
#include "settings.h"

using namespace vitrine;

namespace {

struct Outcome {
  bool good;
  Settings settings;
  std::string error;
};

Outcome read(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {}) {
  Outcome outcome{};
  const auto lookup = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  };
  outcome.good = outcome.settings.read(arguments, lookup, outcome.error);
  return outcome;
}

}  // namespace

TEST(Settings, DefaultsStandWhenNothingIsGiven) {
  const auto outcome = read({});
  ASSERT_TRUE(outcome.good) << outcome.error;
  EXPECT_EQ(outcome.settings.number("port"), 8080);
  EXPECT_EQ(outcome.settings.number("framerate"), 60);
  EXPECT_EQ(outcome.settings.text("user"), "user");
  EXPECT_FALSE(outcome.settings.has("password"));
  EXPECT_FALSE(outcome.settings.flag("virtual"));
}

TEST(Settings, OptionBeatsEnvironmentBeatsProfileBeatsDefault) {
  const std::map<std::string, std::string> profile = {{"framerate", "24"}, {"bitrate", "2000"}};
  auto by_default = read({});
  by_default.settings.adopt_profile(profile);
  EXPECT_EQ(by_default.settings.number("framerate"), 24);
  EXPECT_EQ(by_default.settings.number("bitrate"), 2000);

  auto by_environment = read({}, {{"VITRINE_FRAMERATE", "25"}});
  by_environment.settings.adopt_profile(profile);
  EXPECT_EQ(by_environment.settings.number("framerate"), 25);
  EXPECT_EQ(by_environment.settings.number("bitrate"), 2000);

  auto by_option = read({"--framerate=30", "--bitrate", "3000"}, {{"VITRINE_FRAMERATE", "25"}});
  by_option.settings.adopt_profile(profile);
  EXPECT_EQ(by_option.settings.number("framerate"), 30);
  EXPECT_EQ(by_option.settings.number("bitrate"), 3000);
}

TEST(Settings, EveryOptionHasItsVariable) {
  for (const auto& option : option_table()) {
    if (!option.environment)
      continue;
    std::string expected = "VITRINE_";
    for (const char* c = option.name; *c; ++c)
      expected += *c == '-' ? '_' : static_cast<char>(g_ascii_toupper(*c));
    EXPECT_EQ(option.environment, expected);
  }
}

TEST(Settings, CommandFollowsTwoDashesAndKeepsItsOwnOptions) {
  const auto outcome = read({"--port=9000", "--", "xterm", "--port=1", "--"});
  ASSERT_TRUE(outcome.good);
  EXPECT_EQ(outcome.settings.command(), (std::vector<std::string>{"xterm", "--port=1", "--"}));
  EXPECT_EQ(outcome.settings.number("port"), 9000);
}

TEST(Settings, VirtualTakesASizeOnlyAfterAnEqualsSign) {
  const auto plain = read({"--virtual", "pipeline"});
  ASSERT_TRUE(plain.good);
  EXPECT_TRUE(plain.settings.flag("virtual"));
  EXPECT_EQ(plain.settings.words(), std::vector<std::string>{"pipeline"});
  const auto sized = read({"--virtual=800x600"});
  ASSERT_TRUE(sized.good);
  const auto size = parse_size(sized.settings.text("virtual"));
  ASSERT_TRUE(size);
  EXPECT_EQ(size->width, 800);
  EXPECT_EQ(size->height, 600);
}

TEST(Settings, OddSizesAreRefused) {
  for (const char* text : {"", "x", "800", "800x", "x600", "800x600x24", "-800x600", "8x600", "800x99999", "800 x600", "0x0", "+800x600"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Settings, BadInputNamesItsOptionOrVariable) {
  const std::vector<std::pair<Outcome, std::string>> cases = {
      {read({"--prot=1"}), "unknown option --prot"},
      {read({"-x"}), "unknown option -x"},
      {read({"--port=0"}), "--port: '0' is not a number from 1 to 65535"},
      {read({"--port=80 "}), "--port: '80 ' is not a number from 1 to 65535"},
      {read({"--port=99999999999999999999"}), "--port: '99999999999999999999' is not a number from 1 to 65535"},
      {read({}, {{"VITRINE_PORT", "http"}}), "VITRINE_PORT: 'http' is not a number from 1 to 65535"},
      {read({"--port"}), "--port: needs a value"},
      {read({"--user="}), "--user: needs a value"},
      {read({}, {{"VITRINE_NO_AUTH", "maybe"}}), "VITRINE_NO_AUTH: 'maybe' is neither true nor false"},
      {read({"--virtual=big"}), "--virtual: 'big' is not a size like 1920x1080"},
      {read({"--virtual", "--display=:0"}), "--virtual: cannot go together with --display"},
      {read({"--no-auth", "--accounts-file=a"}), "--no-auth: cannot go together with --accounts-file"},
      {read({"--tls-cert=a"}), "--tls-key: is needed too for TLS"},
      {read({"--tls-key=a"}), "--tls-cert: is needed too for TLS"},
  };
  for (const auto& [outcome, error] : cases) {
    EXPECT_FALSE(outcome.good) << error;
    EXPECT_EQ(outcome.error, error);
  }
}

TEST(Settings, OfTwoThatExcludeEachOtherTheStrongerOriginStays) {
  const auto display = read({"--display=:5"}, {{"VITRINE_VIRTUAL", "true"}});
  ASSERT_TRUE(display.good) << display.error;
  EXPECT_FALSE(display.settings.flag("virtual"));
  EXPECT_EQ(display.settings.text("display"), ":5");

  const auto file = read({"--password-file=/f"}, {{"VITRINE_NO_AUTH", "true"}});
  ASSERT_TRUE(file.good) << file.error;
  EXPECT_FALSE(file.settings.flag("no-auth"));

  const auto open = read({"--no-auth"}, {{"VITRINE_PASSWORD", "word"}});
  ASSERT_TRUE(open.good) << open.error;
  EXPECT_TRUE(open.settings.flag("no-auth"));
  EXPECT_FALSE(open.settings.has("password"));
}

TEST(Settings, ThePasswordIsTakenFromTheEnvironmentAndNeverShown) {
  const auto taken = read({}, {{"VITRINE_PASSWORD", "sesame"}});
  ASSERT_TRUE(taken.good);
  EXPECT_EQ(taken.settings.text("password"), "sesame");
  const auto refused = read({"--password=sesame"});
  EXPECT_FALSE(refused.good);
  EXPECT_EQ(refused.error.find("sesame"), std::string::npos) << refused.error;
  const auto both = read({}, {{"VITRINE_PASSWORD", "sesame"}, {"VITRINE_NO_AUTH", "true"}});
  EXPECT_FALSE(both.good);
  EXPECT_EQ(both.error.find("sesame"), std::string::npos) << both.error;
}

TEST(Settings, HelpAndDocumentNameEveryOption) {
  const std::string help = help_text(), document = environment_document();
  for (const auto& option : option_table()) {
    if (option.environment) {
      EXPECT_NE(help.find(option.environment), std::string::npos) << option.name;
      EXPECT_NE(document.find(std::string("`") + option.environment + "`"), std::string::npos) << option.name;
    }
    if (option.kind != OptionKind::secret) {
      EXPECT_NE(help.find(std::string("--") + option.name), std::string::npos) << option.name;
    }
  }
}

namespace {

/// Files by path; those in `open` may be read by everybody.
SettingsSources with_files(const std::map<std::string, std::string>& files, const std::map<std::string, std::string>& environment = {},
                           bool open = false) {
  SettingsSources sources;
  sources.environment = [environment](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  };
  sources.read_file = [files, open](const std::string& path, std::string& error) -> std::optional<SettingsSources::File> {
    error = path == "/denied" ? "Permission denied" : "";
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(SettingsSources::File{found->second, open});
  };
  sources.config_files = {"/etc/vitrine.conf", "/home/vitrine.conf"};
  return sources;
}

}  // namespace

TEST(SettingsFiles, NamedBeatsUsersBeatsSystems) {
  const std::map<std::string, std::string> files = {{"/etc/vitrine.conf", "[settings]\nport=1\nframerate=1\nbitrate=101\ntitle=etc\n"},
                                                    {"/home/vitrine.conf", "# mine\n[settings]\nframerate=2\nbitrate=102\n"},
                                                    {"/named", "[settings]\nbitrate=103\n"}};
  Settings settings;
  std::string error;
  ASSERT_TRUE(settings.read({"--config=/named"}, with_files(files, {{"VITRINE_PORT", "5"}}), error)) << error;
  settings.adopt_profile({{"framerate", "9"}, {"bitrate", "900"}});
  EXPECT_EQ(settings.number("port"), 5);
  EXPECT_EQ(settings.number("framerate"), 2);
  EXPECT_EQ(settings.number("bitrate"), 103);
  EXPECT_EQ(settings.text("title"), "etc");
  EXPECT_EQ(settings.source("bitrate"), "/named:2");
  EXPECT_EQ(settings.source("framerate"), "/home/vitrine.conf:3");
  EXPECT_EQ(settings.source("port"), "VITRINE_PORT");
  EXPECT_EQ(settings.source("user"), "default");
}

TEST(SettingsFiles, MistakesAreToldWithTheirPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"[settings]\n\nprot=1\n", "/etc/vitrine.conf:3: [settings] prot: unknown key; vitrine --help lists the options"},
      {"[settings]\nport=0\n", "/etc/vitrine.conf:2: [settings] port: '0' is not a number from 1 to 65535"},
      {"[settings]\nhelp=true\n", "/etc/vitrine.conf:2: [settings] help: unknown key; vitrine --help lists the options"},
      {"[settings]\nconfig=/x\n", "/etc/vitrine.conf:2: [settings] config: unknown key; vitrine --help lists the options"},
      {"[setings]\nport=1\n", "/etc/vitrine.conf:1: [setings]: unknown group; known is [settings]"},
      {"port=1\n", "/etc/vitrine.conf:1: 'port=1' stands before the first [group]"},
      {"[settings]\nport=1\nport=2\n", "/etc/vitrine.conf:3: [settings] port: given before, in line 2"},
      {"[settings]\ntitle=\xff\n", "/etc/vitrine.conf:2: [settings] title: is no text in UTF-8"},
  };
  for (const auto& [text, expected] : cases) {
    Settings settings;
    std::string error;
    EXPECT_FALSE(settings.read({}, with_files({{"/etc/vitrine.conf", text}}), error)) << text;
    EXPECT_EQ(error, expected);
  }
  for (const auto& [path, expected] : {std::pair("/missing", "/missing: cannot be read: there is no such file"),
                                       std::pair("/denied", "/denied: cannot be read: Permission denied")}) {
    Settings settings;
    std::string error;
    EXPECT_FALSE(settings.read({"--config", path}, with_files({}), error));
    EXPECT_EQ(error, expected);
  }
}

TEST(SettingsFiles, SecretsInFilesThatOthersMayReadAreRefused) {
  const std::map<std::string, std::string> files = {{"/etc/vitrine.conf", "[settings]\npassword=sesame\n"}};
  Settings kept, refused;
  std::string error;
  EXPECT_TRUE(kept.read({}, with_files(files), error)) << error;
  EXPECT_EQ(kept.text("password"), "sesame");
  EXPECT_FALSE(refused.read({}, with_files(files, {}, true), error));
  EXPECT_EQ(error, "/etc/vitrine.conf:2: [settings] password: others may read this secret; use chmod 600 /etc/vitrine.conf");
}

TEST(SettingsFiles, SecretsComeFromFilesAndCredentials) {
  const std::map<std::string, std::string> files = {{"/pw", "from-file\r\nsecond\n"}, {"/empty", "\n"},
                                                    {"/run/cred/password", "from-credential\n"}, {"/run/cred/vitrine.turn-password", "t"}};
  const auto get = [&](const std::map<std::string, std::string>& environment, const char* name, std::string& error) {
    Settings settings;
    const auto sources = with_files(files, environment);
    return settings.read({}, sources, error) && settings.read_secrets(sources, error) ? settings.text(name) + " < " + settings.source(name)
                                                                                      : "error";
  };
  std::string error;
  EXPECT_EQ(get({{"VITRINE_PASSWORD_FILE", "/pw"}}, "password", error), "from-file < VITRINE_PASSWORD_FILE");
  EXPECT_EQ(get({{"CREDENTIALS_DIRECTORY", "/run/cred"}}, "password", error), "from-credential < credential password");
  EXPECT_EQ(get({{"CREDENTIALS_DIRECTORY", "/run/cred"}}, "turn-password", error), "t < credential vitrine.turn-password");
  EXPECT_EQ(get({{"CREDENTIALS_DIRECTORY", "/run/cred"}, {"VITRINE_PASSWORD", "x"}}, "password", error), "x < VITRINE_PASSWORD");
  EXPECT_EQ(get({{"CREDENTIALS_DIRECTORY", "/run/cred"}, {"VITRINE_PASSWORD_FILE", "/pw"}}, "password", error),
            "from-file < VITRINE_PASSWORD_FILE");
  EXPECT_EQ(get({{"VITRINE_PASSWORD_FILE", "/empty"}}, "password", error), "error");
  EXPECT_EQ(error, "VITRINE_PASSWORD_FILE: /empty: cannot be read, or its first line is empty");
  error.clear();
  EXPECT_EQ(get({{"VITRINE_PASSWORD_FILE", "/pw"}, {"VITRINE_PASSWORD", "x"}}, "password", error), "error");
  for (const auto& option : option_table())
    if (option.kind == OptionKind::secret) {
      EXPECT_NE(find_option(std::string(option.name) + "-file"), nullptr) << option.name;
    }
}

TEST(SettingsFiles, AnAddressWithAPasswordIsRefusedOnTheCommandLineAndTakenFromAFile) {
  const auto refused = read({"--turn-rest-uri=https://joe:sesame@rest.example/"});
  EXPECT_EQ(refused.error, "--turn-rest-uri: command lines can be read by others; use VITRINE_TURN_REST_URI, --turn-rest-uri-file");
  EXPECT_FALSE(read({"--turn-rest-uri=https://rest.example/?service=turn&api_key=sesame"}).good);
  for (const char* open : {"https://rest.example/a@b?c=@", "rest.example", "https://rest.example?x=a@b"})
    EXPECT_TRUE(read({"--turn-rest-uri", open}).good) << open;
  EXPECT_TRUE(read({"--command=curl https://joe:sesame@host/"}).good) << "that is no setting of ours";

  Settings settings;
  std::string error;
  const auto sources = with_files({{"/uri", "https://joe:sesame@rest.example/\n"}}, {});
  ASSERT_TRUE(settings.read({"--turn-rest-uri-file=/uri"}, sources, error) && settings.read_secrets(sources, error)) << error;
  EXPECT_EQ(settings.text("turn-rest-uri"), "https://joe:sesame@rest.example/");
  EXPECT_EQ(config_text(settings).find("sesame"), std::string::npos);
  EXPECT_EQ(read({"--turn-rest-uri=https://a/", "--turn-rest-uri-file=/uri"}).error, "--turn-rest-uri-file: cannot go together with --turn-rest-uri");
}

TEST(SettingsText, WhatIsShownOfAnAddressHasNoCredentials) {
  const OptionSpec& option = *find_option("turn-rest-uri");
  for (const auto& [value, shown] : std::map<std::string, std::string>{
           {"https://joe:sesame@rest.example/x?key=sesame#top", "https://***@rest.example/x?***#top"},
           {"https://rest.example?key=a@b", "https://rest.example?***"},
           {"https://joe@rest.example/a@b", "https://***@rest.example/a@b"},
           {"https://rest.example/a@b", "https://rest.example/a@b"},
           {"turn:a:1?transport=udp", "turn:a:1?transport=udp"}})
    EXPECT_EQ(shown_value(option, value), shown);
}

TEST(SettingsText, PrintConfigShowsOriginsAndNoSecret) {
  const std::map<std::string, std::string> environment = {
      {"VITRINE_PASSWORD", "sesame"}, {"VITRINE_TURN_REST_URI", "https://joe:sesame@rest.example/x?y=sesame"}, {"SELKIES_PORT", "81"}};
  const auto outcome = read({"--framerate=30"}, environment);
  ASSERT_TRUE(outcome.good) << outcome.error;
  const std::string text = config_text(outcome.settings);
  EXPECT_EQ(text.find("sesame"), std::string::npos) << text;
  EXPECT_NE(text.find("https://***@rest.example/x?***"), std::string::npos) << text;
  for (const char* expected : {"--framerate\n", "SELKIES_PORT\n", "VITRINE_PASSWORD\n", "  default\n"})
    EXPECT_NE(text.find(expected), std::string::npos) << expected;
}

TEST(Settings, TheSameCommandLineIsReadAgain) {
  Settings settings;
  std::string error;
  ASSERT_TRUE(settings.read({"--port=81", "--", "xterm"}, with_files({{"/etc/vitrine.conf", "[settings]\nbitrate=200\n"}}), error)) << error;
  settings.adopt_profile({{"framerate", "24"}});
  const auto fresh = settings.again(with_files({{"/etc/vitrine.conf", "[settings]\nbitrate=300\nport=1\n"}}), error);
  ASSERT_TRUE(fresh) << error;
  EXPECT_EQ(fresh->number("bitrate"), 300);
  EXPECT_EQ(fresh->number("port"), 81);
  EXPECT_EQ(fresh->number("framerate"), 24);
  EXPECT_EQ(fresh->command(), std::vector<std::string>{"xterm"});
  EXPECT_FALSE(settings.again(with_files({{"/etc/vitrine.conf", "[settings]\nbitrate=x\n"}}), error));
}

TEST(Settings, WhatChangesLiveIsTakenOverAlone) {
  Settings now, fresh;
  std::string error;
  ASSERT_TRUE(now.read({}, with_files({{"/etc/vitrine.conf", "[settings]\nbitrate=200\nport=81\ntitle=one\n"}}), error)) << error;
  ASSERT_TRUE(fresh.read({}, with_files({{"/etc/vitrine.conf", "[settings]\nbitrate=300\nport=82\n"}}), error)) << error;
  for (const auto& option : option_table())
    if (changes_live(option))
      now.take(fresh, option.name);
  EXPECT_EQ(now.number("bitrate"), 300);
  EXPECT_EQ(now.number("port"), 81);
  EXPECT_EQ(now.text("title"), "Vitrine") << "what is no more has its default";
  EXPECT_EQ(now.source("title"), "default");
}

TEST(Settings, EverySecretChangesLiveWithItsFileOrNotAtAll) {
  for (const auto& option : option_table())
    if (option.kind == OptionKind::secret) {
      EXPECT_EQ(changes_live(option), changes_live(*find_option(std::string(option.name) + "-file"))) << option.name;
    }
  // Of the TURN settings all but the one that running connections go on with.
  for (const auto& option : option_table())
    if (std::string(option.name).starts_with("turn-")) {
      EXPECT_EQ(changes_live(option), std::string(option.name) != "turn-ca-file") << option.name;
    }
}

TEST(SettingsText, ManualAndCompletionNameEveryOption) {
  const std::string manual = man_page(), bash = completion_script("bash"), zsh = completion_script("zsh");
  EXPECT_EQ(completion_script("fish"), "");
  for (const auto& option : option_table()) {
    std::string escaped;
    for (const char* c = option.name; *c; ++c)
      escaped += *c == '-' ? std::string("\\-") : std::string(1, *c);
    const bool secret = option.kind == OptionKind::secret;
    EXPECT_NE(manual.find(secret ? std::string(option.environment) : "\\-\\-" + escaped), std::string::npos) << option.name;
    EXPECT_EQ(bash.find(std::string("--") + option.name + (option.kind == OptionKind::flag || option.kind == OptionKind::optional_size ? "" : "=")) == std::string::npos, secret) << option.name;
    EXPECT_EQ(zsh.find(std::string("'--") + option.name + (option.kind == OptionKind::flag ? "[" : "=")) == std::string::npos, secret) << option.name;
  }
}
