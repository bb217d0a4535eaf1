// SPDX-License-Identifier: LGPL-2.1-or-later
// The demos' signalling protocol: lines, translation into session messages, the server's part, settings.
#include <gtest/gtest.h>

#include "webrtc/message.h"
#include "webrtc/signalling/demo-dialect.h"
#include "webrtc/signalling/demo-line.h"
#include "webrtc/signalling/signaller-settings.h"
#include "webrtc/signalling/signalling-hub.h"

namespace vitrine {
namespace {

TEST(SignallingLine, IsReadOrUnknown) {
  EXPECT_TRUE(std::holds_alternative<line::Hello>(parse_signalling_line("HELLO")));
  EXPECT_TRUE(std::holds_alternative<line::SessionOk>(parse_signalling_line("SESSION_OK")));
  EXPECT_TRUE(std::holds_alternative<line::SessionOk>(parse_signalling_line("SESSION_OK eyJyZXMiOiIxeDEifQ==")));
  EXPECT_TRUE(std::holds_alternative<line::OfferRequest>(parse_signalling_line("OFFER_REQUEST")));
  EXPECT_EQ(std::get<line::Error>(parse_signalling_line("ERROR peer '1' not found")).text, "peer '1' not found");
  const auto offer = std::get<line::Description>(parse_signalling_line(R"({"sdp":{"type":"offer","sdp":"v=0"}})"));
  EXPECT_TRUE(offer.offer && offer.sdp == "v=0");
  const auto candidate = std::get<line::Candidate>(parse_signalling_line(R"({"ice":{"candidate":"candidate:1","sdpMLineIndex":2,"sdpMid":"v"}})"));
  EXPECT_TRUE(candidate.candidate == "candidate:1" && candidate.index == 2 && candidate.mid == "v");
  for (const char* bad : {"", "HELLO you", "{", "[]", R"({"sdp":5})", R"({"sdp":{"type":"pranswer","sdp":""}})", R"({"sdp":{"type":"offer"}})",
                          R"({"ice":{"candidate":null}})", R"({"ice":[]})", "ROOM_OK a"})
    EXPECT_TRUE(std::holds_alternative<line::Unknown>(parse_signalling_line(bad))) << bad;
  EXPECT_TRUE(std::holds_alternative<line::Unknown>(parse_signalling_line(std::string(kSignallingLineMax + 1, ' '))));
}

std::optional<std::string> says(DemoDialect& dialect, const std::string& text) { return dialect.from_peer(parse_signalling_line(text), text); }

template <typename Message>
Message session_message(const std::optional<std::string>& text) {
  std::string error;
  const auto message = text ? parse_viewer_message(*text, error) : std::nullopt;
  EXPECT_TRUE(message && std::holds_alternative<Message>(*message)) << text.value_or("nothing") << error;
  return message && std::holds_alternative<Message>(*message) ? std::get<Message>(*message) : Message();
}

TEST(DemoDialect, APeerThatAsksIsOfferedAndAnswers) {
  DemoDialect dialect;
  EXPECT_FALSE(says(dialect, R"({"ice":{"candidate":"c"}})")) << "nothing has begun";
  EXPECT_FALSE(says(dialect, R"({"sdp":{"type":"answer","sdp":"v=0"}})"));
  const auto hello = session_message<HelloMessage>(says(dialect, "OFFER_REQUEST"));
  EXPECT_TRUE(hello.webrtc && !hello.websocket && !hello.renegotiates && hello.offer.empty());
  EXPECT_FALSE(says(dialect, "OFFER_REQUEST")) << "once";
  EXPECT_FALSE(dialect.to_peer(R"({"type":"welcome"})"));
  EXPECT_EQ(dialect.to_peer(R"({"type":"offer","id":3,"sdp":"v=0\r\nm=video 9 x\r\na=mid:a\r\nm=audio 9 x\r\na=mid:b\r\n"})"),
            R"({"sdp":{"type":"offer","sdp":"v=0\u000d\u000am=video 9 x\u000d\u000aa=mid:a\u000d\u000am=audio 9 x\u000d\u000aa=mid:b\u000d\u000a"}})");
  EXPECT_EQ(dialect.to_peer(R"({"type":"candidate","candidate":"c","mid":"b"})"), R"({"ice":{"candidate":"c","sdpMLineIndex":1,"sdpMid":"b"}})");
  EXPECT_EQ(session_message<AnswerMessage>(says(dialect, R"({"sdp":{"type":"answer","sdp":"v=0"}})")).id, 3);
  EXPECT_EQ(session_message<CandidateMessage>(says(dialect, R"({"ice":{"candidate":"c","sdpMLineIndex":1}})")).mid, "b");
  EXPECT_FALSE(says(dialect, R"({"type":"control-request"})")) << "who began as a plain peer stays one";
}

TEST(DemoDialect, APeerThatOffersIsAnsweredAndOurPageIsLeftAlone) {
  DemoDialect dialect;
  EXPECT_EQ(session_message<HelloMessage>(says(dialect, R"({"sdp":{"type":"offer","sdp":"v=0"}})")).offer, "v=0");
  EXPECT_FALSE(says(dialect, R"({"sdp":{"type":"offer","sdp":"v=0"}})"));
  EXPECT_EQ(dialect.to_peer(R"({"type":"answer","id":1,"sdp":"v=0"})"), R"({"sdp":{"type":"answer","sdp":"v=0"}})");
  EXPECT_FALSE(says(dialect, R"({"sdp":{"type":"answer","sdp":"v=0"}})"));

  DemoDialect page;
  const std::string hello = R"({"type":"hello","version":1,"codecs":["VP8"]})";
  EXPECT_EQ(says(page, hello), hello);
  EXPECT_EQ(page.to_peer(R"({"type":"welcome"})"), R"({"type":"welcome"})");
  EXPECT_FALSE(says(page, "OFFER_REQUEST"));
}

/// A hub whose words are written down: "2<HELLO", "2!1002 invalid peer uid".
struct Hub {
  std::string log;
  HubLimits limits;
  std::unique_ptr<SignallingHub> hub;
  explicit Hub(HubLimits with = {}) : limits(with) {
    hub = std::make_unique<SignallingHub>(
        limits, SignallingHub::Out{[this](auto key, const std::string& text) { log += std::to_string(key) + "<" + text + ";"; },
                                   [this](auto key, int code, const std::string& why) { log += std::to_string(key) + "!" + std::to_string(code) + " " + why + ";"; }});
  }
  std::string open(SignallingHub::Key key, const std::string& hello) {
    hub->opened(key, 1);
    return say(key, hello);
  }
  std::string say(SignallingHub::Key key, const std::string& text) {
    hub->text(key, text, 1);
    return std::exchange(log, "");
  }
  std::string close(SignallingHub::Key key) {
    hub->closed(key);
    return std::exchange(log, "");
  }
};

TEST(SignallingHub, RegistersAndRefuses) {
  Hub hub;
  EXPECT_EQ(hub.open(1, "HELLO anna"), "1<HELLO;");
  EXPECT_EQ(hub.open(2, "HELLO anna"), "2!1002 invalid peer uid;");
  EXPECT_EQ(hub.open(3, "HELLO"), "3!1002 invalid protocol;");
  EXPECT_EQ(hub.open(4, "SESSION anna"), "4!1002 invalid protocol;");
  EXPECT_EQ(hub.open(5, "HELLO b <script>"), "5!1002 invalid protocol;");
  EXPECT_EQ(hub.open(6, "HELLO " + std::string(kPeerIdMax + 1, 'x')), "6!1002 invalid peer uid;");
  EXPECT_EQ(hub.say(6, "HELLO again"), "") << "what was ended is not heard";
  EXPECT_EQ(hub.hub->peers(), 1u);
  EXPECT_EQ(hub.close(1), "");
  EXPECT_EQ(hub.open(7, "HELLO anna"), "7<HELLO;") << "the name is free again";
}

TEST(SignallingHub, ASessionOfTwoPassesEverythingOnAndEndsForBoth) {
  Hub hub;
  hub.open(1, "HELLO anna eyJ9");
  hub.open(2, "HELLO bert");
  hub.open(3, "HELLO carla");
  EXPECT_EQ(hub.say(2, "SESSION nobody"), "2<ERROR peer 'nobody' not found;");
  EXPECT_EQ(hub.say(2, "SESSION bert"), "2<ERROR peer 'bert' not found;") << "not with oneself";
  EXPECT_EQ(hub.say(2, "DANCE"), "2<ERROR unknown command;");
  EXPECT_EQ(hub.say(2, "SESSION anna"), "2<SESSION_OK eyJ9;") << "the callee is not told";
  EXPECT_EQ(hub.say(3, "SESSION anna"), "3<ERROR peer 'anna' busy;");
  EXPECT_EQ(hub.say(2, "{\"sdp\":1}"), "1<{\"sdp\":1};");
  EXPECT_EQ(hub.say(1, "SESSION carla"), "2<SESSION carla;") << "in a session every word is the partner's";
  EXPECT_EQ(hub.hub->sessions(), 1u);
  EXPECT_EQ(hub.close(2), "1!1001 the peer is gone;");
  EXPECT_EQ(hub.hub->peers(), 1u);
  EXPECT_EQ(hub.close(1), "");
}

TEST(SignallingHub, Rooms) {
  Hub hub({.room_peers = 2});
  hub.open(1, "HELLO anna");
  hub.open(2, "HELLO bert");
  hub.open(3, "HELLO carla");
  EXPECT_EQ(hub.say(1, "ROOM session"), "1<ERROR invalid room id;");
  EXPECT_EQ(hub.say(1, "ROOM red"), "1<ROOM_OK ;");
  EXPECT_EQ(hub.say(2, "ROOM red"), "2<ROOM_OK anna;1<ROOM_PEER_JOINED bert;");
  EXPECT_EQ(hub.say(3, "ROOM red"), "3<ERROR room is full;");
  EXPECT_EQ(hub.say(3, "SESSION anna"), "3<ERROR peer 'anna' busy;");
  EXPECT_EQ(hub.say(1, "ROOM_PEER_MSG bert {\"a\": 1}"), "2<ROOM_PEER_MSG anna {\"a\": 1};");
  EXPECT_EQ(hub.say(1, "ROOM_PEER_MSG carla x"), "1<ERROR peer 'carla' is not in the room;");
  EXPECT_EQ(hub.say(1, "ROOM_PEER_MSG dora x"), "1<ERROR peer 'dora' not found;");
  EXPECT_EQ(hub.say(1, "ROOM_PEER_LIST"), "1<ROOM_PEER_LIST bert;");
  EXPECT_EQ(hub.say(1, "SESSION bert"), "1<ERROR invalid msg, already in room;");
  EXPECT_EQ(hub.close(2), "1<ROOM_PEER_LEFT bert;");
}

TEST(SignallingHub, Limits) {
  Hub hub({.peers = 2, .lines_per_second = 1, .lines_burst = 3, .bytes_per_second = 1, .bytes_burst = 100});
  hub.open(1, "HELLO anna");
  hub.hub->opened(2, 1);
  hub.hub->opened(3, 1);
  EXPECT_EQ(std::exchange(hub.log, ""), "3!1013 too many peers;");
  hub.hub->tick(hub.limits.hello_us);
  EXPECT_EQ(hub.log, "");
  hub.hub->tick(hub.limits.hello_us + 2);
  EXPECT_EQ(std::exchange(hub.log, ""), "2!1008 no HELLO;");
  EXPECT_EQ(hub.say(1, std::string(100, 'x')), "1!1008 too many messages;") << "bytes";
  hub.open(4, "HELLO bert");
  hub.say(4, "x");
  hub.say(4, "x");
  EXPECT_EQ(hub.say(4, "x"), "4!1008 too many messages;") << "lines";
}

std::string problem(SignallerSettings settings) { return signaller_settings_problem(settings); }

TEST(SignallerSettings, Problems) {
  EXPECT_EQ(problem({}), "");
  EXPECT_EQ(problem({.peers = "1"}), "signalling-peer: needs signalling-server too");
  EXPECT_EQ(problem({.password = "x"}), "signalling-password: needs signalling-server too");
  EXPECT_EQ(problem({.url = "https://x/"}), "signalling-server: is no ws: or wss: address");
  EXPECT_EQ(problem({.url = "ws://joe:hunter2@x/"}), "signalling-server: user and password belong in signalling-user and signalling-password");
  EXPECT_EQ(problem({.url = "ws://x/", .user = "a"}), "signalling-user: needs signalling-password too");
  EXPECT_EQ(problem({.url = "ws://x/", .ids = "a,b", .peers = "c"}), "signalling-peer: needs as many names as signalling-id");
  EXPECT_EQ(problem({.url = "ws://x/", .ids = "a,a"}), "signalling-id: 'a' is there twice");
  EXPECT_EQ(problem({.url = "ws://x/", .ids = std::string(65, 'x')}), "signalling-id: name 1 has spaces or more than 64 characters");
  EXPECT_EQ(problem({.url = "ws://x/", .ca_file = "/nowhere"}), "signalling-ca-file: '/nowhere' is no file");
  const SignallerSettings two{.url = "wss://x:8443/ws", .ids = "0,2", .peers = "1,3"};
  EXPECT_EQ(problem(two), "");
  const auto places = signaller_places(two);
  ASSERT_EQ(places.size(), 2u);
  EXPECT_TRUE(places[1].id == "2" && places[1].peer == "3");
}

}  // namespace
}  // namespace vitrine
