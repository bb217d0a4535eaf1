// SPDX-License-Identifier: LGPL-2.1-or-later
// Which path a viewer's end of the shared port is on.
#include "webrtc/ice-endpoint.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "webrtc/ice-io.h"

namespace vitrine {
namespace {

constexpr int64_t kSecond = 1'000'000;

/// An endpoint without sockets: what it receives is told to it, what it sends goes nowhere.
class IceEndpointTest : public testing::Test {
 protected:
  IceEndpointTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    other_.reset(ends[1]);
    tcp.connection = std::make_shared<IceTcpConnection>(UniqueFd(ends[0]), SocketAddress{});
    udp.address.port = 1;
    other_udp.address.port = 2;
    endpoint->open("here", "secret");
  }
  ~IceEndpointTest() override { endpoint->close(); }

  /// A check of the browser's, which says that it wants this path.
  void nominate(const IceRemote& remote, int64_t now_us) {
    const auto packet = binding_request({}, "here:there", 7, "secret");
    auto request = parse_binding_request(packet);
    ASSERT_TRUE(request);
    request->use_candidate = true;
    EXPECT_TRUE(endpoint->on_binding_request(packet, *request, remote, now_us));
  }

  IceIo io;
  const std::shared_ptr<IceEndpoint> endpoint = std::make_shared<IceEndpoint>(io, IceEndpoint::Callbacks{[](auto) {}, [] {}});
  IceRemote udp, other_udp, tcp;
  const std::vector<uint8_t> media = std::vector<uint8_t>(20, 0x80);

 private:
  UniqueFd other_;
};

TEST_F(IceEndpointTest, TakesTheLastPathThatIsNominated) {
  EXPECT_EQ(endpoint->path(), IcePath::none);
  nominate(tcp, kSecond);
  EXPECT_EQ(endpoint->path(), IcePath::tcp);
  nominate(udp, 2 * kSecond);
  EXPECT_EQ(endpoint->path(), IcePath::udp);
  nominate(other_udp, 3 * kSecond);
  EXPECT_EQ(endpoint->statistics().remote, other_udp.address.text());
}

TEST_F(IceEndpointTest, KeepsUdpWhileItLives) {
  nominate(udp, kSecond);
  for (int64_t second = 2; second <= 20; ++second) {
    endpoint->on_packet(media, udp, second * kSecond);
    nominate(tcp, second * kSecond);
    ASSERT_EQ(endpoint->path(), IcePath::udp);
  }
}

TEST_F(IceEndpointTest, LeavesUdpThatIsDeadWhateverComesByTcp) {
  nominate(udp, kSecond);
  for (int64_t second = 2; second <= 5; ++second) {
    endpoint->on_packet(media, tcp, second * kSecond);
    endpoint->on_packet(media, other_udp, second * kSecond);
    nominate(tcp, second * kSecond);
    ASSERT_EQ(endpoint->path(), IcePath::udp) << "so short a silence is none";
  }
  nominate(tcp, 7 * kSecond);
  EXPECT_EQ(endpoint->path(), IcePath::tcp);
  EXPECT_EQ(endpoint->last_received_us(), 7 * kSecond);
}

TEST_F(IceEndpointTest, HasNoPathOnceItsConnectionIsClosed) {
  nominate(tcp, kSecond);
  endpoint->on_tcp_closed(tcp.connection.get());
  EXPECT_EQ(endpoint->path(), IcePath::none);
  nominate(udp, 2 * kSecond);
  endpoint->on_tcp_closed(tcp.connection.get());
  EXPECT_EQ(endpoint->path(), IcePath::udp);
}

TEST_F(IceEndpointTest, RefusesAWrongPassword) {
  const auto packet = binding_request({}, "here:there", 7, "guessed");
  EXPECT_FALSE(endpoint->on_binding_request(packet, *parse_binding_request(packet), udp, kSecond));
  EXPECT_EQ(endpoint->path(), IcePath::none);
  EXPECT_EQ(endpoint->statistics().refused_requests, 1u);
}

}  // namespace
}  // namespace vitrine
