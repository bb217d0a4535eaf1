// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles: what is read, and that every mistake is told with file, line, group and key. The files in tests/launcher/bad-profiles are
// checked by the command's own test.
#include <gtest/gtest.h>

#include "key-lines.h"
#include "profile-files.h"
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

/// Bases by name.
using Bases = std::map<std::string, std::string>;

std::optional<Profile> parse(const std::vector<ProfileSource>& sources, const Bases& bases, std::string& error) {
  const auto find = [&bases](const std::string& name, const std::string&, std::string& why) -> std::vector<ProfileSource> {
    const auto found = bases.find(name);
    if (found != bases.end())
      return {{name, found->second}};
    why = "there is no profile '" + name + "'";
    return {};
  };
  return parse_profile(sources, find, error);
}

std::string error_of(const std::string& text, const Bases& bases = {}) {
  std::string error;
  EXPECT_FALSE(parse({{"p", text}}, bases, error)) << text;
  return error;
}

}  // namespace

TEST(Profile, AGoodOneIsReadWhole) {
  std::string error;
  const auto profile = parse({{"p", kGood}}, {}, error);
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
  EXPECT_EQ(error_of(replaced("codec=VP8", "codec=MPEG2")), "p:5: [profile] codec: 'MPEG2' is none of AV1, H264, H265, VP8, VP9");
  EXPECT_EQ(error_of(replaced("title=", "titel=")), "p:4: [profile] titel: unknown key; known are format, title, inherits, vendor, codec, capture, encoder");
  EXPECT_EQ(error_of(replaced("encoder=enc", "encoder=enc;gone")), "p:7: [profile] encoder: 'gone' has no group [encoder gone]");
  EXPECT_EQ(error_of(replaced("encoder=enc", "encoder=")), "p:7: [profile] encoder: is empty, and there is nothing inherited that it would drop");
  EXPECT_EQ(error_of(replaced("framerate=30", "framerate=fast")), "p:10: [settings] framerate: 'fast' is not a number from 1 to 240");
  EXPECT_EQ(error_of(replaced("framerate=30", "port=80")), "p:10: [settings] port: unknown key; known are framerate, bitrate");
  EXPECT_EQ(error_of(replaced("{display}", "{screen}")),
            "p:12: [capture source] display-name: unknown placeholder {screen}; known are {bitrate, display, framerate, gpu, threads}");
  EXPECT_EQ(error_of(replaced("@check-elements", "@check")), "p:21: [encoder enc] @check: unknown key; known are @element, @gstreamer, @check-elements, @caps, @caps-444, @codec, @convert, "
            "@payload, @bitrate, @frame-size, @keyframe");
  EXPECT_EQ(error_of(replaced("target*1000", "target")), "p:22: [encoder enc] @bitrate: 'target' is not of the form property*factor");
  EXPECT_EQ(error_of(replaced("target*1000", "target*-1")), "p:22: [encoder enc] @bitrate: 'target*-1' is not of the form property*factor");
  EXPECT_EQ(error_of(replaced("video/x-vp8", "video/x-h264")), "p:20: [encoder enc] @caps: 'H264' is none of the profile's codecs, VP8");
  EXPECT_EQ(error_of(replaced("[convert conv]", "[convert convert]")), "p:16: [convert convert]: nothing refers to this group");
  EXPECT_EQ(error_of(replaced("n-threads=2", "n-threads 2")), "p:17: 'n-threads 2' is neither [group], key=value nor # comment");
  EXPECT_EQ(error_of(replaced("n-threads=2", "n-threads=2\nn-threads=3")), "p:18: [convert conv] n-threads: given before, in line 17");
  EXPECT_EQ(error_of(replaced("# comment", "stray=1")), "p:1: 'stray=1' stands before the first [group]");
}

TEST(Profile, ACandidateHasAnElementAVersionAndACodec) {
  std::string error;
  const std::string text =
      "[profile]\nformat=1\ntitle=T\ncodec=H264;AV1\nvendor=nvidia;0x1002\ncapture=src\nencoder=new;old;third\n[capture src]\n"
      "[encoder new]\n@element=enc\n@gstreamer=>=1.26\n@caps=video/x-h264,profile=main\n@payload=parse\n@convert=up\n"
      "[encoder old]\n@element=enc\n@gstreamer=>=1.24; <1.26\n@codec=H264\n@keyframe=none\n"
      "[encoder third]\n@codec=AV1\n[payload parse]\nconfig-interval=-1\n[convert up]\n@caps=video/x-raw\n";
  auto profile = parse({{"p", text}}, {}, error);
  ASSERT_TRUE(profile) << error;
  EXPECT_EQ(profile->vendors, (std::vector<uint16_t>{0x10de, 0x1002}));
  EXPECT_EQ(profile->codec, "H264");
  ASSERT_EQ(profile->encoder.size(), 2U);
  EXPECT_EQ(profile->encoder[0].name, "new");
  EXPECT_EQ(profile->encoder[0].factory, "enc");
  EXPECT_TRUE(profile->encoder[0].keyframe_on_request);
  EXPECT_FALSE(profile->encoder[1].keyframe_on_request);
  EXPECT_EQ(profile->payload.at("parse").properties.at(0).value, "-1");
  EXPECT_TRUE(profile->convert.at("up").caps);
  const auto av1 = with_codec(*profile, "AV1");
  EXPECT_EQ(av1.codec, "AV1");
  ASSERT_EQ(av1.encoder.size(), 1U);
  EXPECT_EQ(av1.encoder[0].name, "third");

  EXPECT_TRUE(fits(profile->encoder[0].gstreamer, {1, 26, 0}));
  EXPECT_FALSE(fits(profile->encoder[0].gstreamer, {1, 25, 90}));
  EXPECT_TRUE(fits(profile->encoder[1].gstreamer, {1, 24, 13}));
  EXPECT_FALSE(fits(profile->encoder[1].gstreamer, {1, 26, 0}));
  EXPECT_FALSE(fits(profile->encoder[1].gstreamer, {1, 22, 0}));
}

TEST(Profile, MistakesOfCandidatesAreTold) {
  EXPECT_EQ(error_of(replaced("@caps=video/x-vp8", "@gstreamer=1.26")), "p:20: [encoder enc] @gstreamer: '1.26' is no condition like >=1.24 or <1.26");
  EXPECT_EQ(error_of(replaced("@caps=video/x-vp8", "@gstreamer=>=1")), "p:20: [encoder enc] @gstreamer: '>=1' is no condition like >=1.24 or <1.26");
  EXPECT_EQ(error_of(replaced("@caps=video/x-vp8", "@keyframe=yes")), "p:20: [encoder enc] @keyframe: 'yes' is none of event, none");
  EXPECT_EQ(error_of(replaced("@caps=video/x-vp8", "@codec=VP9")), "p:20: [encoder enc] @codec: 'VP9' is none of the profile's codecs, VP8");
  EXPECT_EQ(error_of(replaced("@caps=video/x-vp8", "@caps=video/x-raw")),
            "p:20: [encoder enc] @caps: must begin with the media type of a codec, such as video/x-vp8");
  EXPECT_EQ(error_of(replaced("@check-elements", "@codec=VP8\n@caps=video/x-vp9\n@check-elements")), "p:22: [encoder enc] @caps: given before, in line 20");
  EXPECT_EQ(error_of(replaced("codec=VP8", "codec=VP8;VP9")), "p:5: [profile] codec: 'VP9' has no encoder");
  EXPECT_EQ(error_of(replaced("codec=VP8", "codec=VP8;VP8")), "p:5: [profile] codec: 'VP8' is named twice");
  EXPECT_EQ(error_of(replaced("codec=VP8", "codec=VP8\nvendor=3dfx")),
            "p:6: [profile] vendor: '3dfx' is none of amd, intel, nvidia, nor a PCI id like 0x10de");
  EXPECT_EQ(error_of(replaced("@convert=conv", "@bitrate=a*1\n@convert=conv")),
            "p:15: [capture other] @bitrate: unknown key; known are @element, @gstreamer, @check-elements, @caps, @caps-444, @convert, @scale");
}

TEST(Profile, WhatItInheritsIsChangedKeyByKey) {
  std::string error;
  const Bases bases = {{"base", kGood}};
  const std::string child =
      "[profile]\nformat=1\ninherits=base\ntitle=Child\n[settings]\nframerate=\nbitrate=1234\n"
      "[encoder enc]\ntarget={bitrate}\n@check-elements=\nadded=1\n";
  const auto profile = parse({{"child", child}}, bases, error);
  ASSERT_TRUE(profile) << error;
  EXPECT_EQ(profile->path, "child");
  EXPECT_EQ(profile->title, "Child");
  EXPECT_EQ(profile->settings, (std::map<std::string, std::string>{{"bitrate", "1234"}}));
  ASSERT_EQ(profile->encoder.size(), 1U);
  const auto& encoder = profile->encoder[0];
  ASSERT_EQ(encoder.properties.size(), 2U);
  EXPECT_EQ(encoder.properties[0].value, "{bitrate}");
  EXPECT_EQ(encoder.properties[0].where, "child:9: [encoder enc] target");
  EXPECT_EQ(encoder.properties[1].key, "added");
  EXPECT_TRUE(encoder.check_elements.empty());
  EXPECT_EQ(profile->capture[0].properties.at(0).where, "base:12: [capture source] display-name");
}

TEST(Profile, ADropInComesLastAndItsMistakesAreItsOwn) {
  std::string error;
  const auto profile = parse({{"p", kGood}, {"p.d/a.conf", "[encoder enc]\ntarget=7\n"}, {"p.d/b.conf", "[encoder enc]\ntarget=8\n"}}, {}, error);
  ASSERT_TRUE(profile) << error;
  EXPECT_EQ(profile->encoder[0].properties[0].value, "8");
  EXPECT_EQ(profile->encoder[0].properties[0].where, "p.d/b.conf:2: [encoder enc] target");
  EXPECT_FALSE(parse({{"p", kGood}, {"p.d/a.conf", "[encoder other]\ntarget=7\n"}}, {}, error));
  EXPECT_EQ(error, "p.d/a.conf:1: [encoder other]: nothing refers to this group");
  EXPECT_FALSE(parse({{"p", kGood}, {"p.d/a.conf", "[encoder enc]\nnothing=\n"}}, {}, error));
  EXPECT_EQ(error, "p.d/a.conf:2: [encoder enc] nothing: is empty, and there is nothing inherited that it would drop");
}

TEST(Profile, MistakesOfInheritanceAreTold) {
  const std::string head = "[profile]\nformat=1\ninherits=";
  EXPECT_EQ(error_of(head + "gone\n"), "p:3: [profile] inherits: there is no profile 'gone'");
  EXPECT_EQ(error_of(head + "\n"), "p:3: [profile] inherits: is empty, and there is nothing inherited that it would drop");
  EXPECT_EQ(error_of(head + "a\n", {{"a", head + "b\n"}, {"b", head + "a\n"}}), "a:3: [profile] inherits: inherits itself by way of p, a, b");
  EXPECT_EQ(error_of(head + "a\n", {{"a", "[profile]\nformat=9\n"}}), "a:2: [profile] format: '9' is no version that this program reads; it reads 1");
  // A group that only the base mentions may stay unused; one of the profile itself may not.
  std::string error;
  EXPECT_TRUE(parse({{"p", head + "a\nencoder=other\n[encoder other]\n"}}, {{"a", kGood}}, error)) << error;
  EXPECT_EQ(error_of(head + "a\n[encoder other]\n", {{"a", kGood}}), "p:4: [encoder other]: nothing refers to this group");
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
