// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/stun.h"

#include <gtest/gtest.h>

#include <random>

namespace vitrine {
namespace {

std::vector<uint8_t> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

// RFC 5769 §2.1, sample request; password "VOkJxbRl1RmTxUk/WvJxBt", username "evtj:h6vY".
const std::vector<uint8_t> kRequest = from_hex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf");
constexpr char kPassword[] = "VOkJxbRl1RmTxUk/WvJxBt";

SocketAddress v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  SocketAddress address;
  address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
  address.port = port;
  return address;
}

TEST(Stun, ReadsTheSampleRequestOfRfc5769) {
  const auto request = parse_binding_request(kRequest);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->username, "evtj:h6vY");
  EXPECT_EQ(request->local_ufrag(), "evtj");
  EXPECT_EQ(request->remote_ufrag(), "h6vY");
  EXPECT_EQ(request->priority, 0x6e0001ffu);
  EXPECT_FALSE(request->use_candidate);
  EXPECT_TRUE(check_integrity(kRequest, *request, kPassword));
  EXPECT_FALSE(check_integrity(kRequest, *request, "wrong"));
}

TEST(Stun, AnyChangedByteBreaksFingerprintOrIntegrity) {
  // But for the type of FINGERPRINT itself: as an unknown attribute behind MESSAGE-INTEGRITY it is ignored.
  const size_t fingerprint = kRequest.size() - 8;
  for (size_t i = 0; i < kRequest.size(); ++i) {
    if (i == fingerprint || i == fingerprint + 1)
      continue;
    auto changed = kRequest;
    changed[i] ^= 0x01;
    const auto request = parse_binding_request(changed);
    EXPECT_TRUE(!request || !check_integrity(changed, *request, kPassword)) << "byte " << i;
  }
}

TEST(Stun, RefusesEveryTruncation) {
  for (size_t size = 0; size < kRequest.size(); ++size)
    EXPECT_FALSE(parse_binding_request(std::span(kRequest).first(size))) << size;
}

TEST(Stun, RefusesRequestsWithoutUsernameOrIntegrity) {
  auto bare = from_hex("000100002112a442b7e7a701bc34d686fa87dfae");
  EXPECT_TRUE(looks_like_stun(bare));
  EXPECT_FALSE(parse_binding_request(bare));
}

TEST(Stun, AnswersWithTheMappedAddressOfRfc5769) {
  // §2.2: the response maps 192.0.2.1 port 32853 to a147 and e112a643.
  const auto request = parse_binding_request(kRequest);
  const auto response = binding_response(*request, v4(192, 0, 2, 1, 32853), kPassword);
  const auto expected = from_hex("002000080001a147e112a643");
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), response.begin() + 20));
  EXPECT_EQ(response[0], 0x01);
  EXPECT_EQ(response[1], 0x01);
  EXPECT_TRUE(std::equal(kRequest.begin() + 4, kRequest.begin() + 20, response.begin() + 4));
  EXPECT_TRUE(looks_like_stun(response));
}

TEST(Stun, AnswersWithAnIpv6AddressOfRfc5769) {
  // §2.3: 2001:db8:1234:5678:11:2233:4455:6677 port 32853.
  SocketAddress from;
  from.ip = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
  from.port = 32853;
  const auto response = binding_response(*parse_binding_request(kRequest), from, kPassword);
  const auto expected = from_hex("002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9");
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), response.begin() + 20));
}

TEST(Stun, SurvivesNoise) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    auto noise = kRequest;
    for (int i = 0; i < 6; ++i)
      noise[random() % noise.size()] = static_cast<uint8_t>(random());
    noise.resize(random() % (noise.size() + 1));
    if (const auto request = parse_binding_request(noise))
      check_integrity(noise, *request, kPassword);
  }
}

TEST(SocketAddress, PrintsBothFamilies) {
  EXPECT_EQ(v4(192, 0, 2, 1, 80).text(), "192.0.2.1:80");
  SocketAddress v6;
  v6.ip[15] = 1;
  v6.port = 8080;
  EXPECT_EQ(v6.text(), "[::1]:8080");
}

}  // namespace
}  // namespace vitrine
