// SPDX-License-Identifier: LGPL-2.1-or-later
// Sending on ICE-TCP.
#include "webrtc/ice-tcp-connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace vitrine {

IceTcpConnection::IceTcpConnection(UniqueFd fd, const SocketAddress& remote) : fd_(std::move(fd)), remote_(remote) {
  const int on = 1, low_water = 16 * 1024;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low_water, sizeof low_water);
}

bool IceTcpConnection::send(std::span<const uint8_t> packet, bool& want_write) {
  want_write = false;
  if (packet.empty() || packet.size() > 0xffff)
    return false;
  MutexLock lock(mutex_);
  if (queued_ + packet.size() + 2 > kQueueMax)
    return false;
  std::vector<uint8_t> frame;
  frame.reserve(packet.size() + 2);
  frame.push_back(static_cast<uint8_t>(packet.size() >> 8));
  frame.push_back(static_cast<uint8_t>(packet.size()));
  frame.insert(frame.end(), packet.begin(), packet.end());
  queued_ += frame.size();
  queue_.push_back(std::move(frame));
  if (queue_.size() == 1)
    want_write = write_queue();
  return true;
}

bool IceTcpConnection::flush() {
  MutexLock lock(mutex_);
  return write_queue();
}

bool IceTcpConnection::write_queue() {
  while (!queue_.empty()) {
    const auto& first = queue_.front();
    const ssize_t n = ::send(fd_.get(), first.data() + sent_of_first_, first.size() - sent_of_first_,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return true;
      // Broken: the reading side sees it too and closes the connection.
      queue_.clear();
      queued_ = sent_of_first_ = 0;
      return false;
    }
    sent_of_first_ += static_cast<size_t>(n);
    if (sent_of_first_ == first.size()) {
      queued_ -= first.size();
      sent_of_first_ = 0;
      queue_.pop_front();
    }
  }
  return false;
}

size_t IceTcpConnection::queued() const {
  MutexLock lock(mutex_);
  return queued_;
}

}  // namespace vitrine
