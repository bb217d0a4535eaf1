// SPDX-License-Identifier: LGPL-2.1-or-later
#include "webrtc/ice-tcp-connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>

#include "webrtc/tcp-framing.h"

namespace vitrine {
namespace {

// A reader that stalls, then goes on: nothing blocks, the queue is bounded, and what was taken arrives whole and in order.
TEST(IceTcpConnection, NeverBlocksAndLosesNothingThatItTook) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  UniqueFd reader(ends[1]);
  IceTcpConnection connection(UniqueFd(ends[0]), {});
  bool want_write = false, ever = false;
  uint32_t taken = 0;
  for (;; ++taken) {
    std::vector<uint8_t> packet(1200, 0);
    for (int i = 0; i < 4; ++i)
      packet[static_cast<size_t>(i)] = static_cast<uint8_t>(taken >> (8 * i));
    if (!connection.send(packet, want_write))
      break;
    ever |= want_write;
    ASSERT_LT(taken, 100000u);
  }
  EXPECT_TRUE(ever);
  EXPECT_LE(connection.queued(), IceTcpConnection::kQueueMax);

  FrameReader frames;
  uint32_t next = 0;
  std::vector<uint8_t> data(65536);
  for (bool more = true; more || connection.queued() > 0;) {
    const ssize_t n = recv(reader.get(), data.data(), data.size(), 0);
    if (n > 0)
      frames.push({data.data(), static_cast<size_t>(n)}, [&](std::span<const uint8_t> packet) {
        ASSERT_EQ(packet.size(), 1200u);
        EXPECT_EQ(static_cast<uint32_t>(packet[0] | packet[1] << 8 | packet[2] << 16), next);
        ++next;
      });
    connection.flush();
    more = n > 0;
  }
  EXPECT_EQ(next, taken);
}

std::vector<uint8_t> rtp(uint8_t ssrc, uint8_t sequence, size_t size) {
  std::vector<uint8_t> packet(size, 0);
  packet[0] = 0x80;
  packet[1] = 96;
  packet[3] = sequence;
  packet[11] = ssrc;
  return packet;
}

// Behind a picture that a slow path takes long for.
TEST(IceTcpConnection, SoundAndAnswersOvertakeAPictureAndNothingElseDoes) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  UniqueFd reader(ends[1]);
  IceTcpConnection connection(UniqueFd(ends[0]), {});
  constexpr uint8_t kPicture = 1, kSound = 2;
  const auto rtcp = [](size_t size) {
    auto packet = rtp(kPicture, 0, size);
    packet[1] = 200;
    return packet;
  };
  std::vector<std::vector<uint8_t>> picture, urgent = {rtp(kSound, 1, 150), binding_request({}, "a:b", 1, "c"), rtcp(60), rtp(kSound, 2, 200)};
  bool want_write = false;
  const auto send = [&](const std::vector<uint8_t>& packet) { ASSERT_TRUE(connection.send(packet, want_write)); };
  for (uint8_t sequence = 0; connection.queued() < 100'000; ++sequence) {
    picture.push_back(rtp(kPicture, sequence, 60'000));
    send(picture.back());
  }
  // The picture's end is small, and so is DTLS; a large packet of sound is none that hurries.
  picture.push_back(rtp(kPicture, 200, 100));
  picture.push_back(std::vector<uint8_t>(100, 22));
  picture.push_back(rtp(kSound, 3, 400));
  send(picture[picture.size() - 3]);
  send(picture[picture.size() - 2]);
  for (const auto& packet : urgent)
    send(packet);
  send(picture.back());
  picture.push_back(rtp(kSound, 4, 100));  // after the large one
  send(picture.back());

  FrameReader frames;
  std::vector<std::vector<uint8_t>> got;
  std::vector<uint8_t> data(65536);
  while (got.size() < picture.size() + urgent.size()) {
    connection.flush();
    const ssize_t n = recv(reader.get(), data.data(), data.size(), 0);
    ASSERT_GT(n, 0) << got.size();
    frames.push({data.data(), static_cast<size_t>(n)}, [&](std::span<const uint8_t> packet) { got.emplace_back(packet.begin(), packet.end()); });
  }
  const auto first = std::find(got.begin(), got.end(), urgent[0]);
  ASSERT_LE(got.end() - first, static_cast<ptrdiff_t>(urgent.size() + 6)) << "what had not begun to leave waits";
  ASSERT_GE(got.end() - first, static_cast<ptrdiff_t>(urgent.size() + 4)) << "the end of the picture waits too";
  EXPECT_TRUE(std::equal(urgent.begin(), urgent.end(), first)) << "in their order";
  got.erase(first, first + static_cast<ptrdiff_t>(urgent.size()));
  EXPECT_EQ(got, picture) << "in its order";
}

TEST(IceTcpConnection, RefusesWhatDoesNotFitAFrame) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  UniqueFd other(ends[1]);
  IceTcpConnection connection(UniqueFd(ends[0]), {});
  bool want_write;
  EXPECT_FALSE(connection.send({}, want_write));
  EXPECT_FALSE(connection.send(std::vector<uint8_t>(65536), want_write));
}

TEST(IceTcpConnection, SurvivesAReaderThatIsGone) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  IceTcpConnection connection(UniqueFd(ends[0]), {});
  bool want_write = true;
  const std::vector<uint8_t> packet(1000, 1);
  int sent = 0;
  while (connection.queued() == 0 && ++sent < 100000)
    ASSERT_TRUE(connection.send(packet, want_write));
  EXPECT_TRUE(want_write);
  close(ends[1]);
  EXPECT_FALSE(connection.flush()) << "nothing more to wait for, and no SIGPIPE";
  EXPECT_EQ(connection.queued(), 0u);
  connection.send(packet, want_write);
  EXPECT_FALSE(want_write);
  EXPECT_EQ(connection.queued(), 0u);
}

TEST(IceTcpConnection, SendsFramesOfEverySizeWhole) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  UniqueFd reader(ends[1]);
  IceTcpConnection connection(UniqueFd(ends[0]), {});
  FrameReader frames;
  for (const size_t size : {size_t{1}, size_t{2}, size_t{255}, size_t{256}, size_t{1500}, size_t{65535}}) {
    bool want_write = false;
    ASSERT_TRUE(connection.send(std::vector<uint8_t>(size, static_cast<uint8_t>(size)), want_write));
    std::vector<uint8_t> got;
    std::vector<uint8_t> data(4096);
    while (got.size() < size) {
      const ssize_t n = recv(reader.get(), data.data(), data.size(), 0);
      if (n <= 0) {
        connection.flush();
        continue;
      }
      ASSERT_TRUE(frames.push({data.data(), static_cast<size_t>(n)}, [&](auto packet) { got.assign(packet.begin(), packet.end()); }));
    }
    EXPECT_EQ(got, std::vector<uint8_t>(size, static_cast<uint8_t>(size)));
  }
}

}  // namespace
}  // namespace vitrine
