// SPDX-License-Identifier: LGPL-2.1-or-later
// One viewer's end of the shared ICE port: its credentials, the path chosen by the browser, and sending.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "webrtc/echo-asker.h"
#include "webrtc/stun.h"
#include "webrtc/token-bucket.h"

namespace vitrine {

class IceIo;
class IceTcpConnection;

enum class IcePath { none, udp, tcp, relay };
const char* to_string(IcePath path);

struct IceStatistics {
  IcePath path = IcePath::none;
  std::string remote;            // address in use
  uint64_t packets_sent = 0, bytes_sent = 0, packets_received = 0;
  uint64_t packets_dropped = 0;  // the socket would not take them
  uint64_t refused_requests = 0; // wrong MESSAGE-INTEGRITY or too many
};

/// Where a packet came from, and how an answer goes back.
struct IceRemote {
  SocketAddress address;
  SocketAddress local;                           // our address that the packet was sent to (UDP)
  std::shared_ptr<IceTcpConnection> connection;  // set for ICE-TCP
};

/// Thread-safe. Callbacks run on the ICE thread, never after close() has returned.
class IceEndpoint : public std::enable_shared_from_this<IceEndpoint> {
 public:
  struct Callbacks {
    std::function<void(std::span<const uint8_t>)> packet;  // DTLS, RTP or RTCP
    std::function<void()> connected;                       // once, when the browser has nominated a path
  };

  IceEndpoint(IceIo& io, Callbacks callbacks);

  /// Makes the endpoint reachable under its username fragment.
  void open(const std::string& ufrag, const std::string& password);
  void set_remote(const std::string& ufrag, const std::string& password);
  /// Asks the browser, on UDP, what it answers at once, a few times in each large frame.
  void watch_echoes(EchoWatch watch);
  /// No callback runs once this has returned. Not to be called from a callback.
  void close();

  /// Sends one packet on the path in use; drops and counts it when the socket is full or there is no path yet.
  void send(std::span<const uint8_t> packet);
  /// Bytes that wait in this process for a slow TCP path; 0 on UDP.
  size_t backlog() const;
  IcePath path() const { return path_.load(std::memory_order_relaxed); }
  /// When something authentic last came from the browser, monotonic µs; 0: never.
  int64_t last_received_us() const { return last_received_us_.load(std::memory_order_relaxed); }
  IceStatistics statistics() const;

  // For IceIo, on the ICE thread:
  bool on_binding_request(std::span<const uint8_t> packet, const StunRequest& request, const IceRemote& remote,
                          int64_t now_us);
  void on_binding_response(std::span<const uint8_t> packet, const StunResponse& response, const IceRemote& remote, int64_t now_us);
  void on_packet(std::span<const uint8_t> packet, const IceRemote& remote, int64_t now_us);
  void on_tcp_closed(const IceTcpConnection* connection);

 private:
  /// On the path in use.
  void ask(const IceRemote& remote);
  bool is_selected(const IceRemote& remote) const REQUIRES(mutex_);

  IceIo& io_;
  const Callbacks callbacks_;
  // Held while a callback runs, so that close() can wait for it. Taken before mutex_.
  Mutex callback_mutex_;
  bool closed_ GUARDED_BY(callback_mutex_) = false;
  bool connected_ GUARDED_BY(callback_mutex_) = false;

  mutable Mutex mutex_;
  std::string ufrag_ GUARDED_BY(mutex_), password_ GUARDED_BY(mutex_), remote_ufrag_ GUARDED_BY(mutex_), remote_password_ GUARDED_BY(mutex_);
  std::shared_ptr<const EchoWatch> echo_watch_ GUARDED_BY(mutex_);
  EchoAsker echo_asker_ GUARDED_BY(mutex_);
  IceRemote selected_ GUARDED_BY(mutex_);
  TokenBucket requests_ GUARDED_BY(mutex_){100, 200};
  IceStatistics statistics_ GUARDED_BY(mutex_);
  std::atomic<IcePath> path_{IcePath::none};
  std::atomic<int64_t> last_received_us_{0};
  int64_t selected_received_us_ GUARDED_BY(mutex_) = 0;  // the same, by the path in use
};

}  // namespace vitrine
