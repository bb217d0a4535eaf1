// SPDX-License-Identifier: LGPL-2.1-or-later
// One ICE-TCP connection: RFC 4571 frames out of a bounded queue, so that a slow reader never blocks a sender. Sound and answers do not
// wait behind a picture.
#pragma once

#include <sys/uio.h>

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/mutex.h"
#include "common/unique-fd.h"
#include "webrtc/stun.h"
#include "webrtc/tcp-framing.h"

namespace vitrine {

class IceEndpoint;

class IceTcpConnection {
 public:
  /// Packets below this size may overtake larger ones.
  static constexpr size_t kSmall = 300;
  /// The bit X of an RTP header (RFC 3550 §5.1).
  static constexpr uint8_t kHasExtension = 0x10;
  /// Most bytes that wait here. The kernel holds little more (TCP_NOTSENT_LOWAT), so this is the whole send queue.
  static constexpr size_t kQueueMax = 4 * 1024 * 1024;

  IceTcpConnection(UniqueFd fd, const SocketAddress& remote);

  /// Frames and sends, or queues what the socket does not take. False: the queue is full, the packet is dropped.
  /// `want_write` is set when the owner has to wait for the socket to become writable.
  bool send(std::span<const uint8_t> packet, bool& want_write);
  /// The socket is writable. Returns true while more waits.
  bool flush();
  size_t queued() const;
  int fd() const { return fd_.get(); }
  const SocketAddress& remote() const { return remote_; }

  FrameReader reader;  // bound to the ICE thread
  std::weak_ptr<IceEndpoint> endpoint;  // written by the ICE thread under IceIo's mutex
  int64_t opened_us = 0;
  int64_t received_us = 0;  // when something last came; bound to the ICE thread

 private:
  struct Frame {
    std::vector<uint8_t> bytes;
    std::optional<uint32_t> ssrc;  // of RTP
  };
  bool write_queue() REQUIRES(mutex_);
  /// Whether it may go before what waits in queue_.
  bool overtakes(std::span<const uint8_t> packet) const REQUIRES(mutex_);

  const UniqueFd fd_;
  const SocketAddress remote_;
  mutable Mutex mutex_;
  std::deque<Frame> urgent_ GUARDED_BY(mutex_), queue_ GUARDED_BY(mutex_);
  Frame current_ GUARDED_BY(mutex_);  // partly sent
  size_t sent_of_current_ GUARDED_BY(mutex_) = 0;
  size_t queued_ GUARDED_BY(mutex_) = 0;
};

}  // namespace vitrine
