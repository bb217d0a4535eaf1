// SPDX-License-Identifier: LGPL-2.1-or-later
// Variables of other systems: each does what it did there, or says why not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "settings-aliases.h"
#include "settings-text.h"
#include "settings.h"

using namespace vitrine;

namespace {

using Variables = std::map<std::string, std::string>;

Settings read(const Variables& variables, const std::vector<std::string>& arguments = {}) {
  Settings settings;
  std::string error;
  const auto lookup = [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  EXPECT_TRUE(settings.read(arguments, lookup, error)) << error;
  return settings;
}

std::string warning_of(const Settings& settings) {
  std::string all;
  for (const auto& warning : settings.warnings())
    all += warning + "\n";
  return all;
}

/// A value that the rule accepts, and what the option becomes.
std::pair<std::string, std::string> sample(const AliasSpec& alias) {
  const OptionSpec& option = *find_option(alias.option);
  switch (alias.rule) {
    case AliasRule::flag:
      return {"True", "true"};
    case AliasRule::inverse:
      return {"false", "true"};
    case AliasRule::number: {
      const std::string number = std::to_string((option.min + option.max) / 2);
      return {number, number};
    }
    case AliasRule::address:
      return {"localhost", "127.0.0.1"};
    case AliasRule::words: {
      const std::string note = alias.note;
      const size_t equals = note.find('=');
      return {note.substr(0, equals), note.substr(equals + 1, note.find('|') - equals - 1)};
    }
    case AliasRule::encoder:
      return {"vp8enc", "software-vp8"};
    default:
      if (option.kind == OptionKind::size)
        return {"800x600", "800x600"};
      return {"/some/thing", "/some/thing"};
  }
}

}  // namespace

TEST(Aliases, EachIsListedOnceAndNamesAnOptionOrAReason) {
  std::set<std::string> names;
  for (const auto& alias : alias_table()) {
    EXPECT_TRUE(names.insert(alias.name).second) << alias.name << " is there twice";
    const bool silent = alias.rule == AliasRule::gone || alias.rule == AliasRule::kept;
    EXPECT_EQ(alias.option == nullptr, silent) << alias.name;
    EXPECT_TRUE(alias.option ? find_option(alias.option) != nullptr : alias.note != nullptr) << alias.name;
    EXPECT_FALSE(std::string(alias.name).starts_with("VITRINE_"));
  }
  EXPECT_GT(names.size(), 300U);
}

TEST(Aliases, EachSetsItsOptionAndSaysWhereItCameFrom) {
  for (const auto& alias : alias_table()) {
    if (!alias.option || alias.rule == AliasRule::part)
      continue;
    const auto [given, expected] = sample(alias);
    const Settings settings = read({{alias.name, given}});
    EXPECT_EQ(settings.text(alias.option), expected) << alias.name;
    EXPECT_EQ(settings.source(alias.option), alias.name);
    EXPECT_EQ(warning_of(settings), "") << alias.name;
  }
}

TEST(Aliases, EachThatDoesNothingSaysWhyUnlessItChangesNothing) {
  for (const auto& alias : alias_table()) {
    if (alias.rule == AliasRule::kept) {
      EXPECT_EQ(warning_of(read({{alias.name, "something"}})), "") << alias.name;
    }
    if (alias.rule != AliasRule::gone)
      continue;
    const std::string warning = warning_of(read({{alias.name, "something"}}));
    EXPECT_TRUE(warning.starts_with(std::string(alias.name) + ": does nothing here: " + alias.note)) << warning;
    EXPECT_EQ(warning.find("something"), std::string::npos) << "values may be secrets: " << warning;
    for (std::string rest = alias.harmless ? alias.harmless : ""; !rest.empty();) {
      const size_t bar = rest.find('|');
      EXPECT_EQ(warning_of(read({{alias.name, rest.substr(0, bar)}})), "") << alias.name;
      rest = bar == std::string::npos ? "" : rest.substr(bar + 1);
    }
  }
}

TEST(Aliases, WhatAScriptIsSaidToReadItReads) {
  const char* root = std::getenv("VITRINE_SOURCE_ROOT");
  ASSERT_TRUE(root);
  std::string scripts;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(root) + "/containers")) {
    std::ifstream file(entry.path());
    if (entry.is_regular_file())
      scripts.append(std::istreambuf_iterator<char>(file), {});
  }
  const std::set<std::string> readers = {"an image's start script, not Vitrine itself", "the services' image, docs/containers.md", "the image desktop-glx",
                                         "the image chromium", "a TURN server of its own, if there is one", "read by a TURN server of its own, if there is one"};
  int checked = 0;
  for (const auto& alias : alias_table())
    if (alias.note && readers.contains(alias.note)) {
      // As a shell or Python reads it.
      const std::string name = alias.name;
      bool read = false;
      for (const std::string& way : {"${" + name, "$" + name + "\"", "(\"" + name + "\"", "is_on " + name})
        read = read || scripts.find(way) != std::string::npos;
      EXPECT_TRUE(read) << name;
      ++checked;
    }
  EXPECT_GT(checked, 25);
}

TEST(Aliases, AKubernetesServiceSetsNoPort) {
  const Settings settings = read({{"VITRINE_PORT", "tcp://10.0.0.1:80"}, {"SELKIES_PORT", "tcp://10.0.0.2:80"}, {"LISTEN_PORT", "8081"}});
  EXPECT_EQ(settings.number("port"), 8081);
  EXPECT_NE(warning_of(settings).find("VITRINE_PORT: was set by Kubernetes"), std::string::npos) << warning_of(settings);
  EXPECT_NE(warning_of(settings).find("SELKIES_PORT: was set by Kubernetes"), std::string::npos) << warning_of(settings);
}

TEST(Aliases, NothingThatTheyHoldStopsASession) {
  for (const auto& alias : alias_table())
    for (const char* value : {"", " ", "-1", "nonsense", "999999999999", "true|locked", "\xff\xfe", "8-240", "a,b,c"})
      read({{alias.name, value}});
  EXPECT_NE(warning_of(read({{"SELKIES_FRAMERATE", "1000"}})).find("SELKIES_FRAMERATE: '1000' is not a number from 1 to 240; ignored"),
            std::string::npos);
  EXPECT_EQ(read({{"SELKIES_FRAMERATE", "1000"}}).number("framerate"), 60);
}

TEST(Aliases, OurOwnVariablesWin) {
  const Settings settings = read({{"SELKIES_FRAMERATE", "30"}, {"VITRINE_FRAMERATE", "25"}, {"SELKIES_PORT", "81"}}, {"--port=82"});
  EXPECT_EQ(settings.number("framerate"), 25);
  EXPECT_EQ(settings.number("port"), 82);
}

TEST(Aliases, FilesGoThroughOneFolderWhereTheyAreAskedFor) {
  EXPECT_FALSE(read({{"HOME", "/home/me"}}).has("upload-folder"));
  const Settings both = read({{"FILE_MANAGER_PATH", "~/Files"}, {"HOME", "/home/me"}});
  EXPECT_EQ(both.text("upload-folder"), "/home/me/Files");
  EXPECT_EQ(both.text("download-folder"), "/home/me/Files");
  EXPECT_EQ(both.source("upload-folder"), "FILE_MANAGER_PATH");
  const Settings one = read({{"SELKIES_FILE_TRANSFERS", "upload"}, {"HOME", "/home/me"}});
  EXPECT_EQ(one.text("upload-folder"), "/home/me/Desktop");
  EXPECT_FALSE(one.has("download-folder"));
  for (const char* none : {"none", "None"}) {
    const Settings settings = read({{"SELKIES_FILE_TRANSFERS", none}, {"SELKIES_FILE_MANAGER_PATH", "/files"}});
    EXPECT_FALSE(settings.has("upload-folder") || settings.has("download-folder")) << none;
  }
  const Settings own = read({{"SELKIES_FILE_TRANSFERS", "upload,download"}, {"SELKIES_FILE_MANAGER_PATH", "/files"}, {"VITRINE_DOWNLOAD_FOLDER", "/ours"}});
  EXPECT_EQ(own.text("upload-folder"), "/files");
  EXPECT_EQ(own.text("download-folder"), "/ours");
  EXPECT_NE(warning_of(read({{"FILE_MANAGER_PATH", "here"}})).find("FILE_MANAGER_PATH: is no absolute path; ignored"), std::string::npos);
}

TEST(Aliases, ValuesAreReadAsTheyWereWritten) {
  EXPECT_EQ(read({{"SELKIES_FRAMERATE", "50,8-240"}}).number("framerate"), 50);
  EXPECT_EQ(read({{"SELKIES_FRAMERATE", "50-50"}}).number("framerate"), 50);
  EXPECT_EQ(read({{"SELKIES_FRAMERATE", "8-240"}}).number("framerate"), 60);
  EXPECT_TRUE(read({{"SELKIES_AUDIO_ENABLED", "false|locked"}}).flag("no-audio"));
  EXPECT_EQ(read({{"SELKIES_ENCODER", "h264enc,jpeg"}}).text("profile"), "auto") << "there it is NVENC, VA-API or x264, whichever works";
}

TEST(Aliases, EncodersBecomeProfiles) {
  for (const auto& [encoder, profile] : std::map<std::string, std::string>{
           {"x264enc", "software-h264"}, {"vp9enc", "software-vp9"}, {"nvh264enc", "auto"}, {"vah264enc", "auto"}, {"svtav1enc", "software-av1"},
           {"qsvh264enc", "auto"}, {"h264enc", "auto"}, {"h264enc-striped", "software-h264"}}) {
    EXPECT_EQ(read({{"WEBRTC_ENCODER", encoder}}).text("profile"), profile) << encoder;
    EXPECT_EQ(warning_of(read({{"WEBRTC_ENCODER", encoder}})), "") << encoder;
  }
  for (const char* encoder : {"nvh265enc", "nvav1enc", "vavp9enc", "qsvh265enc"}) {
    EXPECT_EQ(read({{"WEBRTC_ENCODER", encoder}}).text("profile"), "auto");
    EXPECT_TRUE(warning_of(read({{"WEBRTC_ENCODER", encoder}})).starts_with("WEBRTC_ENCODER: '" + std::string(encoder) + "': the GPU is used, but "));
  }
  EXPECT_EQ(read({{"WEBRTC_ENCODER", "openh264enc"}}).text("profile"), "software-h264");
  EXPECT_NE(warning_of(read({{"WEBRTC_ENCODER", "openh264enc"}})).find("takes x264enc where it is installed"), std::string::npos);
  EXPECT_NE(warning_of(read({{"SELKIES_ENCODER", "jpeg"}})).find("no profile has the encoder 'jpeg'"), std::string::npos);
}

TEST(Aliases, WhatStoodInFrontGivesThePort) {
  EXPECT_EQ(read({{"NGINX_PORT", "8082"}, {"SELKIES_PORT", "8083"}}).number("port"), 8082);
  EXPECT_EQ(read({{"SELKIES_PORT", "8083"}}).number("port"), 8083);
}

TEST(Aliases, WidthAndHeightMakeASize) {
  EXPECT_EQ(read({{"DISPLAY_SIZEW", "1280"}, {"DISPLAY_SIZEH", "720"}}).text("size"), "1280x720");
  EXPECT_EQ(read({{"SIZEW", "1280"}, {"SIZEH", "720"}}).text("size"), "1280x720");
  EXPECT_EQ(read({{"DISPLAY_WIDTH", "2560"}}).text("size"), "2560x1080");
  EXPECT_EQ(read({{"SELKIES_MANUAL_WIDTH", "0"}, {"SELKIES_MANUAL_HEIGHT", "0"}}).text("size"), "1920x1080");
  EXPECT_EQ(read({{"RESOLUTION", "800x600"}}).text("size"), "800x600");
}

TEST(Aliases, PasswordsFallBackAsTheyDid) {
  EXPECT_EQ(read({{"PASSWD", "one"}, {"SELKIES_BASIC_AUTH_PASSWORD", "two"}}).text("password"), "two");
  EXPECT_EQ(read({{"PASSWD", "one"}, {"BASIC_AUTH_PASSWORD", "two"}}).text("password"), "two");
  EXPECT_EQ(read({{"PASSWD", "one"}}).text("password"), "one");
  const Settings open = read({{"SELKIES_ENABLE_BASIC_AUTH", "false"}, {"PASSWD", "one"}});
  EXPECT_TRUE(open.flag("no-auth"));
  EXPECT_FALSE(open.has("password"));
  EXPECT_FALSE(read({{"SELKIES_ENABLE_BASIC_AUTH", "true"}, {"PASSWD", "one"}}).flag("no-auth"));
  for (const auto& alias : alias_table())
    if (alias.option && find_option(alias.option)->kind == OptionKind::secret) {
      EXPECT_TRUE(alias.secret) << alias.name << " would stay in the environment of the desktop's programs";
    }
}

TEST(Aliases, HttpsNeedsToBeSwitchedOnAndKnowsTheUsualFiles) {
  EXPECT_FALSE(read({{"SELKIES_HTTPS_CERT", "/c.pem"}}).has("tls-cert"));
  const Settings usual = read({{"SELKIES_ENABLE_HTTPS", "true"}});
  EXPECT_EQ(usual.text("tls-cert"), "/etc/ssl/certs/ssl-cert-snakeoil.pem");
  EXPECT_EQ(usual.text("tls-key"), "/etc/ssl/private/ssl-cert-snakeoil.key");
  const Settings own = read({{"ENABLE_HTTPS_WEB", "true"}, {"HTTPS_WEB_CERT", "/c.pem"}, {"HTTPS_WEB_KEY", "/k.pem"}});
  EXPECT_EQ(own.text("tls-cert"), "/c.pem");
  EXPECT_EQ(own.text("tls-key"), "/k.pem");
  EXPECT_EQ(read({{"SELKIES_ENABLE_HTTPS", "true"}, {"SELKIES_HTTPS_CERT", "/both.pem"}}).text("tls-key"), "/both.pem");
}

TEST(Aliases, TurnIsPutTogether) {
  const Variables host = {{"TURN_HOST", "turn.example"}, {"TURN_PORT", "3478"}};
  const auto with = [&](Variables more) {
    more.insert(host.begin(), host.end());
    return read(more);
  };
  const Settings secret = with({{"TURN_SHARED_SECRET", "north"}});
  EXPECT_EQ(secret.text("turn-servers"), "turn:turn.example:3478?transport=udp");
  EXPECT_EQ(secret.text("turn-shared-secret"), "north");
  const Settings user = with({{"TURN_SHARED_SECRET", "north"}, {"TURN_USERNAME", "joe"}, {"TURN_PASSWORD", "word"}, {"TURN_PROTOCOL", "tcp"}});
  EXPECT_EQ(user.text("turn-servers"), "turn:turn.example:3478?transport=tcp");
  EXPECT_EQ(user.text("turn-user"), "joe");
  EXPECT_EQ(user.text("turn-password"), "word");
  EXPECT_FALSE(user.has("turn-shared-secret")) << "user and password were the stronger ones";
  EXPECT_EQ(with({{"TURN_SHARED_SECRET", "north"}, {"TURN_TLS", "true"}}).text("turn-servers"), "turns:turn.example:3478?transport=tcp");
  EXPECT_EQ(read({{"SELKIES_TURN_HOST", "[::1]"}, {"SELKIES_TURN_SHARED_SECRET", "x"}}).text("turn-servers"), "turn:[::1]?transport=udp");
  const Settings none = with({});
  EXPECT_FALSE(none.has("turn-servers"));
  EXPECT_TRUE(warning_of(none).starts_with("TURN_HOST: ignored, since")) << warning_of(none);
  const Settings rest = with({{"SELKIES_TURN_REST_URI", "https://rest.example/"}, {"TURN_PROTOCOL", "tcp"}, {"TURN_TLS", "true"}});
  EXPECT_EQ(rest.text("turn-rest-uri"), "https://rest.example/");
  EXPECT_EQ(rest.text("turn-rest-protocol"), "tcp");
  EXPECT_TRUE(rest.flag("turn-rest-tls"));
  EXPECT_FALSE(rest.has("turn-servers"));
  for (const char* name : {"TURN_PORT", "SELKIES_TURN_PROTOCOL", "TURN_MIN_PORT"})
    EXPECT_EQ(warning_of(read({{name, "1"}})), std::string(name) + ": ignored without TURN_HOST: media goes by the one port\n");
  EXPECT_EQ(warning_of(with({{"TURN_SHARED_SECRET", "north"}, {"TURN_MIN_PORT", "1"}})), "");
  EXPECT_EQ(read({{"SELKIES_STUN_HOST", "stun.example"}, {"SELKIES_STUN_PORT", "19302"}}).text("stun-server"), "stun.example:19302");
}

TEST(Aliases, AServerForSignallingBringsItsNames) {
  const Settings settings = read({{"SIGNALLING_SERVER", "ws://signal.example:8080"}});
  EXPECT_EQ(settings.text("signalling-server"), "ws://signal.example:8080");
  EXPECT_EQ(settings.text("signalling-id"), "0");
  EXPECT_EQ(settings.text("signalling-peer"), "1");
  EXPECT_EQ(read({{"SIGNALLING_SERVER", "ws://x"}, {"VITRINE_SIGNALLING_ID", "7"}}).text("signalling-id"), "7");
}

TEST(Aliases, WaitingForTheProgramKeepsItsTwoSenses) {
  EXPECT_EQ(read({{"SELKIES_APP_WAIT_READY", "true"}}).text("wait-for-file"), "/tmp/selkies-appready");
  EXPECT_EQ(read({{"APP_AUTO_INIT", "false"}}).text("wait-for-file"), "/var/run/appconfig/appready");
  EXPECT_EQ(read({{"APP_AUTO_INIT", "false"}, {"APP_READY_FILE", "/f"}}).text("wait-for-file"), "/f");
  EXPECT_FALSE(read({{"APP_AUTO_INIT", "true"}, {"APP_READY_FILE", "/f"}}).has("wait-for-file"));
  EXPECT_FALSE(read({{"SELKIES_APP_WAIT_READY", "false"}}).has("wait-for-file"));
}

TEST(Aliases, TheImagesProgramIsRun) {
  const Settings settings = read({{"EXEC_CMD", "/opt/app/start.sh --fast"}});
  EXPECT_EQ(settings.command(), (std::vector<std::string>{"/bin/sh", "-c", "/opt/app/start.sh --fast"}));
  EXPECT_EQ(read({{"EXEC_CMD", "one"}}, {"--", "two"}).command(), std::vector<std::string>{"two"});
  EXPECT_EQ(read({{"RESTART_APP", "true"}}).text("restart"), "always");
}

TEST(Aliases, TheDocumentListsEachWithWhatItDoes) {
  const std::string document = environment_document();
  for (const auto& alias : alias_table())
    EXPECT_NE(document.find(std::string("\n| `") + alias.name + "` | "), std::string::npos) << alias.name;
}
