// SPDX-License-Identifier: LGPL-2.1-or-later
// The ICE thread and its connections, over real sockets.
#include "webrtc/ice-io.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

namespace vitrine {
namespace {

/// A browser's end of an ICE-TCP connection.
class Caller {
 public:
  explicit Caller(IceIo& io) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    fd_.reset(ends[1]);
    io.adopt_tcp(UniqueFd(ends[0]), SocketAddress{});
  }
  /// Proves itself, and whether that was answered.
  bool check(const char* user) {
    const auto request = binding_request({}, user, 7, "secret");
    std::vector<uint8_t> frame{static_cast<uint8_t>(request.size() >> 8), static_cast<uint8_t>(request.size())};
    frame.insert(frame.end(), request.begin(), request.end());
    return send(fd_.get(), frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size()) && read_some() > 0;
  }
  /// Within two seconds.
  bool is_closed() { return read_some() == 0; }
  bool is_open() {
    char byte;
    return recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
  }

 private:
  ssize_t read_some() {
    pollfd wait{fd_.get(), POLLIN, 0};
    uint8_t data[256];
    return poll(&wait, 1, 2000) == 1 ? recv(fd_.get(), data, sizeof data, 0) : -1;
  }
  UniqueFd fd_;
};

std::shared_ptr<IceEndpoint> new_endpoint(IceIo& io, const char* ufrag) {
  auto endpoint = std::make_shared<IceEndpoint>(io, IceEndpoint::Callbacks{[](auto) {}, [] {}});
  endpoint->open(ufrag, "secret");
  return endpoint;
}

TEST(IceIo, AViewerHasOnlySoManyConnections) {
  IceIo io;
  std::string error;
  ASSERT_TRUE(io.start("", 0, false, error)) << error;
  const auto one = new_endpoint(io, "one"), two = new_endpoint(io, "two");
  Caller other(io);
  ASSERT_TRUE(other.check("two:x"));
  std::vector<std::unique_ptr<Caller>> callers;
  for (size_t i = 0; i < IceIo::kConnectionsMax; ++i) {
    callers.push_back(std::make_unique<Caller>(io));
    ASSERT_TRUE(callers.back()->check("one:x"));
  }
  ASSERT_TRUE(callers[0]->check("one:x")) << "the oldest one speaks again";
  Caller more(io);
  ASSERT_TRUE(more.check("one:x"));
  EXPECT_TRUE(callers[1]->is_closed()) << "the one that was silent longest";
  Caller still_more(io);
  ASSERT_TRUE(still_more.check("one:x"));
  EXPECT_TRUE(callers[2]->is_closed());
  EXPECT_TRUE(callers[0]->is_open());
  for (size_t i = 3; i < callers.size(); ++i)
    EXPECT_TRUE(callers[i]->is_open()) << i;
  EXPECT_TRUE(more.is_open() && still_more.is_open());
  EXPECT_TRUE(other.is_open()) << "another viewer's";
  one->close();
  two->close();
}

}  // namespace
}  // namespace vitrine
