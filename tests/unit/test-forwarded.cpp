// SPDX-License-Identifier: LGPL-2.1-or-later
// Whom X-Forwarded-* is believed, the network settings, and who could not reach the port.
#include <gtest/gtest.h>

#include "webrtc/network-settings.h"
#include "webrtc/reach-memory.h"

namespace vitrine {
namespace {

TrustedProxies proxies(const std::string& list) {
  std::string error;
  auto parsed = TrustedProxies::parse(list, error);
  EXPECT_TRUE(parsed.has_value()) << error;
  return parsed.value_or(TrustedProxies());
}

TEST(TrustedProxies, TakeAddressesAndNetworks) {
  const auto some = proxies("10.0.0.0/8, 192.0.2.7 2001:db8::/33,::1");
  for (const char* trusted : {"10.255.0.1", "192.0.2.7", "2001:db8:7fff::1", "::1", "::ffff:10.1.2.3"})
    EXPECT_TRUE(some.trusts(trusted)) << trusted;
  for (const char* stranger : {"11.0.0.1", "192.0.2.8", "2001:db8:8000::1", "::2", "", "no address"})
    EXPECT_FALSE(some.trusts(stranger)) << stranger;
  EXPECT_TRUE(proxies("0.0.0.0/0").trusts("203.0.113.1"));
  EXPECT_FALSE(proxies("0.0.0.0/0").trusts("2001:db8::1"));
  EXPECT_TRUE(proxies("").empty());
}

TEST(TrustedProxies, RefuseWhatIsNoNetwork) {
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "proxy.example", "::/129", "10.0.0.0/-1", "10.0.0.0/8/9"}) {
    std::string error;
    EXPECT_FALSE(TrustedProxies::parse(bad, error)) << bad;
    EXPECT_NE(error.find(bad), std::string::npos);
  }
}

RequestOrigin origin(const std::string& remote, const ForwardedHeaders& headers) {
  return request_origin(proxies("10.0.0.0/8"), {remote, "10.0.0.1:8080", false}, headers);
}

TEST(Forwarded, StrangersAreNotBelieved) {
  const auto got = origin("203.0.113.1", {"198.51.100.1", "https", "evil.example", "443"});
  EXPECT_EQ(got.remote, "203.0.113.1");
  EXPECT_EQ(got.host, "10.0.0.1:8080");
  EXPECT_FALSE(got.secure);
}

TEST(Forwarded, TheLastThatIsNoProxyAsked) {
  EXPECT_EQ(origin("10.0.0.1", {"198.51.100.1", "", "", ""}).remote, "198.51.100.1");
  EXPECT_EQ(origin("10.0.0.1", {"6.6.6.6, 198.51.100.1, 10.0.0.9", "", "", ""}).remote, "198.51.100.1");
  EXPECT_EQ(origin("10.0.0.1", {"198.51.100.1:4711", "", "", ""}).remote, "198.51.100.1");
  EXPECT_EQ(origin("10.0.0.1", {"[2001:db8::1]:4711", "", "", ""}).remote, "2001:db8::1");
  EXPECT_EQ(origin("10.0.0.1", {"unknown", "", "", ""}).remote, "10.0.0.1");
  EXPECT_EQ(origin("10.0.0.1", {"198.51.100.1, unknown", "", "", ""}).remote, "10.0.0.1");
  EXPECT_EQ(origin("10.0.0.1", {"", "", "", ""}).remote, "10.0.0.1");
}

TEST(Forwarded, SchemeHostAndPort) {
  const auto got = origin("10.0.0.1", {"198.51.100.1", "https", "desk.example", "8443"});
  EXPECT_TRUE(got.secure);
  EXPECT_EQ(got.host, "desk.example:8443");
  EXPECT_EQ(origin("10.0.0.1", {"", "https", "desk.example", "443"}).host, "desk.example");
  EXPECT_EQ(origin("10.0.0.1", {"", "", "desk.example:81", "82"}).host, "desk.example:81");
  EXPECT_EQ(origin("10.0.0.1", {"", "", "bad host\r\n", "82"}).host.find('\r'), std::string::npos);
}

TEST(NetworkSettings, BringTheBasePathIntoOneForm) {
  const auto path = [](const std::string& text) {
    NetworkSettings settings;
    settings.base_path = text;
    const std::string problem = network_settings_problem(settings);
    return problem.empty() ? settings.base_path : problem;
  };
  EXPECT_EQ(path(""), "");
  EXPECT_EQ(path("/"), "");
  EXPECT_EQ(path("desk"), "/desk");
  EXPECT_EQ(path("/team/desk/"), "/team/desk");
  for (const char* bad : {"/a b", "/a//b", "/a/../b", "/..", "/a?b", "/<x>"})
    EXPECT_TRUE(path(bad).starts_with("base-path: ")) << bad;
}

TEST(ReachMemory, ForgetsAfterAWhileAndIsBounded) {
  ReachMemory memory;
  memory.failed("192.0.2.1", 0);
  EXPECT_TRUE(memory.unreachable("192.0.2.1", 1));
  EXPECT_FALSE(memory.unreachable("192.0.2.2", 1));
  EXPECT_FALSE(memory.unreachable("192.0.2.1", ReachMemory::kForgetUs));
  memory.reached("192.0.2.1");
  EXPECT_FALSE(memory.unreachable("192.0.2.1", 1));
  for (size_t i = 0; i < 2 * ReachMemory::kMax; ++i)
    memory.failed(std::to_string(i), 0);
  size_t kept = 0;
  for (size_t i = 0; i < 2 * ReachMemory::kMax; ++i)
    kept += memory.unreachable(std::to_string(i), 1);
  EXPECT_LE(kept, ReachMemory::kMax);
}

}  // namespace
}  // namespace vitrine
