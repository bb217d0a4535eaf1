// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/tcp-framing.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace vitrine {
namespace {

using namespace std::string_literals;

FirstBytes classify(const std::string& text) {
  return classify_first_bytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(FirstBytes, TellsWhoSpeaks) {
  EXPECT_EQ(classify(""), FirstBytes::more);
  EXPECT_EQ(classify("GET / HTTP/1.1"), FirstBytes::http);
  EXPECT_EQ(classify("\x16\x03\x01"s), FirstBytes::tls);
  const std::string stun = "\x00\x54\x00\x01\x00\x40\x21\x12\xa4\x42"s;
  EXPECT_EQ(classify(stun), FirstBytes::stun);
  for (size_t size = 0; size < stun.size(); ++size)
    EXPECT_EQ(classify(stun.substr(0, size)), FirstBytes::more) << size;
  EXPECT_EQ(classify("\x00\x54\x00\x02"s), FirstBytes::http);
}

// Whatever comes first, and however little of it: what was told once stays true when more comes.
TEST(FirstBytes, NeverChangesItsMind) {
  std::mt19937 random(9);
  for (int first = 0; first < 256; ++first)
    for (int round = 0; round < 20; ++round) {
      std::string bytes = "\x00\x54\x00\x01\x00\x40\x21\x12\xa4\x42"s;
      bytes[0] = static_cast<char>(first);
      if (round > 0)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      FirstBytes told = FirstBytes::more;
      for (size_t size = 0; size <= bytes.size(); ++size) {
        const FirstBytes now = classify(bytes.substr(0, size));
        ASSERT_TRUE(told == FirstBytes::more || now == told) << "byte " << first << " size " << size;
        told = now;
      }
      EXPECT_NE(told, FirstBytes::more) << "ten bytes always tell";
    }
}

TEST(FirstBytes, TellHttpFromItsFirstByte) {
  for (const char* method : {"GET", "HEAD", "POST", "OPTIONS", "PRI * HTTP/2.0", "get", "\r\nGET", " "})
    EXPECT_EQ(classify(std::string(method).substr(0, 1)), FirstBytes::http) << method;
  EXPECT_EQ(classify("\x15\x03\x01"s), FirstBytes::http) << "a TLS alert is no hello";
  EXPECT_EQ(classify("\x06\x00\x00\x01"s), FirstBytes::http) << "longer than any request of ICE";
}

TEST(FrameReader, PutsPacketsTogetherFromAnyCut) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::vector<uint8_t>> sent;
    std::vector<uint8_t> stream;
    for (int i = 0; i < 10; ++i) {
      std::vector<uint8_t> packet(1 + random() % 300);
      for (auto& byte : packet)
        byte = static_cast<uint8_t>(random());
      stream.push_back(static_cast<uint8_t>(packet.size() >> 8));
      stream.push_back(static_cast<uint8_t>(packet.size()));
      stream.insert(stream.end(), packet.begin(), packet.end());
      sent.push_back(packet);
    }
    FrameReader reader;
    std::vector<std::vector<uint8_t>> got;
    for (size_t at = 0; at < stream.size();) {
      const size_t n = std::min<size_t>(stream.size() - at, 1 + random() % 97);
      ASSERT_TRUE(reader.push({stream.data() + at, n}, [&](auto packet) { got.emplace_back(packet.begin(), packet.end()); }));
      at += n;
    }
    EXPECT_EQ(got, sent);
  }
}

TEST(FrameReader, RefusesAnEmptyFrame) {
  FrameReader reader;
  const uint8_t empty[2] = {0, 0};
  EXPECT_FALSE(reader.push(empty, [](auto) {}));
}

TEST(FrameReader, RefusesAnEmptyFrameBehindOthersAndAcrossCuts) {
  FrameReader reader;
  int packets = 0;
  const auto count = [&](auto) { ++packets; };
  const uint8_t begin[] = {0, 1, 42, 0};
  EXPECT_TRUE(reader.push(begin, count));
  EXPECT_EQ(packets, 1);
  const uint8_t end[] = {0};
  EXPECT_FALSE(reader.push(end, count));
}

TEST(FrameReader, TakesTheLongestFrameByteByByte) {
  FrameReader reader;
  std::vector<uint8_t> stream(2 + 0xffff, 7);
  stream[0] = stream[1] = 0xff;
  size_t got = 0;
  for (size_t at = 0; at < stream.size(); at += 257)
    EXPECT_TRUE(reader.push(std::span(stream).subspan(at, std::min<size_t>(257, stream.size() - at)),
                            [&](auto packet) { got += packet.size(); }));
  EXPECT_EQ(got, 0xffffu);
  EXPECT_TRUE(reader.push({}, [&](auto) { ++got; }));
  EXPECT_EQ(got, 0xffffu);
}

}  // namespace
}  // namespace vitrine
