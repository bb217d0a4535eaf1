// SPDX-License-Identifier: LGPL-2.1-or-later
// STUN and TURN servers: URLs, RTC configurations, credentials, and what is wrong with settings.
#include <gtest/gtest.h>

#include "webrtc/turn/turn-framing.h"
#include "webrtc/turn/turn-settings.h"

namespace vitrine {
namespace {

std::string url(const std::string& text, const char* scheme = "turn") {
  std::string error;
  const auto parsed = parse_ice_url(text, scheme, error);
  return parsed ? to_string(*parsed) : "error: " + error;
}

TEST(IceUrl, TakesEveryForm) {
  EXPECT_EQ(url("turn:relay.example"), "turn:relay.example:3478?transport=udp");
  EXPECT_EQ(url("turns:relay.example"), "turns:relay.example:5349?transport=tcp");
  EXPECT_EQ(url("turn:192.0.2.1:443?transport=tcp"), "turn:192.0.2.1:443?transport=tcp");
  EXPECT_EQ(url("turn:[2001:db8::1]:3478"), "turn:[2001:db8::1]:3478?transport=udp");
  EXPECT_EQ(url("stun:stun.example"), "stun:stun.example:3478");
  EXPECT_EQ(url("stun://stun.example:19302"), "stun:stun.example:19302");
  EXPECT_EQ(url("relay.example:3479"), "turn:relay.example:3479?transport=udp");
  EXPECT_EQ(url("stun.example:3479", "stun"), "stun:stun.example:3479");
}

TEST(IceUrl, RefusesTheRestAndRepeatsNoCredential) {
  for (const char* bad : {"", "turn:", "turn::3478", "turn:a:0", "turn:a:65536", "turn:a:1x", "turn:a b", "turn:[::1", "turn:[a]:1",
                          "stun:a?transport=tcp", "turn:a?transport=sctp", "turn:a?transport=tcp&x=1", "turns:a?transport=udp", "turn:[::1]3478"})
    EXPECT_TRUE(url(bad).starts_with("error: ")) << bad << ": " << url(bad);
  const std::string problem = url("turn:joe:hunter2@relay.example");
  EXPECT_TRUE(problem.starts_with("error: "));
  EXPECT_EQ(problem.find("hunter2"), std::string::npos);
}

TEST(IceUrl, EncodesUserAndPassword) { EXPECT_EQ(percent_encoded("1700000000:a/b+c="), "1700000000%3Aa%2Fb%2Bc%3D"); }

TEST(TurnCredentials, AreWhatTheTurnServerComputes) {
  // printf '1700000000:alice' | openssl dgst -sha1 -hmac north -binary | base64
  const auto made = make_turn_credentials("north", "alice", 1700000000 - 3600, 3600);
  EXPECT_EQ(made.username, "1700000000:alice");
  EXPECT_EQ(made.credential, "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
}

TEST(TurnCredentials, KeepTheNameHarmless) {
  EXPECT_EQ(make_turn_credentials("s", "a:b\r\nc", 0, 60).username, "60:abc");
  EXPECT_EQ(make_turn_credentials("s", "", 0, 60).username, "60:vitrine");
  EXPECT_EQ(make_turn_credentials("s", std::string(500, 'x'), 0, 60).username.size(), 67u);
}

TEST(TurnCredentials, AreRenewedWellBeforeTheyExpire) {
  for (const int64_t lifetime : {60, 600, 86400})
    EXPECT_LE(renew_after(lifetime), lifetime - lifetime / 4) << lifetime;
  EXPECT_GE(renew_after(1), 1);
}

TEST(TurnCredentials, OfAServiceAreAskedForAgainWithinADay) {
  EXPECT_EQ(ask_again_after(4), 3);
  EXPECT_EQ(ask_again_after(0), 3600);
  for (const int64_t days : {2, 67, 3650}) {
    EXPECT_EQ(ask_again_after(days * 86400), 86400);
    EXPECT_LE(1000 * ask_again_after(days * 86400), int64_t{UINT32_MAX}) << "milliseconds of a timer";
  }
}

std::string configuration(const std::string& json) {
  std::string error;
  const auto parsed = parse_rtc_configuration(json, error);
  return parsed ? rtc_configuration_json(*parsed) : "error: " + error;
}

TEST(RtcConfiguration, TakesBothForms) {
  EXPECT_EQ(configuration(R"({"lifetimeDuration":"86400s","iceServers":[{"urls":["stun:a:1"]},{"urls":"turn:b:2?transport=udp",
                             "username":"u","credential":"c"}],"blockStatus":"NOT_BLOCKED","iceTransportPolicy":"all"})"),
            R"({"lifetimeDuration":"86400s","iceServers":[{"urls":["stun:a:1"]},{"urls":["turn:b:2?transport=udp"],"username":"u","credential":"c"}],)"
            R"("blockStatus":"NOT_BLOCKED","iceTransportPolicy":"all"})");
  EXPECT_EQ(configuration(R"({"username":"9:u","password":"p","ttl":600,"uris":["turn:b:2?transport=udp","turns:b:3?transport=tcp","http:x"]})"),
            R"({"lifetimeDuration":"600s","iceServers":[{"urls":["turn:b:2?transport=udp","turns:b:3?transport=tcp"],"username":"9:u","credential":"p"}],)"
            R"("blockStatus":"NOT_BLOCKED","iceTransportPolicy":"all"})");
  EXPECT_EQ(configuration(R"({"iceServers":[],"iceTransportPolicy":"relay"})"),
            R"({"iceServers":[],"blockStatus":"NOT_BLOCKED","iceTransportPolicy":"relay"})");
  EXPECT_EQ(configuration(R"({"iceServers":[{"url":"stun:old"}]})"),
            R"({"iceServers":[{"urls":["stun:old:3478"]}],"blockStatus":"NOT_BLOCKED","iceTransportPolicy":"all"})");
}

TEST(RtcConfiguration, NamesWhatIsWrongAndNeverItsValue) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "neither iceServers nor uris"},
      {R"({"iceServers":{}})", "iceServers is not an array"},
      {R"({"iceServers":[1]})", "iceServers[0] is not an object"},
      {R"({"iceServers":[{}]})", "iceServers[0].urls"},
      {R"({"iceServers":[{"urls":[1]}]})", "iceServers[0].urls"},
      {R"({"iceServers":[{"urls":"turn:a"}]})", "needs username and credential"},
      {R"({"iceServers":[{"urls":"turn:a","username":"u","credential":7}]})", "iceServers[0].credential"},
      {R"({"iceServers":[{"urls":"turn:a:99999","username":"u","credential":"hunter2"}]})", "URL cannot be used"},
      {R"({"iceServers":[],"lifetimeDuration":"soon"})", "lifetimeDuration"},
      {R"({"iceServers":[],"ttl":-1})", "ttl"},
      {R"({"iceServers":[],"iceTransportPolicy":"none"})", "iceTransportPolicy"},
      {R"({"iceServers":[],"iceTransportPolicy":null})", "iceTransportPolicy"},
      {R"({"uris":"turn:a","username":"u"})", "needs username and credential"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string got = configuration(text);
    EXPECT_TRUE(got.starts_with("error: ") && got.find(expected) != std::string::npos) << text << ": " << got;
    EXPECT_EQ(got.find("hunter2"), std::string::npos);
  }
}

TurnSettings turn(const std::string& servers = "turn:relay.example") {
  TurnSettings settings;
  settings.turn_servers = servers;
  return settings;
}

TEST(TurnSettings, HalfGivenOnesNameTheProperty) {
  EXPECT_EQ(turn_settings_problem({}), "");
  auto s = turn();
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-servers: needs turn-user"));
  s.user = "u";
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-user: needs turn-password"));
  s.password = "p";
  EXPECT_EQ(turn_settings_problem(s), "");
  s.shared_secret = "x";
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-shared-secret: cannot go together"));
  s = {};
  s.shared_secret = "x";
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-shared-secret: needs turn-servers"));
  s = turn("turn:a, turn:b:x");
  s.shared_secret = "x";
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-servers: URL 2"));
  s = turn();
  s.shared_secret = "x";
  s.rest_uri = "https://rest.example/";
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-rest-uri: cannot go together with turn-servers"));
  s = {};
  s.relay_only = true;
  EXPECT_TRUE(turn_settings_problem(s).starts_with("ice-transport-policy: "));
  s = {};
  s.stun_servers = "turn:a";
  EXPECT_TRUE(turn_settings_problem(s).starts_with("stun-server: "));
  s = {};
  s.rest_uri = "ftp://x/";
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-rest-uri: "));
  s = turn();
  s.shared_secret = "x";
  s.lifetime_s = 5;
  EXPECT_TRUE(turn_settings_problem(s).starts_with("turn-lifetime: "));
}

TEST(TurnSettings, MakeServersWithFreshCredentials) {
  auto s = turn("turn:a:1 turns:a:2");
  s.stun_servers = "stun.example";
  s.shared_secret = "north";
  s.lifetime_s = 3600;
  const auto made = static_configuration(s, "alice", 1700000000 - 3600);
  ASSERT_EQ(made.servers.size(), 2u);
  EXPECT_EQ(to_string(made.servers[0].urls.at(0)), "stun:stun.example:3478");
  EXPECT_TRUE(made.servers[0].username.empty());
  EXPECT_EQ(made.servers[1].urls.size(), 2u);
  EXPECT_EQ(made.servers[1].username, "1700000000:alice");
  EXPECT_EQ(made.servers[1].credential, "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
  EXPECT_EQ(made.lifetime_s, 3600);
  EXPECT_TRUE(made.has_turn());
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values)
    out += static_cast<char>(value);
  return out;
}
std::span<const uint8_t> span_of(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
std::string stun_message(size_t attributes) { return bytes({0, 1, static_cast<int>(attributes >> 8), static_cast<int>(attributes & 255)}) + std::string(16 + attributes, 'a'); }

TEST(TurnFraming, PadsChannelDataAndNothingElse) {
  const std::string data = bytes({0x40, 0, 0, 5}) + "hello";
  EXPECT_EQ(turn_stream_frame(span_of(data)), data + std::string(3, '\0'));
  EXPECT_EQ(turn_stream_frame(span_of(data + "rest")), data + std::string(3, '\0'));
  EXPECT_EQ(turn_stream_frame(span_of(stun_message(8))), stun_message(8));
  for (const auto& bad : {std::string(), bytes({0x40, 0}), bytes({0x40, 0, 0, 9}) + "short", bytes({0x80, 0, 0, 0}), bytes({0, 1, 0, 3}) + std::string(19, 'x'),
                          stun_message(8).substr(0, 20)})
    EXPECT_EQ(turn_stream_frame(span_of(bad)), "");
}

TEST(TurnFraming, FindsMessagesInWhateverPieces) {
  const std::string data = bytes({0x40, 0, 0, 5}) + "hello";
  const std::string stream = turn_stream_frame(span_of(data)) + stun_message(0) + turn_stream_frame(span_of(data)) + stun_message(12);
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    TurnStreamReader reader;
    std::vector<std::string> found;
    for (size_t at = 0; at < stream.size(); at += piece)
      ASSERT_TRUE(reader.take(span_of(stream.substr(at, piece)), [&](std::span<const uint8_t> message) {
        found.emplace_back(reinterpret_cast<const char*>(message.data()), message.size());
      }));
    EXPECT_EQ(found, (std::vector<std::string>{data, stun_message(0), data, stun_message(12)})) << piece;
  }
  TurnStreamReader reader;
  EXPECT_FALSE(reader.take(span_of(bytes({0x80, 0, 0, 0})), [](std::span<const uint8_t>) {}));
}

}  // namespace
}  // namespace vitrine
