// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/tcp-framing.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace vitrine {
namespace {

FirstBytes classify(const std::string& text) {
  return classify_first_bytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(FirstBytes, TellsWhoSpeaks) {
  using namespace std::string_literals;
  EXPECT_EQ(classify(""), FirstBytes::more);
  EXPECT_EQ(classify("GET / HTTP/1.1"), FirstBytes::http);
  EXPECT_EQ(classify("\x16\x03\x01"s), FirstBytes::tls);
  const std::string stun = "\x00\x54\x00\x01\x00\x40\x21\x12\xa4\x42"s;
  EXPECT_EQ(classify(stun), FirstBytes::stun);
  for (size_t size = 0; size < stun.size(); ++size)
    EXPECT_EQ(classify(stun.substr(0, size)), FirstBytes::more) << size;
  EXPECT_EQ(classify("\x00\x54\x00\x02"s), FirstBytes::http);
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

}  // namespace
}  // namespace vitrine
