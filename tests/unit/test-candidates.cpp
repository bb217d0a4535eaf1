// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/candidates.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

/// "UDP 192.0.2.1 8080", one per candidate.
std::vector<std::string> targets(const CandidateInputs& inputs) {
  std::vector<std::string> out;
  for (const auto& candidate : make_candidates(inputs)) {
    std::vector<std::string> words;
    for (size_t at = 0; at < candidate.size();) {
      const size_t end = std::min(candidate.find(' ', at), candidate.size());
      words.push_back(candidate.substr(at, end - at));
      at = end + 1;
    }
    out.push_back(words.at(2) + " " + words.at(4) + " " + words.at(5));
  }
  return out;
}

CandidateInputs inputs(const std::string& host, const std::string& local) {
  CandidateInputs result;
  result.host_header = host;
  result.local_address = local;
  result.port = 8080;
  return result;
}

TEST(Candidates, NameTheHostByWhichThePageWasReached) {
  EXPECT_EQ(targets(inputs("192.0.2.1:9000", "10.88.0.5")),
            (std::vector<std::string>{"UDP 192.0.2.1 9000", "TCP 192.0.2.1 9000", "UDP 10.88.0.5 8080", "TCP 10.88.0.5 8080"}));
}

TEST(Candidates, HaveNoDuplicates) {
  EXPECT_EQ(targets(inputs("192.0.2.1:8080", "192.0.2.1")), (std::vector<std::string>{"UDP 192.0.2.1 8080", "TCP 192.0.2.1 8080"}));
}

TEST(Candidates, KnowLocalhostAndTheOtherAddressesOfThisMachine) {
  auto in = inputs("localhost:8080", "127.0.0.1");
  in.tcp = false;
  in.other_addresses = {"192.0.2.7", "fe80::1"};
  EXPECT_EQ(targets(in), (std::vector<std::string>{"UDP 127.0.0.1 8080", "UDP ::1 8080", "UDP 192.0.2.7 8080"}));
}

TEST(Candidates, UseWhatANameResolvedTo) {
  auto in = inputs("desk.example", "10.0.0.1");
  in.udp = false;
  in.default_http_port = 443;
  in.resolved = {"203.0.113.9", "2001:db8::9"};
  EXPECT_EQ(targets(in), (std::vector<std::string>{"TCP 203.0.113.9 443", "TCP 2001:db8::9 443", "TCP 10.0.0.1 8080"}));
}

TEST(Candidates, APublicAddressReplacesAllOthers) {
  auto in = inputs("192.0.2.1", "10.0.0.1");
  in.public_address = "203.0.113.5:3478";
  in.tcp = false;
  EXPECT_EQ(targets(in), (std::vector<std::string>{"UDP 203.0.113.5 3478"}));
  in.public_address = "desk.example";
  EXPECT_EQ(targets(in), (std::vector<std::string>{"UDP desk.example 8080"}));
}

TEST(Candidates, AreWrittenAsRfc8839And6544Have) {
  EXPECT_EQ(make_candidates(inputs("192.0.2.1", "192.0.2.1")).front(), "candidate:1 1 UDP 2130706431 192.0.2.1 80 typ host");
  auto in = inputs("[2001:DB8:0::1]:8080", "2001:db8::1");
  in.udp = false;
  EXPECT_EQ(make_candidates(in), (std::vector<std::string>{"candidate:2 1 TCP 1526726655 2001:db8::1 8080 typ host tcptype passive"}));
  in.tcp = false;
  EXPECT_TRUE(make_candidates(in).empty());
}

TEST(Candidates, AreBestFirstWithFallingPriority) {
  auto in = inputs("localhost:8080", "10.0.0.1");
  in.tcp = false;
  in.other_addresses = {"192.0.2.7", "2001:db8::7"};
  uint32_t last = UINT32_MAX;
  for (const auto& candidate : make_candidates(in)) {
    const auto priority = static_cast<uint32_t>(std::stoul(candidate.substr(candidate.find("UDP ") + 4)));
    EXPECT_LT(priority, last) << candidate;
    last = priority;
  }
}

TEST(Candidates, LeaveOutWhatABrowserCannotUse) {
  for (const char* host : {"[fe80::1]:8080", "[FEBF::1]:8080", "[::]:8080", "0.0.0.0:8080", "[ff02::1]", "224.0.0.1"})
    EXPECT_EQ(targets(inputs(host, "192.0.2.1")), targets(inputs("192.0.2.1:8080", "192.0.2.1"))) << host;
  for (const char* local : {"fe80::1%eth0", "fe80::1", "::", "", "nonsense", "169.254.9.9 x"})
    EXPECT_EQ(targets(inputs("192.0.2.1:8080", local)), targets(inputs("192.0.2.1:8080", "192.0.2.1"))) << local;
}

TEST(Candidates, ReachAMachineThatHasALinkLocalAddressOnly) {
  // Two machines on one cable, or a USB network: the browser came by that address, so it is good for media.
  auto in = inputs("169.254.7.1:8080", "169.254.7.1");
  in.tcp = false;
  EXPECT_EQ(targets(in), (std::vector<std::string>{"UDP 169.254.7.1 8080"}));
  in = inputs("localhost:8080", "127.0.0.1");
  in.tcp = false;
  in.other_addresses = {"169.254.7.1"};
  EXPECT_EQ(targets(in), (std::vector<std::string>{"UDP 127.0.0.1 8080", "UDP ::1 8080"}));
}

TEST(Candidates, WriteMappedAddressesAsIpv4) {
  EXPECT_EQ(targets(inputs("[::ffff:c000:201]:8080", "::ffff:192.0.2.1")),
            (std::vector<std::string>{"UDP 192.0.2.1 8080", "TCP 192.0.2.1 8080"}));
}

TEST(Candidates, KnowNamesBelowLocalhost) {
  auto in = inputs("desk.localhost:9000", "127.0.0.1");
  in.udp = false;
  EXPECT_EQ(targets(in), (std::vector<std::string>{"TCP 127.0.0.1 9000", "TCP ::1 9000", "TCP 127.0.0.1 8080"}));
  EXPECT_EQ(targets(inputs("notlocalhost:9000", "192.0.2.1")).size(), 2u);
}

TEST(Candidates, SurviveAHostileHostHeader) {
  EXPECT_EQ(targets(inputs("a b\r\nc", "10.0.0.1")), (std::vector<std::string>{"UDP 10.0.0.1 8080", "TCP 10.0.0.1 8080"}));
}

TEST(HostPort, ReadsWhatAHostHeaderMayHold) {
  EXPECT_EQ(parse_host_port("desk.example:80"), (HostPort{"desk.example", 80}));
  EXPECT_EQ(parse_host_port("[2001:db8::1]:8080"), (HostPort{"2001:db8::1", 8080}));
  EXPECT_EQ(parse_host_port("[::1]"), (HostPort{"::1", 0}));
  EXPECT_EQ(parse_host_port("2001:db8::1"), (HostPort{"2001:db8::1", 0}));
  EXPECT_EQ(parse_host_port("192.0.2.1:65535"), (HostPort{"192.0.2.1", 65535}));
  EXPECT_FALSE(parse_host_port(std::string("[::1\0x]", 7)));
  EXPECT_FALSE(parse_host_port(std::string("a\0b", 3)));
  EXPECT_FALSE(parse_host_port(std::string(254, 'a')));
  EXPECT_TRUE(parse_host_port(std::string(253, 'a')));
  for (const char* bad : {"a:+80", "a:-1", "a:080808", "[fe80::1%25eth0]:1", "[::1]:", "[]", "[::1]:0", "1:2:3", "user@a", "ü"})
    EXPECT_FALSE(parse_host_port(bad)) << bad;
  for (const char* bad : {"", ":80", "a:", "a:0", "a:65536", "a:8x", "[::1", "[::1]x", "[a]:1", "a b", "a/b", "a\r\nb"})
    EXPECT_FALSE(parse_host_port(bad)) << bad;
}

}  // namespace
}  // namespace vitrine
