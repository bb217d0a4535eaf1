// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/message.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

std::string refusal(const std::string& text) {
  std::string error;
  const auto message = parse_viewer_message(text, error);
  return message ? "" : error;
}

template <typename T>
T read(const std::string& text) {
  std::string error;
  const auto message = parse_viewer_message(text, error);
  EXPECT_TRUE(message) << error;
  return std::get<T>(message.value_or(UnknownMessage{}));
}

TEST(Message, EveryTypeIsRead) {
  const auto hello = read<HelloMessage>(R"({"type":"hello","version":1,"codecs":["H264","VP8"],"client":"x","more":[1]})");
  EXPECT_EQ(hello.codecs, (std::vector<std::string>{"H264", "VP8"}));
  EXPECT_EQ(hello.client, "x");
  const auto answer = read<AnswerMessage>(R"({"type":"answer","id":3,"sdp":"v=0\r\n"})");
  EXPECT_EQ(answer.id, 3);
  EXPECT_EQ(answer.sdp, "v=0\r\n");
  EXPECT_EQ(read<CandidateMessage>(R"({"type":"candidate","candidate":"c","mid":"0"})").mid, "0");
  EXPECT_EQ(read<PingMessage>(R"({"type":"ping","t":12.5})").t, 12.5);
  read<KeyframeMessage>(R"({"type":"keyframe"})");
  EXPECT_FALSE(read<VisibleMessage>(R"({"type":"visible","value":false})").value);
  read<RenegotiateMessage>(R"({"type":"renegotiate"})");
  read<ControlRequestMessage>(R"({"type":"control-request"})");
  read<ControlReleaseMessage>(R"({"type":"control-release"})");
  EXPECT_TRUE(read<ControlAnswerMessage>(R"({"type":"control-answer","peer":"p","granted":true})").granted);
  read<ByeMessage>(R"({"type":"bye"})");
  EXPECT_EQ(read<DesktopMessage>(R"({"type":"desktop/size","width":5})").text, R"({"type":"desktop/size","width":5})");
  read<UnknownMessage>(R"({"type":"from-the-future","x":null})");
}

TEST(Message, RefusalsNameTheMember) {
  const std::pair<const char*, const char*> bad[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"null", "not a JSON object"},
      {"{", "not a JSON object"},
      {R"({"type":5})", "'type' has the wrong kind"},
      {R"({})", "'type' is missing"},
      {R"({"type":"hello","codecs":[]})", "'version' is missing"},
      {R"({"type":"hello","version":2,"codecs":[]})", "'version' must be 1"},
      {R"({"type":"hello","version":1})", "'codecs' is missing"},
      {R"({"type":"hello","version":1,"codecs":"H264"})", "'codecs' must be an array"},
      {R"({"type":"hello","version":1,"codecs":[null]})", "'codecs' must hold strings"},
      {R"({"type":"answer","id":"1","sdp":""})", "'id' must be a number"},
      {R"({"type":"answer","id":1})", "'sdp' is missing"},
      {R"({"type":"visible","value":1})", "'value' has the wrong kind"},
      {R"({"type":"ping"})", "'t' is missing"},
      {R"({"type":"control-answer","peer":"p"})", "'granted' is missing"},
  };
  for (const auto& [text, reason] : bad)
    EXPECT_NE(refusal(text).find(reason), std::string::npos) << text << " gave: " << refusal(text);
}

TEST(Message, RefusalsNeverRepeatValues) {
  EXPECT_EQ(refusal(R"({"type":"visible","value":"my secret"})").find("secret"), std::string::npos);
}

TEST(Message, HostileTextIsRefused) {
  EXPECT_FALSE(refusal(std::string(kMessageMax + 1, ' ')).empty());
  EXPECT_FALSE(refusal(std::string(60000, '[')).empty());
  std::string nested = R"({"type":"ping","t":1,"x":)";
  nested += std::string(30, '[') + std::string(30, ']') + "}";
  EXPECT_FALSE(refusal(nested).empty());
  EXPECT_FALSE(refusal("{\"type\":\"ping\",\"t\":1,\"x\":\"\xff\xfe\"}").empty());
  EXPECT_FALSE(refusal(std::string("{\"type\":\"ping\0\",\"t\":1}", 23)).empty());
  EXPECT_EQ(refusal(R"({"type":"answer","id":1e300,"sdp":"x"})"), "");
}

TEST(Message, WriterEscapes) {
  EXPECT_EQ(MessageWriter("a").text("s", "\"\\\n\x01 é\x7f").number("n", 5).boolean("b", true).null("z").finish(),
            "{\"type\":\"a\",\"s\":\"\\\"\\\\\\u000a\\u0001 é\\u007f\",\"n\":5,\"b\":true,\"z\":null}");
  EXPECT_EQ(MessageWriter("a").number("n", 0.25).finish(), "{\"type\":\"a\",\"n\":0.25}");
}

TEST(DesktopMessage, IsMarkedWithItsSender) {
  const std::string edited = edit_desktop_message(R"({"type":"desktop/x","from":"liar","n":1})", "from", "p1").value_or("");
  for (const char* part : {R"("type":"desktop/x")", R"("n":1)", R"("from":"p1")"})
    EXPECT_NE(edited.find(part), std::string::npos) << edited;
  EXPECT_EQ(edited.find("liar"), std::string::npos);
  std::string to;
  EXPECT_EQ(edit_desktop_message(R"({"type":"desktop/x","to":"p2"})", "to", nullptr, &to), R"({"type":"desktop/x"})");
  EXPECT_EQ(to, "p2");
  EXPECT_FALSE(edit_desktop_message(R"({"type":"hello"})", "from", "p1"));
  EXPECT_FALSE(edit_desktop_message("nonsense", "from", "p1"));
}

}  // namespace
}  // namespace vitrine
