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
