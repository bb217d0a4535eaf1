// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/stun.h"

#include <glib.h>
#include <gtest/gtest.h>

#include <random>

#include "webrtc/echo-asker.h"

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
  EXPECT_TRUE(check_integrity(kRequest, request->integrity_offset, kPassword));
  EXPECT_FALSE(check_integrity(kRequest, request->integrity_offset, "wrong"));
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
    EXPECT_TRUE(!request || !check_integrity(changed, request->integrity_offset, kPassword)) << "byte " << i;
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

/// A request with these attributes and, if wanted, MESSAGE-INTEGRITY.
std::vector<uint8_t> request_with(const std::vector<std::string>& attributes, bool integrity = true) {
  std::vector<uint8_t> out = from_hex("000100002112a442b7e7a701bc34d686fa87dfae");
  for (const auto& hex : attributes) {
    const auto bytes = from_hex(hex);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  const size_t length = out.size() - 20 + (integrity ? 24 : 0);
  out[2] = static_cast<uint8_t>(length >> 8);
  out[3] = static_cast<uint8_t>(length);
  if (integrity) {
    unsigned char digest[20];
    gsize size = sizeof digest;
    GHmac* hmac = g_hmac_new(G_CHECKSUM_SHA1, reinterpret_cast<const guchar*>(kPassword), sizeof kPassword - 1);
    g_hmac_update(hmac, out.data(), static_cast<gssize>(out.size()));
    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
    const auto head = from_hex("00080014");
    out.insert(out.end(), head.begin(), head.end());
    out.insert(out.end(), digest, digest + 20);
  }
  return out;
}
constexpr char kUsernameHex[] = "00060003613a6200";

TEST(Stun, ReadsWhatAFullAgentSends) {
  const auto bytes = request_with({kUsernameHex, "802a00080102030405060708", "00250000", "002400046e7f1eff", "c057000400010032"});
  const auto request = parse_binding_request(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->username, "a:b");
  EXPECT_TRUE(request->use_candidate);
  EXPECT_EQ(request->priority, 0x6e7f1effu);
  EXPECT_TRUE(check_integrity(bytes, request->integrity_offset, kPassword));
}

TEST(Stun, IgnoresWhatIntegrityDoesNotCover) {
  auto bytes = request_with({kUsernameHex});
  for (const char* hex : {"00250000", "002400046e7f1eff", "0006000478787878"}) {
    const auto more = from_hex(hex);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  bytes[3] = static_cast<uint8_t>(bytes.size() - 20);
  const auto request = parse_binding_request(bytes);
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->use_candidate);
  EXPECT_EQ(request->priority, 0u);
  EXPECT_EQ(request->username, "a:b");
  EXPECT_TRUE(check_integrity(bytes, request->integrity_offset, kPassword));
}

TEST(Stun, RefusesAttributesThatLieAboutTheirLength) {
  const std::string name513 = "00060201" + [] { std::string hex; for (int i = 0; i < 516; ++i) hex += "61"; return hex; }();
  const std::string name514 = "00060202" + name513.substr(8);
  EXPECT_TRUE(parse_binding_request(request_with({name513}))) << "the longest user name there may be";
  EXPECT_FALSE(parse_binding_request(request_with({name514})));
  EXPECT_FALSE(parse_binding_request(request_with({kUsernameHex, "00240002aabb0000"}))) << "PRIORITY of 2 bytes";
  EXPECT_FALSE(parse_binding_request(request_with({kUsernameHex, "0024000500112233"}))) << "takes the next one's head";
  EXPECT_FALSE(parse_binding_request(request_with({kUsernameHex, "8022ffff"}))) << "beyond the packet";
  EXPECT_FALSE(parse_binding_request(request_with({kUsernameHex, "0008000411223344"}, false))) << "a short HMAC";
  EXPECT_FALSE(parse_binding_request(request_with({kUsernameHex, "0008001400"}, false)));
  EXPECT_FALSE(parse_binding_request(request_with({"00060000"}))) << "an empty user name";
}

TEST(Stun, RefusesAFingerprintThatIsWrongOrNotTheLast) {
  auto wrong = kRequest;
  wrong.back() ^= 1;
  EXPECT_FALSE(parse_binding_request(wrong));
  auto early = kRequest;
  const auto more = from_hex("00250000");
  early.insert(early.end(), more.begin(), more.end());
  early[3] = static_cast<uint8_t>(early[3] + 4);
  EXPECT_FALSE(parse_binding_request(early));
}

TEST(Stun, RefusesOtherMethodsAndClasses) {
  // Indication, success, error, allocate request; top bits set; another cookie.
  for (const auto& [at, value] : {std::pair{0, 0x11}, {0, 0x01}, {1, 0x11}, {1, 0x03}, {0, 0x40}, {0, 0x80}, {4, 0x22}}) {
    auto bytes = kRequest;
    bytes[static_cast<size_t>(at)] = static_cast<uint8_t>(value);
    EXPECT_FALSE(parse_binding_request(bytes)) << at << " " << value;
  }
  auto longer = kRequest;
  longer.resize(longer.size() + 4);
  EXPECT_FALSE(looks_like_stun(longer)) << "more bytes than the header says";
}

TEST(Stun, ItsAnswerIsProtectedAsItsRequest) {
  const auto request = parse_binding_request(kRequest);
  const auto response = binding_response(*request, v4(192, 0, 2, 1, 32853), kPassword);
  // As a request it has to pass the same checks: one attribute, MESSAGE-INTEGRITY, FINGERPRINT.
  ASSERT_EQ(response.size(), 20u + 12 + 24 + 8);
  const auto read = parse_binding_response(response);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->transaction, request->transaction);
  EXPECT_EQ(read->integrity_offset, 32u);
  EXPECT_TRUE(check_integrity(response, read->integrity_offset, kPassword));
  EXPECT_FALSE(check_integrity(response, read->integrity_offset, "other"));
  EXPECT_FALSE(check_integrity(response, response.size() - 23, kPassword)) << "not inside";
}

constexpr char kAnswer4[] =
    "0101002c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a6430008001474c9371ebf3148548518699c"
    "3e3174c20dd9e68a80280004fae4043a";
constexpr char kAnswer6[] =
    "010100382112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014"
    "ee33a0555319eec10ad5fbfdf8733d196e552b3c802800045ded7186";

// §2.2 and §2.3 as a whole but for SOFTWARE: computed with Python's hmac and zlib.
TEST(Stun, AnswersAreRightToTheLastByte) {
  const auto request = parse_binding_request(kRequest);
  EXPECT_EQ(binding_response(*request, v4(192, 0, 2, 1, 32853), kPassword), from_hex(kAnswer4));
  SocketAddress from;
  from.ip = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
  from.port = 32853;
  EXPECT_EQ(binding_response(*request, from, kPassword), from_hex(kAnswer6));
}

TEST(Stun, UserNamesWithoutAColonHaveNoOtherSide) {
  StunRequest request;
  request.username = "alone";
  EXPECT_EQ(request.local_ufrag(), "alone");
  EXPECT_EQ(request.remote_ufrag(), "");
  request.username = "a:b:c";
  EXPECT_EQ(request.local_ufrag(), "a");
  EXPECT_EQ(request.remote_ufrag(), "b:c");
}

TEST(Stun, SurvivesNoise) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    auto noise = kRequest;
    for (int i = 0; i < 6; ++i)
      noise[random() % noise.size()] = static_cast<uint8_t>(random());
    noise.resize(random() % (noise.size() + 1));
    if (const auto request = parse_binding_request(noise))
      check_integrity(noise, request->integrity_offset, kPassword);
  }
}

TEST(SocketAddress, PrintsBothFamilies) {
  EXPECT_EQ(v4(192, 0, 2, 1, 80).text(), "192.0.2.1:80");
  SocketAddress v6;
  v6.ip[15] = 1;
  v6.port = 8080;
  EXPECT_EQ(v6.text(), "[::1]:8080");
}

TEST(Stun, OurQuestionIsOneThatWeWouldAnswer) {
  const std::array<uint8_t, 12> transaction{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const auto packet = binding_request(transaction, "them:us", 42, kPassword);
  const auto request = parse_binding_request(packet);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->transaction, transaction);
  EXPECT_EQ(request->username, "them:us");
  EXPECT_FALSE(request->use_candidate) << "the browser chooses the path";
  EXPECT_TRUE(check_integrity(packet, request->integrity_offset, kPassword));
  EXPECT_FALSE(parse_binding_response(packet));
  auto cut = packet;
  for (; !cut.empty(); cut.pop_back())
    parse_binding_response(cut);
}

std::vector<uint8_t> video(size_t size, bool last) {
  std::vector<uint8_t> packet(size);
  packet[0] = 0x80;
  packet[1] = last ? 0xe0 : 0x60;
  return packet;
}

TEST(EchoAsker, AsksEveryFewKilobytes) {
  EchoAsker asker(7);
  // Echoes of input: 6 kB of them are one question, 2 % whatever their size.
  for (int frame = 0; frame < 3; ++frame) {
    EXPECT_EQ(asker.left(video(900, false)), 0);
    EXPECT_EQ(asker.left(video(900, true)), 0);
  }
  EXPECT_EQ(asker.left(video(900, true)), 1);
  int questions = 0;
  for (int i = 0; i < 30; ++i)
    questions += asker.left(video(1200, false));
  EXPECT_EQ(questions, 6);
  for (int i = 0; i < 3; ++i)
    asker.left(video(1200, false));
  EXPECT_EQ(asker.left(video(1200, true)), 2);
  EXPECT_EQ(asker.frame_bytes(), 34u * 1200);
  std::vector<uint8_t> rtcp(1200);
  rtcp[0] = 0x80;
  rtcp[1] = 201;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(asker.left(rtcp), 0);
  EXPECT_EQ(asker.left({}), 0);
}

TEST(EchoAsker, TakesEachAnswerOnceAndInOrder) {
  EchoAsker asker(0x1234567890abcdef);
  const auto first = asker.next_id(), second = asker.next_id();
  auto forged = asker.transaction(second);
  forged[11] ^= 1;
  EXPECT_FALSE(asker.answers(forged));
  EXPECT_FALSE(asker.answers(asker.transaction(second + 1))) << "not asked";
  EXPECT_EQ(asker.answers(asker.transaction(second)), second);
  asker.answered(second);
  EXPECT_FALSE(asker.answers(asker.transaction(second)));
  EXPECT_FALSE(asker.answers(asker.transaction(first)));
}

}  // namespace
}  // namespace vitrine
