// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/message.h"

#include <gtest/gtest.h>

#include <cmath>

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
  EXPECT_TRUE(hello.webrtc && !hello.websocket && hello.decodes.empty()) << "a viewer that says nothing of it has WebRTC only";
  const auto both = read<HelloMessage>(
      R"({"type":"hello","version":1,"codecs":[],"decodes":["VP8"],"transports":["pigeon","websocket"]})");
  EXPECT_TRUE(!both.webrtc && both.websocket);
  EXPECT_EQ(both.decodes, (std::vector<std::string>{"VP8"}));
  const auto offering = read<HelloMessage>(R"({"type":"hello","version":1,"codecs":[],"offer":"v=0","renegotiates":true})");
  EXPECT_TRUE(offering.offer == "v=0" && !offering.renegotiates);
  EXPECT_TRUE(both.renegotiates);
  EXPECT_FALSE(read<HelloMessage>(R"({"type":"hello","version":1,"codecs":[],"renegotiates":false})").renegotiates);
  EXPECT_EQ(read<AttachMessage>(R"({"type":"attach","token":"abc"})").token, "abc");
  EXPECT_EQ(read<MediaShownMessage>(R"({"type":"media-shown","id":4})").id, 4);
  const auto answer = read<AnswerMessage>(R"({"type":"answer","id":3,"sdp":"v=0\r\n"})");
  EXPECT_EQ(answer.id, 3);
  EXPECT_EQ(answer.sdp, "v=0\r\n");
  EXPECT_EQ(read<CandidateMessage>(R"({"type":"candidate","candidate":"c","mid":"0"})").mid, "0");
  EXPECT_EQ(read<PingMessage>(R"({"type":"ping","t":12.5})").t, 12.5);
  read<KeyframeMessage>(R"({"type":"keyframe"})");
  EXPECT_FALSE(read<VisibleMessage>(R"({"type":"visible","value":false})").value);
  EXPECT_FALSE(read<RenegotiateMessage>(R"({"type":"renegotiate"})").id);
  EXPECT_EQ(read<RenegotiateMessage>(R"({"type":"renegotiate","id":3})").id, 3);
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
      {R"({"type":"hello","version":1,"codecs":[],"transports":"webrtc"})", "'transports' must be an array"},
      {R"({"type":"hello","version":1,"codecs":[],"decodes":[1]})", "'decodes' must hold strings"},
      {R"({"type":"hello","version":1,"codecs":[],"offer":1})", "'offer' has the wrong kind"},
      {R"({"type":"attach"})", "'token' is missing"},
      {R"({"type":"media-shown","id":"4"})", "'id' must be a number"},
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
  // json-glib alone would take these.
  for (const char* lax : {"/* \" */{\"type\":\"bye\"}", "{\"type\":\"bye\"/**/}", "// x\n{\"type\":\"bye\"}", "var x = {\"type\":\"bye\"};",
                          "{'type':'bye'}", "{\"type\":\"bye\"}{\"type\":\"bye\"}", "{\"type\":\"bye\"} x", "{\"type\":\"ping\",\"t\":0x10}",
                          "{\"type\":\"bye\",\"x\":undefined}", "{\"type\":\"bye\"}]", "}{\"type\":\"bye\"}", "{\"type\":\"bye\",\"x\":\"\\\"}",
                          "{\"type\":\"bye\",}", "{\"type\" \"bye\"}", "{type:\"bye\"}"})
    EXPECT_FALSE(refusal(lax).empty()) << lax;
  EXPECT_FALSE(refusal("{\"type\":\"bye\",/* \" */\"x\":" + std::string(30000, '[') + std::string(30000, ']') + "}").empty())
      << "a comment must not hide nesting";
  EXPECT_FALSE(refusal(std::string("{\"type\":\"ping\0\",\"t\":1}", 23)).empty());
  EXPECT_EQ(refusal(R"({"type":"answer","id":1e300,"sdp":"x"})"), "");
}

TEST(Message, PlainJsonInEveryFormIsTaken) {
  read<ByeMessage>(" \t\r\n{ \"type\" : \"bye\" , \"a\":true,\"b\":false,\"c\":null,\"d\":-1.5e+3,\"e\":[1,[2,{}]],\"f\":\"]}{[/*'\" } \n");
  read<ByeMessage>(R"({"type":"bye","text":"a \" }{ \\"})");
  read<ByeMessage>(R"({"type":"\u0062ye","brackets":")" + std::string(100, '[') + "\"}");
  read<ByeMessage>("{\"type\":\"bye\",\"name\":\"é漢🙂\"}");
}

TEST(Message, TheLastOfEqualMembersCounts) {
  read<ByeMessage>(R"({"type":"ping","type":"bye"})");
  EXPECT_EQ(read<PingMessage>(R"({"t":1,"type":"ping","t":2})").t, 2);
}

TEST(Message, NumbersOfAnySizeAreHandled) {
  EXPECT_EQ(read<AnswerMessage>(R"({"type":"answer","id":1e300,"sdp":"x"})").id, int64_t{1'000'000'000'000'000});
  EXPECT_EQ(read<AnswerMessage>(R"({"type":"answer","id":-7,"sdp":"x"})").id, -1);
  EXPECT_EQ(read<PingMessage>(R"({"type":"ping","t":-0.5})").t, -0.5);
  EXPECT_FALSE(refusal(R"({"type":"ping","t":1e999})").empty());
  EXPECT_FALSE(refusal(R"({"type":"ping","t":-1e999})").empty());
  EXPECT_FALSE(refusal(R"({"type":"ping","t":"1"})").empty());
  EXPECT_FALSE(refusal(R"({"type":"ping","t":null})").empty());
  EXPECT_FALSE(refusal(R"({"type":"ping","t":[1]})").empty());
}

TEST(Message, TextsAreBounded) {
  const auto hello = [](const std::string& client, const std::string& name) {
    return R"({"type":"hello","version":1,"codecs":["VP8"],"client":")" + client + R"(","name":")" + name + "\"}";
  };
  EXPECT_EQ(read<HelloMessage>(hello(std::string(128, 'c'), std::string(64, 'n'))).client.size(), 128u);
  EXPECT_EQ(read<HelloMessage>(hello(std::string(129, 'c'), std::string(65, 'n'))).client, "");
  EXPECT_EQ(read<HelloMessage>(hello("c", std::string(65, 'n'))).name, "");
  std::string many = R"({"type":"hello","version":1,"codecs":["VP8")";
  for (int i = 0; i < 1000; ++i)
    many += ",\"" + std::string(static_cast<size_t>(i % 20), 'x') + "\"";
  EXPECT_LE(read<HelloMessage>(many + "]}").codecs.size(), 16u);
  EXPECT_FALSE(refusal(R"({"type":"candidate","candidate":")" + std::string(1025, 'x') + "\"}").empty());
  const std::string frame = R"({"type":"bye","x":")";
  EXPECT_EQ(refusal(frame + std::string(kMessageMax - frame.size() - 2, 'x') + "\"}"), "") << "65536 bytes are allowed";
  EXPECT_NE(refusal(frame + std::string(kMessageMax - frame.size() - 1, 'x') + "\"}"), "");
}

// What the writer writes is what a reader finds, whatever the text.
TEST(Message, WriterAndReaderAgree) {
  std::string all;
  for (int c = 1; c < 0x80; ++c)
    all += static_cast<char>(c);
  all += "é漢🙂\u2028\"\\/";
  const std::string text = MessageWriter("answer").number("id", 7).text("sdp", all).finish();
  EXPECT_EQ(read<AnswerMessage>(text).sdp, all);
  for (const double number : {0.0, -1.0, 0.1, 1e-7, 123456789012345.0, 1e21, 3.0000000000000004})
    EXPECT_EQ(read<PingMessage>(MessageWriter("ping").number("t", number).finish()).t, number);
  EXPECT_EQ(MessageWriter("x").number("n", std::nan("")).finish(), R"({"type":"x","n":null})");
  EXPECT_EQ(json_string("a\xff z"), "\"a\xef\xbf\xbd z\"");
  EXPECT_EQ(json_string(std::string_view("a\0b", 3)), "\"a\xef\xbf\xbd" "b\"");
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

TEST(DesktopMessage, KeepsWhatItHolds) {
  const std::string edited =
      edit_desktop_message(R"({"type":"desktop/clipboard","from":1,"list":[1,{"a":"\u00e9\n"}],"n":null})", "from", "p\"1").value_or("");
  std::string error;
  ASSERT_TRUE(parse_viewer_message(edited, error)) << edited;
  for (const char* part : {R"("list":[1,{"a":"é\n"}])", R"("n":null)", R"("from":"p\"1")"})
    EXPECT_NE(edited.find(part), std::string::npos) << edited;
  std::string to = "old";
  EXPECT_TRUE(edit_desktop_message(R"({"type":"desktop/x","to":5})", "to", nullptr, &to));
  EXPECT_EQ(to, "") << "not a string";
  EXPECT_FALSE(edit_desktop_message("{\"type\":\"desktop/x\",\"x\":\"\xff\"}", "from", "p1"));
  EXPECT_FALSE(edit_desktop_message(R"({"type":"desktop/x"} /* "from" */)", "from", "p1"));
  EXPECT_FALSE(edit_desktop_message(R"({"type":"desktop/x","x":)" + std::string(100, '[') + std::string(100, ']') + "}", "from", "p1"));
}

TEST(Message, LatencyReportsAreRowsOfWholeNumbers) {
  const auto message = read<LatencyMessage>(
      R"({"type":"latency","sure":true,"uncertainty":300,"frames":[[1,9000,12000,20000],[2,0,0,20000,30000],[-1,5,5,99999999999999,5]]})");
  EXPECT_TRUE(message.report.sure);
  EXPECT_EQ(message.report.uncertainty_us, 300);
  ASSERT_EQ(message.report.frames.size(), 3u);
  EXPECT_EQ(message.report.frames[0].presented_us, 20000);
  EXPECT_EQ(message.report.frames[0].input_us, 0);
  EXPECT_EQ(message.report.frames[1].input_us, 30000);
  EXPECT_EQ(message.report.frames[2].id, 0u) << "no frame has it";
  EXPECT_GT(message.report.frames[2].presented_us, LatencyMeter::kMostUs) << "still absurd";
  const auto refuse = [](const std::string& frames) { return refusal(R"({"type":"latency","sure":true,"uncertainty":0,"frames":)" + frames + "}"); };
  EXPECT_EQ(refuse("[]"), "");
  EXPECT_NE(refuse("7"), "");
  EXPECT_NE(refuse("[7]"), "");
  EXPECT_NE(refuse("[[1,2,3]]"), "");
  EXPECT_NE(refuse("[[1,2,3,4,5,6]]"), "");
  EXPECT_NE(refuse("[[1,2,3,4.5]]"), "");
  EXPECT_NE(refuse("[[1,2,3,\"4\"]]"), "");
  EXPECT_NE(refuse("[[1,2,3,null]]"), "");
  std::string many = "[[1,2,3,4]";
  for (int i = 0; i < 64; ++i)
    many += ",[1,2,3,4]";
  EXPECT_NE(refuse(many + "]"), "");
  EXPECT_NE(refusal(R"({"type":"latency","frames":[]})"), "") << "sure is a must";
}

}  // namespace
}  // namespace vitrine
