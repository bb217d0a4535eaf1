// SPDX-License-Identifier: LGPL-2.1-or-later
#include "link-streams.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace vitrine::bench {
namespace {

constexpr size_t kSegment = 1448;
/// What may wait for a browser that does not read.
constexpr size_t kUnread = 1 << 20;

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// False: the connection is over.
bool write_some(int fd, std::string& bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0)
      return errno == EAGAIN || errno == EINTR;
    bytes.erase(0, static_cast<size_t>(size));
  }
  return true;
}

}  // namespace

Streams::~Streams() {
  for (auto& [id, connection] : connections_) {
    close(connection.near);
    close(connection.far);
  }
  if (listen_ >= 0)
    close(listen_);
}

void Streams::listen(int port, int server_port) {
  server_port_ = server_port;
  listen_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const sockaddr_in address = local(port);
  if (listen_ < 0 || bind(listen_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listen_, 64) != 0) {
    perror("link-forwarder: listen");
    exit(1);
  }
}

void Streams::watch(std::vector<pollfd>& fds) const {
  if (listen_ >= 0)
    fds.push_back({listen_, POLLIN, 0});
  for (const auto& [id, connection] : connections_)
    fds.push_back({connection.near, POLLIN, 0});
}

void Streams::accept_all() {
  for (int near; listen_ >= 0 && (near = accept4(listen_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // As much as a router's buffer has of it, and no more: the rest is to wait at the server.
    const int size = 16 << 10;
    setsockopt(far, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    const sockaddr_in address = local(server_port_);
    if (far < 0 || connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(near);
      close(far);
      continue;
    }
    Connection& connection = connections_[++last_];
    connection.near = near;
    connection.far = far;
  }
}

void Streams::take(int64_t now_us, const std::function<bool(const Segment&, size_t)>& push, int64_t lost_after_us) {
  accept_all();
  for (auto at = connections_.begin(); at != connections_.end();) {
    if (serve(at->first, at->second, now_us, push, lost_after_us)) {
      ++at;
      continue;
    }
    close(at->second.near);
    close(at->second.far);
    at = connections_.erase(at);
  }
}

bool Streams::serve(uint64_t id, Connection& connection, int64_t now_us, const std::function<bool(const Segment&, size_t)>& push, int64_t lost_after_us) {
  char buffer[65536];
  ssize_t size = recv(connection.near, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
    return false;
  if (size > 0)
    connection.to_far.append(buffer, static_cast<size_t>(size));
  if (!write_some(connection.far, connection.to_far) || !write_some(connection.near, connection.to_near))
    return false;
  for (; !connection.acks.empty() && connection.acks.begin()->first <= now_us; connection.acks.erase(connection.acks.begin()))
    connection.flow.acked(connection.acks.begin()->first - connection.acks.begin()->second.entered_us);
  while (!connection.losses.empty() && connection.losses.begin()->first <= now_us) {
    const uint64_t number = connection.losses.begin()->second.number;
    connection.losses.erase(connection.losses.begin());
    connection.flow.lost(now_us);
    send(id, connection, number, now_us, push, lost_after_us);
  }
  while (!connection.far_ended && connection.flow.may_send() && connection.to_near.size() < kUnread) {
    size = recv(connection.far, buffer, kSegment, MSG_DONTWAIT);
    if (size < 0)
      break;
    connection.far_ended = size == 0;
    if (size == 0)
      break;
    const uint64_t number = connection.next++;
    connection.flying[number].assign(buffer, static_cast<size_t>(size));
    send(id, connection, number, now_us, push, lost_after_us);
  }
  return !(connection.far_ended && connection.flying.empty() && connection.to_near.empty());
}

void Streams::send(uint64_t id, Connection& connection, uint64_t number, int64_t now_us, const std::function<bool(const Segment&, size_t)>& push,
                   int64_t lost_after_us) {
  const Segment segment{id, number, now_us};
  connection.flow.sent();
  if (!push(segment, connection.flying[number].size()))
    connection.losses.emplace(now_us + lost_after_us, segment);
}

void Streams::arrived(const Segment& segment, int64_t at_us, int64_t delay_us) {
  const auto found = connections_.find(segment.connection);
  if (found == connections_.end())
    return;
  Connection& connection = found->second;
  const auto flying = connection.flying.find(segment.number);
  if (flying == connection.flying.end())
    return;
  connection.acks.emplace(at_us + delay_us, segment);
  connection.waiting[segment.number] = std::move(flying->second);
  connection.flying.erase(flying);
  for (auto next = connection.waiting.find(connection.expected); next != connection.waiting.end(); next = connection.waiting.find(connection.expected)) {
    connection.to_near += next->second;
    connection.waiting.erase(next);
    ++connection.expected;
  }
}

}  // namespace vitrine::bench
