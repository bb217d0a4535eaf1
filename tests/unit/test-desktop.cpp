// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages, transfers, pointer shapes and sizes of x11desktop.
#include <gtest/gtest.h>

#include "remote/clipboard-transfer.h"
#include "remote/cursor-shape.h"
#include "remote/desktop-message.h"
#include "remote/display-size.h"

using namespace vitrine;

namespace {

template <class T>
T parsed(const std::string& text) {
  std::string error;
  const auto message = parse_desktop_message(text, error);
  EXPECT_TRUE(message && std::holds_alternative<T>(message->message)) << text << ": " << error;
  return message && std::holds_alternative<T>(message->message) ? std::get<T>(message->message) : T{};
}

std::string refusal(const std::string& text) {
  std::string error;
  EXPECT_FALSE(parse_desktop_message(text, error)) << text;
  return error;
}

using Result = TransferReceiver::Result;

}  // namespace

TEST(DesktopMessage, ReadsWhatViewersSay) {
  const auto wish = parsed<SizeWish>(R"({"type":"desktop/size","from":"a","width":1281,"height":719,"scale":1.5})");
  EXPECT_EQ(wish.width, 1281);
  EXPECT_EQ(wish.height, 719);
  EXPECT_EQ(wish.scale, 1.5);
  const auto begin = parsed<ClipboardBegin>(R"({"type":"desktop/clipboard","from":"a","id":7,"items":[{"type":"text/plain","size":3}]})");
  EXPECT_EQ(begin.id, 7U);
  ASSERT_EQ(begin.items.size(), 1U);
  EXPECT_EQ(begin.items[0].second, 3U);
  EXPECT_EQ(parsed<ClipboardData>(R"({"type":"desktop/clipboard-data","from":"a","id":7,"offset":0,"data":"YWJj"})").bytes, "abc");
  EXPECT_EQ(parsed<ClipboardAck>(R"({"type":"desktop/clipboard-ack","from":"a","id":7,"received":3})").received, 3U);
  parsed<UnknownDesktopMessage>(R"({"type":"desktop/of-the-future","from":"a"})");
}

TEST(DesktopMessage, OnlyTheServerSaysWhoHoldsControl) {
  const auto state = parsed<SessionState>(R"({"type":"desktop/session","holder":"a","viewers":["a","b"]})");
  EXPECT_EQ(state.holder, "a");
  EXPECT_EQ(state.viewers.size(), 2U);
  EXPECT_EQ(parsed<SessionState>(R"({"type":"desktop/session","holder":null,"viewers":[]})").holder, "");
  parsed<UnknownDesktopMessage>(R"({"type":"desktop/session","from":"b","holder":"b","viewers":["b"]})");
}

TEST(DesktopMessage, RefusesWhatIsWrongAndNamesTheMember) {
  EXPECT_EQ(refusal("{"), "it is not a JSON object");
  for (const char* size : {"0", "-1", "65536", "1e300", "\"7\"", "null", "[]"})
    EXPECT_EQ(refusal(std::string(R"({"type":"desktop/size","width":)") + size + R"(,"height":5,"scale":1})"),
              "desktop/size: 'width' is missing or wrong");
  refusal(R"({"type":"desktop/size","width":9,"height":9})");
  refusal(R"({"type":"desktop/clipboard","id":0,"items":[{"type":"text/plain","size":3}]})");
  refusal(R"({"type":"desktop/clipboard","id":1,"items":[]})");
  refusal(R"({"type":"desktop/clipboard","id":1,"items":[1]})");
  refusal(R"({"type":"desktop/clipboard","id":1,"items":[{"type":"text/plain","size":-3}]})");
  refusal(R"({"type":"desktop/clipboard","id":1,"items":[{"type":"a","size":1},{"type":"b","size":1},{"type":"c","size":1},{"type":"d","size":1}]})");
  for (const char* data : {"", "YWJ", "YW J", "Y===", "YW=j", "===="})
    refusal(std::string(R"({"type":"desktop/clipboard-data","id":1,"offset":0,"data":")") + data + "\"}");
  refusal(R"({"type":"desktop/clipboard-data","id":1,"offset":0,"data":")" + std::string(65536, 'A') + "\"}");
}

TEST(TransferReceiver, PutsPiecesTogether) {
  TransferReceiver receiver;
  EXPECT_EQ(receiver.begin({1, {{kTextType, 4}, {kHtmlType, 3}}}, 100, 0), Result::progress);
  EXPECT_EQ(receiver.data({1, 0, "abcde"}, 1), Result::progress);
  EXPECT_EQ(receiver.data({2, 5, "x"}, 1), Result::ignored);
  EXPECT_EQ(receiver.data({1, 5, "fg"}, 2), Result::complete);
  const ClipboardContent content = receiver.take();
  EXPECT_EQ(content, (ClipboardContent{{kTextType, "abcd"}, {kHtmlType, "efg"}}));
  EXPECT_FALSE(receiver.active());
}

TEST(TransferReceiver, RefusesLiesAndStaysUsable) {
  TransferReceiver receiver;
  EXPECT_EQ(receiver.begin({1, {{kTextType, 101}}}, 100, 0), Result::too_large);
  EXPECT_EQ(receiver.begin({1, {{kTextType, 60}, {kHtmlType, 60}}}, 100, 0), Result::too_large);
  EXPECT_EQ(receiver.begin({1, {{kTextType, UINT64_MAX}, {kHtmlType, 2}}}, 100, 0), Result::too_large);
  EXPECT_EQ(receiver.begin({1, {{kTextType, 1}, {kTextType, 1}}}, 100, 0), Result::malformed);
  EXPECT_EQ(receiver.begin({1, {{"text/evil", 1}}}, 100, 0), Result::malformed);
  EXPECT_EQ(receiver.data({1, 0, "x"}, 0), Result::ignored);
  EXPECT_EQ(receiver.begin({2, {{kTextType, 3}}}, 100, 0), Result::progress);
  EXPECT_EQ(receiver.data({2, 1, "x"}, 0), Result::malformed);
  EXPECT_EQ(receiver.begin({3, {{kTextType, 3}}}, 100, 0), Result::progress);
  EXPECT_EQ(receiver.data({3, 0, "more"}, 0), Result::malformed);
  EXPECT_EQ(receiver.begin({4, {{kTextType, 3}}}, 100, 0), Result::progress);
  EXPECT_EQ(receiver.data({4, 0, "abc"}, 0), Result::complete);
}

TEST(TransferSender, SendsAllOfItAndNoMoreAtOnceThanIsAcknowledged) {
  std::string text;
  for (int i = 0; i < 300'000; ++i)
    text += static_cast<char>('a' + i % 26);
  const auto content = std::make_shared<const ClipboardContent>(ClipboardContent{{kTextType, text}, {kHtmlType, "<b>"}});
  TransferSender sender(5, content, 0);
  TransferReceiver receiver;
  std::string error;
  const auto begin = parse_desktop_message(sender.begin("viewer"), error);
  ASSERT_TRUE(begin) << error;
  ASSERT_EQ(receiver.begin(std::get<ClipboardBegin>(begin->message), 1 << 20, 0), Result::progress);
  int64_t now_us = 0;
  Result result = Result::progress;
  for (int turn = 0; turn < 100 && !sender.complete(); ++turn) {
    int sent = 0;
    while (const auto message = sender.next("viewer", now_us)) {
      ++sent;
      EXPECT_LE(message->size(), 65536U);
      const auto data = parse_desktop_message(*message, error);
      ASSERT_TRUE(data) << error;
      result = receiver.data(std::get<ClipboardData>(data->message), now_us);
    }
    EXPECT_LE(sent, TransferSender::kWindowMost);
    now_us += 5000;
    EXPECT_TRUE(sender.ack(receiver.received(), now_us));
  }
  EXPECT_EQ(result, Result::complete);
  EXPECT_EQ(receiver.take(), *content);
  EXPECT_FALSE(sender.ack(1 << 30, now_us));
}

TEST(TransferSender, GoesSlowerWhenAcknowledgementsComeLate) {
  const auto content = std::make_shared<const ClipboardContent>(ClipboardContent{{kTextType, std::string(8 << 20, 'x')}});
  TransferSender sender(1, content, 0);
  int64_t now_us = 0;
  uint64_t sent = 0;
  const auto turn = [&](int64_t took_us) {
    while (sender.next("v", now_us))
      sent += TransferSender::kChunk;
    now_us += took_us;
    ASSERT_TRUE(sender.ack(sent, now_us));
  };
  for (int i = 0; i < 6; ++i)
    turn(5'000);
  const double fast = sender.window();
  EXPECT_GT(fast, TransferSender::kWindowFirst);
  for (int i = 0; i < 6; ++i)
    turn(300'000);
  EXPECT_LT(sender.window(), fast / 4);
  EXPECT_GE(sender.window(), 1);
}

TEST(ClipboardContents, ChecksForms) {
  EXPECT_TRUE(content_valid({{kTextType, "ä"}, {kPngType, "\x89PNG\r\n\x1a\nrest"}}));
  EXPECT_FALSE(content_valid({{kTextType, "\xff"}}));
  EXPECT_FALSE(content_valid({{kPngType, "GIF89a"}}));
}

TEST(PointerShape, BecomesAPngOnceAndThenAName) {
  PointerShape shape{2, 1, 1, 0, {0xff0000ff, 0x80400000}};
  EXPECT_FALSE(shape.blank());
  EXPECT_EQ(shape.id().size(), 16U);
  EXPECT_TRUE(shape.png().starts_with("\x89PNG\r\n\x1a\n"));
  CursorCache cache;
  EXPECT_TRUE(cache.must_send(shape.id()));
  EXPECT_FALSE(cache.must_send(shape.id()));
  EXPECT_NE(cursor_message(shape, true).find("\"png\":\""), std::string::npos);
  EXPECT_EQ(cursor_message(shape, false), "{\"type\":\"desktop/cursor\",\"id\":\"" + shape.id() + "\"}");
  cache.forget();
  EXPECT_TRUE(cache.must_send(shape.id()));
  EXPECT_EQ(cursor_message({2, 1, 0, 0, {0, 0}}, true), R"({"type":"desktop/cursor","id":null})");
  EXPECT_EQ(cursor_message({}, true), R"({"type":"desktop/cursor","id":null})");
}

TEST(PointerShape, FitsIntoAMessageWhateverItIs) {
  PointerShape noise{256, 256, 255, 255, {}};
  uint32_t state = 1;
  for (int i = 0; i < 256 * 256; ++i)
    noise.argb.push_back((state = state * 1664525 + 1013904223) | 0xff000000);
  EXPECT_LE(cursor_message(noise, true).size(), 65536U);
}

TEST(DisplaySizes, AreEvenAndWithinLimits) {
  const ScreenSize least{200, 150}, most{3840, 2400};
  EXPECT_EQ(fitted_size({1281, 719}, least, most), (ScreenSize{1280, 718}));
  EXPECT_EQ(fitted_size({1, 1}, least, most), (ScreenSize{200, 150}));
  EXPECT_EQ(fitted_size({65535, 65535}, least, most), (ScreenSize{3840, 2400}));
  EXPECT_EQ(fitted_size({65535, 65535}, least, {1367, 769}), (ScreenSize{1366, 768}));
}

TEST(DisplaySizes, MakeModesThatFollowCvt) {
  const XRRModeInfo mode = mode_for({1920, 1080});
  EXPECT_EQ(mode.hTotal, 2080U);
  EXPECT_EQ(mode.vTotal, 1111U);
  EXPECT_NEAR(static_cast<double>(mode.dotClock) / mode.hTotal / mode.vTotal, 60, 0.01);
}

TEST(Resources, ChangeOneLineAndComeBack) {
  const std::string before = "*color:\tred\nXft.dpi:\t96\n";
  const std::string after = with_resource(before, "Xft.dpi", "192");
  EXPECT_EQ(after, "*color:\tred\nXft.dpi:\t192\n");
  EXPECT_EQ(resource_of(after, "Xft.dpi"), "192");
  EXPECT_EQ(resource_of(after, "Xcursor.size"), "");
  EXPECT_EQ(with_resource(after, "Xft.dpi", ""), "*color:\tred\n");
  EXPECT_EQ(with_resource("", "Xft.dpi", "96"), "Xft.dpi:\t96\n");
}
