// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles: what is read, and that every mistake is told with file, line, group and key. The files in tests/launcher/bad-profiles are
// checked by the command's own test.
#include <gtest/gtest.h>

#include "key-lines.h"
#include "profile.h"

using namespace vitrine;

namespace {

constexpr char kGood[] =
    "# comment\n"
    "[profile]\n"
    "format=1\n"
    "title=Test\n"
    "codec=VP8\n"
    "capture=source;other\n"
    "encoder=enc\n"
    "\n"
    "[settings]\n"
    "framerate=30\n"
    "[capture source]\n"
    "display-name={display}\n"
    "@caps=video/x-raw,framerate={framerate}/1\n"
    "[capture other]\n"
    "@convert=conv;plain\n"
    "[convert conv]\n"
    "n-threads=2\n"
    "[encoder enc]\n"
    "target={bitrate}000\n"
    "@caps=video/x-vp8\n"
    "@check-elements=helper\n"
    "@bitrate=target*1000\n";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  std::string error;
  EXPECT_FALSE(parse_profile("p", text, error)) << text;
  return error;
}

}  // namespace

TEST(Profile, AGoodOneIsReadWhole) {
  std::string error;
  const auto profile = parse_profile("p", kGood, error);
  ASSERT_TRUE(profile) << error;
  EXPECT_EQ(profile->title, "Test");
  EXPECT_EQ(profile->codec, "VP8");
  EXPECT_EQ(profile->settings.at("framerate"), "30");
  ASSERT_EQ(profile->capture.size(), 2U);
  EXPECT_EQ(profile->capture[0].factory, "source");
  EXPECT_EQ(profile->capture[0].properties.at(0).where, "p:12: [capture source] display-name");
  EXPECT_EQ(profile->capture[1].convert, (std::vector<std::string>{"conv", "plain"}));
  EXPECT_EQ(profile->convert.at("conv").properties.at(0).value, "2");
  EXPECT_TRUE(profile->convert.at("plain").properties.empty());
  ASSERT_EQ(profile->encoder.size(), 1U);
  EXPECT_EQ(profile->encoder[0].check_elements, std::vector<std::string>{"helper"});
  ASSERT_TRUE(profile->encoder[0].bitrate);
  EXPECT_EQ(profile->encoder[0].bitrate->key, "target");
  EXPECT_DOUBLE_EQ(profile->encoder[0].bitrate_factor, 1000);
}

TEST(Profile, MistakesNameLineGroupAndKey) {
  EXPECT_EQ(error_of(""), "p: there is no group [profile]");
  EXPECT_EQ(error_of(replaced("format=1", "format=2")), "p:3: [profile] format: '2' is no version that this program reads; it reads 1");
  EXPECT_EQ(error_of(replaced("format=1\n", "")), "p:2: [profile] format: is missing");
  EXPECT_EQ(error_of(replaced("codec=VP8", "codec=MPEG2")), "p:5: [profile] codec: 'MPEG2' is none of H264, VP8, VP9");
  EXPECT_EQ(error_of(replaced("title=", "titel=")), "p:4: [profile] titel: unknown key; known are format, title, codec, capture, encoder");
  EXPECT_EQ(error_of(replaced("encoder=enc", "encoder=enc;gone")), "p:7: [profile] encoder: 'gone' has no group [encoder gone]");
  EXPECT_EQ(error_of(replaced("encoder=enc", "encoder=")), "p:7: [profile] encoder: is empty");
  EXPECT_EQ(error_of(replaced("framerate=30", "framerate=fast")), "p:10: [settings] framerate: 'fast' is not a number from 1 to 240");
  EXPECT_EQ(error_of(replaced("framerate=30", "port=80")), "p:10: [settings] port: unknown key; known are framerate, bitrate");
  EXPECT_EQ(error_of(replaced("{display}", "{screen}")),
            "p:12: [capture source] display-name: unknown placeholder {screen}; known are {bitrate, display, framerate, threads}");
  EXPECT_EQ(error_of(replaced("@check-elements", "@check")), "p:21: [encoder enc] @check: unknown key; known are @caps, @check-elements, @bitrate");
  EXPECT_EQ(error_of(replaced("target*1000", "target")), "p:22: [encoder enc] @bitrate: 'target' is not of the form property*factor");
  EXPECT_EQ(error_of(replaced("target*1000", "target*-1")), "p:22: [encoder enc] @bitrate: 'target*-1' is not of the form property*factor");
  EXPECT_EQ(error_of(replaced("video/x-vp8", "video/x-h264")), "p:20: [encoder enc] @caps: must begin with video/x-vp8, as codec says");
  EXPECT_EQ(error_of(replaced("[convert conv]", "[convert convert]")), "p:16: [convert convert]: nothing refers to this group");
  EXPECT_EQ(error_of(replaced("n-threads=2", "n-threads 2")), "p:17: 'n-threads 2' is neither [group], key=value nor # comment");
  EXPECT_EQ(error_of(replaced("n-threads=2", "n-threads=2\nn-threads=3")), "p:18: [convert conv] n-threads: given before, in line 17");
  EXPECT_EQ(error_of(replaced("# comment", "stray=1")), "p:1: 'stray=1' stands before the first [group]");
}

TEST(Profile, ExpandLeavesNoUnknownNameBehind) {
  std::string error;
  EXPECT_EQ(expand("a{x}b{x}", {{"x", "1"}}, error), "a1b1");
  EXPECT_EQ(expand("open { brace", {}, error), "open { brace");
  EXPECT_FALSE(expand("{y}", {{"x", "1"}}, error));
  EXPECT_EQ(error, "unknown placeholder {y}");
}

TEST(Profile, AnUnknownNameSaysWhereWasLooked) {
  std::string error;
  EXPECT_FALSE(find_profile("no-such-profile", error));
  EXPECT_NE(error.find("/etc/vitrine/profiles"), std::string::npos) << error;
  EXPECT_EQ(find_profile("./a/path", error), "./a/path");
}

TEST(KeyLines, FindsKeysAndFallsBackToTheGroup) {
  const KeyLines lines("[a]\r\n x = 1\n\n[b]\nx=2\n");
  EXPECT_EQ(lines.line_of("a", "x"), 2);
  EXPECT_EQ(lines.line_of("b", "x"), 5);
  EXPECT_EQ(lines.line_of("b", "y"), 4);
  EXPECT_EQ(lines.line_of("c", "x"), 0);
  EXPECT_TRUE(lines.problem().empty());
}
