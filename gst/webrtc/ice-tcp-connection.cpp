// SPDX-License-Identifier: LGPL-2.1-or-later
// Sending on ICE-TCP.
#include "webrtc/ice-tcp-connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace vitrine {
namespace {

/// RFC 5761: RTP and RTCP on one path.
bool is_rtp_or_rtcp(std::span<const uint8_t> packet) { return packet.size() >= 12 && packet[0] >> 6 == 2; }
bool is_rtcp(std::span<const uint8_t> packet) { return is_rtp_or_rtcp(packet) && packet[1] >= 192 && packet[1] <= 223; }

std::optional<uint32_t> ssrc_of(std::span<const uint8_t> packet) {
  if (!is_rtp_or_rtcp(packet) || is_rtcp(packet))
    return std::nullopt;
  return uint32_t{packet[8]} << 24 | uint32_t{packet[9]} << 16 | uint32_t{packet[10]} << 8 | packet[11];
}

}  // namespace

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
  Frame frame;
  frame.ssrc = ssrc_of(packet);
  frame.bytes.resize(2 + packet.size());
  frame.bytes[0] = static_cast<uint8_t>(packet.size() >> 8);
  frame.bytes[1] = static_cast<uint8_t>(packet.size());
  std::copy(packet.begin(), packet.end(), frame.bytes.begin() + 2);
  const bool idle = queued_ == 0;
  queued_ += frame.bytes.size();
  (overtakes(packet) ? urgent_ : queue_).push_back(std::move(frame));
  if (idle)
    want_write = write_queue();
  return true;
}

bool IceTcpConnection::overtakes(std::span<const uint8_t> packet) const {
  if (packet.size() >= kSmall)
    return false;
  if (looks_like_stun(packet) || is_rtcp(packet))
    return true;
  // Within a stream of RTP the order stays: a gap would be asked for again. So it does among what has header extensions, video, which is counted
  // across streams (transport-wide), and in DTLS, whose handshake is slow to recover.
  const auto ssrc = ssrc_of(packet);
  return ssrc && !(packet[0] & kHasExtension) && std::none_of(queue_.begin(), queue_.end(), [&](const Frame& frame) { return frame.ssrc == ssrc; });
}

bool IceTcpConnection::flush() {
  MutexLock lock(mutex_);
  return write_queue();
}

bool IceTcpConnection::write_queue() {
  while (queued_ > 0) {
    if (current_.bytes.empty()) {
      auto& next = urgent_.empty() ? queue_ : urgent_;
      current_ = std::move(next.front());
      next.pop_front();
    }
    const auto& bytes = current_.bytes;
    const ssize_t n = ::send(fd_.get(), bytes.data() + sent_of_current_, bytes.size() - sent_of_current_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return true;
      // Broken: the reading side sees it too and closes the connection.
      urgent_.clear();
      queue_.clear();
      current_ = {};
      queued_ = sent_of_current_ = 0;
      return false;
    }
    sent_of_current_ += static_cast<size_t>(n);
    if (sent_of_current_ == bytes.size()) {
      queued_ -= bytes.size();
      sent_of_current_ = 0;
      current_ = {};
    }
  }
  return false;
}

size_t IceTcpConnection::queued() const {
  MutexLock lock(mutex_);
  return queued_;
}

}  // namespace vitrine
