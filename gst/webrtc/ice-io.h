// SPDX-License-Identifier: LGPL-2.1-or-later
// The ICE thread: one UDP socket and all ICE-TCP connections of all viewers, told apart by username fragment and address.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "common/mutex.h"
#include "common/unique-fd.h"
#include "webrtc/ice-endpoint.h"
#include "webrtc/ice-tcp-connection.h"

namespace vitrine {

struct IceIoStatistics {
  uint64_t unknown_packets = 0;   // from addresses that no viewer has validated
  uint64_t unknown_requests = 0;  // STUN for a username fragment that nobody has
  uint64_t refused_connections = 0;
};

/// Thread-safe. Owns its thread from start() to stop().
class IceIo {
 public:
  /// ICE-TCP connections that have not proven themselves by a valid request yet.
  static constexpr size_t kUnprovenMax = 64;
  static constexpr int64_t kUnprovenUs = 10'000'000;
  /// ICE-TCP connections of one viewer. The one that has been silent longest makes room.
  static constexpr size_t kConnectionsMax = 8;
  /// Validated source addresses kept at most.
  static constexpr size_t kAddressesMax = 4096;

  IceIo() = default;
  ~IceIo() { stop(); }
  IceIo(const IceIo&) = delete;
  IceIo& operator=(const IceIo&) = delete;

  /// Binds UDP `port` on `address` ("" = all, IPv4 and IPv6) unless `udp` is false. On failure `error` tells why.
  bool start(const std::string& address, int port, bool udp, std::string& error);
  void stop();

  /// Takes over a connection whose first bytes are a framed STUN request; nothing has been read from it yet.
  void adopt_tcp(UniqueFd fd, const SocketAddress& remote);
  IceIoStatistics statistics() const;

 private:
  friend class IceEndpoint;
  void register_endpoint(const std::string& ufrag, std::shared_ptr<IceEndpoint> endpoint);
  void unregister_endpoint(const IceEndpoint* endpoint);
  bool send(const IceRemote& remote, std::span<const uint8_t> packet);

  void run();
  void receive_udp();
  void receive_tcp(int fd);
  void close_tcp(int fd);
  void remember(const SocketAddress& address, const std::shared_ptr<IceEndpoint>& endpoint);
  void close_unproven(int64_t now_us);
  /// `connection` has proven itself to this endpoint.
  void prove(const std::shared_ptr<IceTcpConnection>& connection, const std::shared_ptr<IceEndpoint>& endpoint);
  std::shared_ptr<IceEndpoint> dispatch(std::span<const uint8_t> packet, const IceRemote& remote,
                                        std::shared_ptr<IceEndpoint> known, int64_t now_us);
  void watch_writable(int fd, bool on);
  void wake();

  UniqueFd udp_, epoll_, wake_;
  bool udp_is_v6_ = false;
  std::thread thread_;
  std::atomic<bool> running_{false};

  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<IceEndpoint>> by_ufrag_ GUARDED_BY(mutex_);
  std::map<SocketAddress, std::weak_ptr<IceEndpoint>> by_address_ GUARDED_BY(mutex_);
  std::map<int, std::shared_ptr<IceTcpConnection>> connections_ GUARDED_BY(mutex_);
  IceIoStatistics statistics_ GUARDED_BY(mutex_);
};

/// Converts a socket address; v4 becomes v4-mapped.
SocketAddress to_socket_address(const sockaddr_storage& storage);

}  // namespace vitrine
