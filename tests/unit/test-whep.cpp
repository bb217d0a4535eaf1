// SPDX-License-Identifier: LGPL-2.1-or-later
// WHEP's text, and whose pages may ask.
#include "webrtc/whep/whep-request.h"

#include <gtest/gtest.h>

#include "webrtc/network-settings.h"
#include "webrtc/origins.h"

namespace vitrine {
namespace {

constexpr char kFragment[] =
    "a=ice-options:trickle\r\n"
    "a=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
    "a=mid:0\r\n"
    "a=ice-ufrag:EsAw\r\n"
    "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
    "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"
    "a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n"
    "a=end-of-candidates\r\n";

TEST(Whep, Paths) {
  EXPECT_EQ(whep_path("/whep")->session, "");
  EXPECT_EQ(whep_path("/whep/abc")->session, "abc");
  EXPECT_EQ(whep_path("/whep/a/b")->session, "a/b");
  for (const char* other : {"", "/", "/whe", "/whep/", "/whepx", "/x/whep", "/WHEP"})
    EXPECT_FALSE(whep_path(other)) << other;
}

TEST(Whep, MediaTypesAreComparedWithoutCaseAndParameters) {
  EXPECT_TRUE(is_media_type("application/sdp", "application/sdp"));
  EXPECT_TRUE(is_media_type(" Application/SDP ; charset=utf-8", "application/sdp"));
  for (const char* other : {"", "application/sdpx", "application/sd", "text/plain; application/sdp", "application/sdp,text/plain"})
    EXPECT_FALSE(is_media_type(other, "application/sdp")) << other;
}

TEST(Whep, EntityTags) {
  const char* tag = "\"abc\"";
  EXPECT_EQ(match_tag("\"abc\"", tag), TagMatch::fits);
  EXPECT_EQ(match_tag("*", tag), TagMatch::fits);
  EXPECT_EQ(match_tag("\"x\", \"abc\"", tag), TagMatch::fits);
  EXPECT_EQ(match_tag("", tag), TagMatch::missing);
  EXPECT_EQ(match_tag("  ", tag), TagMatch::missing);
  for (const char* other : {"abc", "\"ab\"", "W/\"abc\"", "\"abc", ",", "\"abcd\""})
    EXPECT_EQ(match_tag(other, tag), TagMatch::other) << other;
}

TEST(Whep, Fragment) {
  std::string error;
  const auto fragment = parse_ice_fragment(kFragment, error);
  ASSERT_TRUE(fragment) << error;
  EXPECT_EQ(fragment->ufrag, "EsAw");
  EXPECT_EQ(fragment->password, "P2uYro0UCOQ4zxjKXaWCBui1");
  ASSERT_EQ(fragment->candidates.size(), 2u);
  EXPECT_EQ(fragment->candidates[0].mid, "0");
  EXPECT_EQ(fragment->candidates[0].candidate, "candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host");
  // Ends of lines without a carriage return, credentials outside of a section, no candidates: all are in use.
  const auto bare = parse_ice_fragment("a=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuvwx\nm=audio 9 RTP/AVP 0\na=mid:0\n", error);
  ASSERT_TRUE(bare) << error;
  EXPECT_TRUE(bare->candidates.empty());
  EXPECT_EQ(bare->ufrag, "abcd");
  EXPECT_TRUE(parse_ice_fragment("", error));
}

TEST(Whep, FragmentsThatAreRefused) {
  std::string error;
  const std::string good = kFragment;
  for (const auto& bad : {good + "nonsense\r\n", good + "a=x:1\ra=candidate:1\r\n", good + "a=candidate:\x01\r\n", good + "a=mid:\r\n", good + "a=mid:" + std::string(33, 'x') + "\r\n",
                          good + "a=ice-ufrag:other\r\n", good + "a=ice-pwd:with space\r\n", good + "a=candidate:" + std::string(2000, '1') + "\r\n",
                          good + std::string(kWhepBodyMax, '\n'), good + "a=x:\xff\r\n"}) {
    error.clear();
    EXPECT_FALSE(parse_ice_fragment(bad, error));
    EXPECT_FALSE(error.empty());
  }
  std::string many = "m=audio 9 RTP/AVP 0\na=mid:0\n";
  for (int i = 0; i < 101; ++i)
    many += "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n";
  EXPECT_FALSE(parse_ice_fragment(many, error));
}

TEST(Whep, AnAnswerGetsTheCandidatesThatCameLaterOnce) {
  const std::string first = "candidate:1 1 UDP 1 192.0.2.1 1 typ host", second = "candidate:2 1 UDP 1 192.0.2.2 1 typ relay";
  const std::string sdp = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=" + first + "\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n";
  EXPECT_EQ(complete_answer(sdp, {first, second}),
            "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=" + first + "\r\na=" + second +
                "\r\na=end-of-candidates\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n");
  const std::string lite = "v=0\r\na=ice-lite\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=" + first + "\r\n";
  EXPECT_EQ(complete_answer(lite, {}), lite + "a=end-of-candidates\r\n");
}

TEST(Whep, LinksForIceServers) {
  RtcConfiguration configuration;
  std::string error;
  configuration.servers.push_back({{*parse_ice_url("stun:stun.example", "stun", error)}, "", ""});
  configuration.servers.push_back({{*parse_ice_url("turn:turn.example:3478?transport=tcp", "turn", error), *parse_ice_url("turns:turn.example", "turn", error)},
                                   "1700:user", "a\"b\\c\r\nX: y"});
  const auto links = ice_server_links(configuration);
  ASSERT_EQ(links.size(), 3u);
  EXPECT_EQ(links[0], "<stun:stun.example:3478>; rel=\"ice-server\"");
  EXPECT_EQ(links[1], "<turn:turn.example:3478?transport=tcp>; rel=\"ice-server\"; username=\"1700:user\"; credential=\"a\\\"b\\\\cX: y\"; "
                      "credential-type=\"password\"");
  EXPECT_TRUE(links[2].starts_with("<turns:turn.example:5349"));
}

TEST(Whep, WhatRefusalsBecome) {
  EXPECT_EQ(status_of_refusal("protocol"), 400u);
  EXPECT_EQ(status_of_refusal("codec"), 406u);
  EXPECT_EQ(status_of_refusal("busy"), 503u);
  EXPECT_EQ(status_of_refusal("anything"), 503u);
}

TEST(Origins, OwnAndNamed) {
  EXPECT_TRUE(is_own_origin("https://a.example:8080", "a.example:8080"));
  EXPECT_TRUE(is_own_origin("http://a.example", "a.example"));
  EXPECT_FALSE(is_own_origin("http://a.example:8080", "a.example"));
  EXPECT_FALSE(is_own_origin("null", "null"));
  std::string error;
  const auto allowed = AllowedOrigins::parse("https://wall.example, http://b.example:81", error);
  ASSERT_TRUE(allowed) << error;
  EXPECT_TRUE(allowed->allows("https://wall.example"));
  EXPECT_TRUE(allowed->allows("http://b.example:81"));
  for (const char* other : {"http://wall.example", "https://wall.example.evil", "https://evil/https://wall.example", "null", ""})
    EXPECT_FALSE(allowed->allows(other)) << other;
  EXPECT_TRUE(AllowedOrigins::parse("*", error)->allows("https://any.example"));
  EXPECT_FALSE(AllowedOrigins().allows("https://any.example"));
  for (const char* bad : {"wall.example", "ftp://wall.example", "https://", "https://wall.example/", "https://wall.example/page"}) {
    EXPECT_FALSE(AllowedOrigins::parse(bad, error)) << bad;
    EXPECT_NE(error.find(bad), std::string::npos);
  }
  NetworkSettings settings;
  settings.allowed_origins = "wall.example";
  EXPECT_TRUE(network_settings_problem(settings).starts_with("allowed-origins: "));
}

}  // namespace
}  // namespace vitrine
