// SPDX-License-Identifier: LGPL-2.1-or-later
// Asking for a relay: what is sent, which answers count, and what comes of them.
#include "webrtc/turn/turn-allocation.h"

#include <gtest/gtest.h>

#include <map>

namespace vitrine {
namespace {

constexpr uint16_t kAllocate = 0x0003, kRefresh = 0x0004, kSuccess = 0x0100, kError = 0x0110;

std::vector<uint8_t> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

struct Request {
  uint16_t type = 0;
  std::map<uint16_t, std::string> attributes;
  size_t integrity_offset = 0;
};

Request read(const std::vector<uint8_t>& packet) {
  Request request;
  EXPECT_TRUE(looks_like_stun(packet));
  request.type = stun_type(packet);
  const auto integrity = read_stun_attributes(packet, [&](uint16_t type, std::span<const uint8_t> value) {
    request.attributes[type].assign(value.begin(), value.end());
    return true;
  });
  EXPECT_TRUE(integrity);
  request.integrity_offset = integrity.value_or(0);
  return request;
}

/// A server with one user, joe, whose password is sesame.
struct Server {
  std::string realm = "test", nonce = "first";
  std::string key = turn_login("joe", "sesame", "test", "").key;

  std::vector<uint8_t> refusal(const std::vector<uint8_t>& request, int code, bool asks = true) const {
    auto answer = stun_head(static_cast<uint16_t>(stun_type(request) | kError), stun_transaction(request));
    append_stun_attribute(answer, StunAttribute::kErrorCode,
                          std::vector<uint8_t>{0, 0, static_cast<uint8_t>(code / 100), static_cast<uint8_t>(code % 100)});
    if (asks) {
      append_stun_text(answer, StunAttribute::kRealm, realm);
      append_stun_text(answer, StunAttribute::kNonce, nonce);
    }
    append_stun_fingerprint(answer);
    return answer;
  }
  std::vector<uint8_t> grant(const std::vector<uint8_t>& request, const std::string& signed_with, bool v6 = false) const {
    auto answer = stun_head(static_cast<uint16_t>(stun_type(request) | kSuccess), stun_transaction(request));
    // 192.0.2.7 or 2001:db8::7, port 49160.
    std::vector<uint8_t> ip = v6 ? from_hex("20010db8000000000000000000000007") : from_hex("c0000207"), value{0, static_cast<uint8_t>(v6 ? 2 : 1)};
    append16(value, 49160 ^ 0x2112);
    for (size_t i = 0; i < ip.size(); ++i)
      value.push_back(ip[i] ^ answer[4 + i]);
    append_stun_attribute(answer, StunAttribute::kXorRelayedAddress, value);
    if (!signed_with.empty())
      append_stun_integrity(answer, signed_with);
    append_stun_fingerprint(answer);
    return answer;
  }
  /// As RFC 8489 §9.2.4 has it.
  std::vector<uint8_t> answer(const std::vector<uint8_t>& packet) const {
    const auto request = read(packet);
    if (request.integrity_offset == 0 || !check_integrity(packet, request.integrity_offset, key))
      return refusal(packet, 401);
    return request.attributes.at(StunAttribute::kNonce) == nonce ? grant(packet, key) : refusal(packet, 438);
  }
};

StunTransaction next_transaction() {
  static uint8_t last = 0;
  return {++last};
}

TurnAllocation asking(const std::string& user = "joe", const std::string& password = "sesame") { return {user, password, next_transaction}; }

TEST(TurnLogin, SignsAsTheSampleOfRfc5769Does) {
  // §2.4, a request with long-term credentials.
  const auto sample = from_hex(
      "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b9000000"
      "15001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700"
      "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666");
  const auto request = read(sample);
  const auto login = turn_login("マトリックス", "TheMatrIX", "example.org", "");
  EXPECT_TRUE(check_integrity(sample, request.integrity_offset, login.key));
  EXPECT_FALSE(check_integrity(sample, request.integrity_offset, turn_login("マトリックス", "TheMatrix", "example.org", "").key));
}

TEST(TurnAllocation, LogsInWhenAskedToAndGivesTheRelayBack) {
  const Server server;
  auto allocation = asking();
  const auto first = read(allocation.request());
  EXPECT_EQ(first.type, kAllocate);
  EXPECT_EQ(first.attributes.at(StunAttribute::kRequestedTransport), std::string("\x11\0\0\0", 4));
  EXPECT_EQ(first.attributes.size(), 1u);
  ASSERT_TRUE(allocation.take(server.answer(allocation.request())));
  EXPECT_FALSE(allocation.done());
  const auto second = read(allocation.request());
  EXPECT_EQ(second.attributes.at(StunAttribute::kUsername), "joe");
  EXPECT_EQ(second.attributes.at(StunAttribute::kRealm), "test");
  ASSERT_TRUE(allocation.take(server.answer(allocation.request())));
  ASSERT_TRUE(allocation.done());
  EXPECT_EQ(allocation.error(), 0);
  EXPECT_EQ(allocation.relay()->text(), "192.0.2.7:49160");
  allocation.release();
  EXPECT_FALSE(allocation.done());
  const auto release = read(allocation.request());
  EXPECT_EQ(release.type, kRefresh);
  EXPECT_EQ(release.attributes.at(StunAttribute::kLifetime), std::string(4, '\0'));
  EXPECT_TRUE(check_integrity(allocation.request(), release.integrity_offset, server.key));
  // Whatever comes of it, the relay was there.
  EXPECT_TRUE(allocation.take(server.refusal(allocation.request(), 437)));
  EXPECT_TRUE(allocation.done());
  EXPECT_TRUE(allocation.relay());
  EXPECT_EQ(allocation.error(), 0);
}

TEST(TurnAllocation, NeedsNoLoginWhereNoneIsAsked) {
  auto allocation = asking("", "");
  EXPECT_TRUE(allocation.take(Server().grant(allocation.request(), "", true)));
  ASSERT_TRUE(allocation.relay());
  EXPECT_EQ(allocation.relay()->text(), "[2001:db8::7]:49160");
  EXPECT_FALSE(allocation.logged_in());
}

TEST(TurnAllocation, EndsWhereCredentialsAreRefused) {
  const Server server;
  for (const auto& [user, password] : {std::pair("joe", "wrong"), std::pair("ann", "sesame")}) {
    auto allocation = asking(user, password);
    EXPECT_TRUE(allocation.take(server.answer(allocation.request())));
    EXPECT_TRUE(allocation.take(server.answer(allocation.request())));
    EXPECT_TRUE(allocation.done());
    EXPECT_FALSE(allocation.relay());
    EXPECT_EQ(allocation.error(), TurnAllocation::kUnauthorised);
  }
}

TEST(TurnAllocation, TakesANewNonceButNotForEver) {
  Server server;
  auto allocation = asking();
  EXPECT_TRUE(allocation.take(server.answer(allocation.request())));
  server.nonce = "second";
  EXPECT_TRUE(allocation.take(server.answer(allocation.request())));
  EXPECT_EQ(read(allocation.request()).attributes.at(StunAttribute::kNonce), "second");
  EXPECT_TRUE(allocation.take(server.answer(allocation.request())));
  EXPECT_TRUE(allocation.relay());

  auto endless = asking();
  int answers = 0;
  for (; !endless.done() && answers < 20; ++answers)
    endless.take(endless.logged_in() ? server.refusal(endless.request(), 438) : server.answer(endless.request()));
  EXPECT_LT(answers, 6);
  EXPECT_EQ(endless.error(), TurnAllocation::kStaleNonce);
}

TEST(TurnAllocation, RefusalsWithoutMoreAreToldAsTheyAre) {
  for (const int code : {403, 486, 508, 300}) {
    auto allocation = asking();
    EXPECT_TRUE(allocation.take(Server().refusal(allocation.request(), code, false)));
    EXPECT_TRUE(allocation.done());
    EXPECT_EQ(allocation.error(), code);
  }
}

TEST(TurnAllocation, TakesNoAnswerThatIsNoneOfThisServers) {
  const Server server;
  auto allocation = asking();
  auto other = asking();
  EXPECT_FALSE(allocation.take(server.answer(other.request()))) << "of another question";
  EXPECT_FALSE(allocation.take(allocation.request())) << "a question";
  EXPECT_TRUE(allocation.take(server.answer(allocation.request())));
  EXPECT_FALSE(allocation.take(server.grant(allocation.request(), ""))) << "not signed";
  EXPECT_FALSE(allocation.take(server.grant(allocation.request(), turn_login("joe", "other", "test", "").key))) << "signed by somebody else";
  const auto good = server.answer(allocation.request());
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(allocation.take(std::span(good).first(length))) << length;
  for (size_t i = 0; i < good.size(); ++i) {
    auto changed = good;
    changed[i] ^= 0x01;
    // But for the type of FINGERPRINT itself: as an unknown attribute behind MESSAGE-INTEGRITY it is ignored.
    if (i < good.size() - 8) {
      EXPECT_FALSE(allocation.take(changed)) << i;
    }
  }
  EXPECT_FALSE(allocation.done());
  EXPECT_TRUE(allocation.take(good));
  EXPECT_FALSE(allocation.take(good)) << "a second time";
}

}  // namespace
}  // namespace vitrine
