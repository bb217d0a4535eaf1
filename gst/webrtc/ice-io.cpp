// SPDX-License-Identifier: LGPL-2.1-or-later
// Sockets of the ICE thread.
#include "webrtc/ice-io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

namespace vitrine {
namespace {

constexpr size_t kDatagrams = 32;
constexpr size_t kDatagramSize = 2048;

sockaddr_storage to_sockaddr(const SocketAddress& address, bool as_v6, socklen_t& length) {
  sockaddr_storage storage{};
  if (as_v6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(address.port);
    in6->sin6_scope_id = address.scope;
    memcpy(&in6->sin6_addr, address.ip.data(), 16);
    length = sizeof(sockaddr_in6);
  } else {
    auto* in4 = reinterpret_cast<sockaddr_in*>(&storage);
    in4->sin_family = AF_INET;
    in4->sin_port = htons(address.port);
    memcpy(&in4->sin_addr, address.ip.data() + 12, 4);
    length = sizeof(sockaddr_in);
  }
  return storage;
}

/// The UDP socket, bound; dual-stack where the kernel has IPv6.
UniqueFd bind_udp(const std::string& address, int port, bool& is_v6, std::string& error) {
  in6_addr v6{};
  in_addr v4{};
  const bool literal_v4 = inet_pton(AF_INET, address.c_str(), &v4) == 1;
  const bool literal_v6 = !literal_v4 && inet_pton(AF_INET6, address.c_str(), &v6) == 1;
  if (!address.empty() && !literal_v4 && !literal_v6) {
    error = "'" + address + "' is not an IP address";
    return {};
  }
  UniqueFd fd;
  is_v6 = !literal_v4;
  if (is_v6)
    fd.reset(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd && !literal_v6) {
    is_v6 = false;
    fd.reset(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  if (!fd) {
    error = strerror(errno);
    return {};
  }
  const int on = 1, off = 0, size = 4 * 1024 * 1024;
  SocketAddress any;
  any.port = static_cast<uint16_t>(port);
  if (is_v6) {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    memcpy(any.ip.data(), &v6, 16);
  } else {
    memcpy(any.ip.data() + 12, &v4, 4);
  }
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  socklen_t length;
  const sockaddr_storage storage = to_sockaddr(any, is_v6, length);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    error = strerror(errno);
    return {};
  }
  return fd;
}

}  // namespace

SocketAddress to_socket_address(const sockaddr_storage& storage) {
  SocketAddress result;
  if (storage.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(storage);
    memcpy(result.ip.data(), &in6.sin6_addr, 16);
    result.port = ntohs(in6.sin6_port);
    result.scope = in6.sin6_scope_id;
  } else if (storage.ss_family == AF_INET) {
    const auto& in4 = reinterpret_cast<const sockaddr_in&>(storage);
    result.ip[10] = result.ip[11] = 0xff;
    memcpy(result.ip.data() + 12, &in4.sin_addr, 4);
    result.port = ntohs(in4.sin_port);
  }
  return result;
}

bool IceIo::start(const std::string& address, int port, bool udp, std::string& error) {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll_ || !wake_) {
    error = strerror(errno);
    return false;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_.get();
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  if (udp) {
    udp_ = bind_udp(address, port, udp_is_v6_, error);
    if (!udp_)
      return false;
    event.data.fd = udp_.get();
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, udp_.get(), &event);
  }
  running_ = true;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "vitrine-ice");
    run();
  });
  return true;
}

void IceIo::stop() {
  if (!running_.exchange(false))
    return;
  wake();
  thread_.join();
  MutexLock lock(mutex_);
  connections_.clear();
  by_ufrag_.clear();
  by_address_.clear();
  udp_.reset();
}

void IceIo::wake() {
  const uint64_t one = 1;
  if (write(wake_.get(), &one, sizeof one) < 0 && errno != EAGAIN)
    g_critical("vitrine: cannot wake the ICE thread: %s", strerror(errno));
}

void IceIo::register_endpoint(const std::string& ufrag, std::shared_ptr<IceEndpoint> endpoint) {
  MutexLock lock(mutex_);
  by_ufrag_[ufrag] = std::move(endpoint);
}

void IceIo::unregister_endpoint(const IceEndpoint* endpoint) {
  // The last reference may go with the map's: it must not die under our lock.
  std::vector<std::shared_ptr<IceEndpoint>> dropped;
  MutexLock lock(mutex_);
  for (auto it = by_ufrag_.begin(); it != by_ufrag_.end();) {
    if (it->second.get() == endpoint) {
      dropped.push_back(std::move(it->second));
      it = by_ufrag_.erase(it);
    } else {
      ++it;
    }
  }
  std::erase_if(by_address_, [&](const auto& entry) {
    const auto locked = entry.second.lock();
    return !locked || locked.get() == endpoint;
  });
  // Its TCP connections have no use any more: shut down, the ICE thread reads the end and closes them.
  for (const auto& [fd, connection] : connections_)
    if (connection->endpoint.lock().get() == endpoint)
      shutdown(fd, SHUT_RDWR);
  lock.unlock();
}

void IceIo::adopt_tcp(UniqueFd fd, const SocketAddress& remote) {
  auto connection = std::make_shared<IceTcpConnection>(std::move(fd), remote);
  connection->opened_us = g_get_monotonic_time();
  MutexLock lock(mutex_);
  const auto unproven = std::count_if(connections_.begin(), connections_.end(),
                                      [](const auto& entry) { return entry.second->endpoint.expired(); });
  if (static_cast<size_t>(unproven) >= kUnprovenMax) {
    ++statistics_.refused_connections;
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.fd = connection->fd();
  const int number = connection->fd();
  connections_[number] = std::move(connection);
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, number, &event);
}

IceIoStatistics IceIo::statistics() const {
  MutexLock lock(mutex_);
  return statistics_;
}

bool IceIo::send(const IceRemote& remote, std::span<const uint8_t> packet) {
  if (remote.connection) {
    bool want_write = false;
    const bool sent = remote.connection->send(packet, want_write);
    if (want_write)
      watch_writable(remote.connection->fd(), true);
    return sent;
  }
  socklen_t length;
  sockaddr_storage to = to_sockaddr(remote.address, udp_is_v6_, length);
  iovec part{const_cast<uint8_t*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  // Answer from the address that was asked: with several of them the kernel would choose by route.
  alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(in6_pktinfo))] = {};
  if (udp_is_v6_ && remote.local != SocketAddress{}) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(in6_pktinfo));
    in6_pktinfo info{};
    memcpy(&info.ipi6_addr, remote.local.ip.data(), 16);
    memcpy(CMSG_DATA(header), &info, sizeof info);
  }
  return sendmsg(udp_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

void IceIo::watch_writable(int fd, bool on) {
  MutexLock lock(mutex_);
  if (!connections_.contains(fd))
    return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | (on ? EPOLLOUT : 0u);
  event.data.fd = fd;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void IceIo::run() {
  epoll_event events[32];
  while (running_) {
    const int count = epoll_wait(epoll_.get(), events, 32, 2000);
    for (int i = 0; i < count && running_; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_.get()) {
        uint64_t value;
        while (read(fd, &value, sizeof value) > 0) {
        }
      } else if (fd == udp_.get()) {
        receive_udp();
      } else {
        if (events[i].events & EPOLLOUT) {
          std::shared_ptr<IceTcpConnection> connection;
          {
            MutexLock lock(mutex_);
            auto found = connections_.find(fd);
            if (found != connections_.end())
              connection = found->second;
          }
          // A sender may queue more and ask for EPOLLOUT between flush() and here; flushing again after clearing loses nothing.
          if (connection && !connection->flush()) {
            watch_writable(fd, false);
            if (connection->flush())
              watch_writable(fd, true);
          }
        }
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
          receive_tcp(fd);
      }
    }
    close_unproven(g_get_monotonic_time());
  }
}

void IceIo::receive_udp() {
  static thread_local uint8_t data[kDatagrams][kDatagramSize];
  mmsghdr messages[kDatagrams];
  iovec parts[kDatagrams];
  sockaddr_storage from[kDatagrams];
  alignas(cmsghdr) uint8_t control[kDatagrams][CMSG_SPACE(sizeof(in6_pktinfo))];
  for (size_t i = 0; i < kDatagrams; ++i) {
    parts[i] = {data[i], kDatagramSize};
    messages[i] = {};
    messages[i].msg_hdr.msg_name = &from[i];
    messages[i].msg_hdr.msg_namelen = sizeof from[i];
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_control = control[i];
    messages[i].msg_hdr.msg_controllen = sizeof control[i];
  }
  const int count = recvmmsg(udp_.get(), messages, kDatagrams, MSG_DONTWAIT, nullptr);
  const int64_t now_us = g_get_monotonic_time();
  for (int i = 0; i < count; ++i) {
    msghdr& header = messages[i].msg_hdr;
    if (header.msg_flags & MSG_TRUNC)
      continue;
    IceRemote remote;
    remote.address = to_socket_address(from[i]);
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        memcpy(remote.local.ip.data(), &info.ipi6_addr, 16);
      }
    }
    std::shared_ptr<IceEndpoint> known;
    {
      MutexLock lock(mutex_);
      auto found = by_address_.find(remote.address);
      if (found != by_address_.end())
        known = found->second.lock();
    }
    const std::span<const uint8_t> packet(data[i], messages[i].msg_len);
    auto endpoint = dispatch(packet, remote, known, now_us);
    if (endpoint && endpoint != known)
      remember(remote.address, endpoint);
  }
}

void IceIo::remember(const SocketAddress& address, const std::shared_ptr<IceEndpoint>& endpoint) {
  MutexLock lock(mutex_);
  if (by_address_.size() >= kAddressesMax)
    std::erase_if(by_address_, [&](const auto& entry) {
      const auto owner = entry.second.lock();
      return !owner || owner == endpoint;
    });
  by_address_[address] = endpoint;
}

void IceIo::receive_tcp(int fd) {
  std::shared_ptr<IceTcpConnection> connection;
  {
    MutexLock lock(mutex_);
    auto found = connections_.find(fd);
    if (found == connections_.end())
      return;
    connection = found->second;
  }
  static thread_local uint8_t data[64 * 1024];
  const ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  const int64_t now_us = g_get_monotonic_time();
  connection->received_us = now_us;
  bool good = n > 0;
  if (good) {
    IceRemote remote;
    remote.address = connection->remote();
    remote.connection = connection;
    good = connection->reader.push({data, static_cast<size_t>(n)}, [&](std::span<const uint8_t> packet) {
      const auto known = connection->endpoint.lock();
      const auto endpoint = dispatch(packet, remote, known, now_us);
      if (endpoint && endpoint != known)
        prove(connection, endpoint);
    });
  }
  if (!good)
    close_tcp(fd);
}

void IceIo::prove(const std::shared_ptr<IceTcpConnection>& connection, const std::shared_ptr<IceEndpoint>& endpoint) {
  size_t count = 0;
  const IceTcpConnection* silent = nullptr;
  {
    MutexLock lock(mutex_);
    connection->endpoint = endpoint;
    for (const auto& [fd, other] : connections_) {
      // Without taking a reference, which might be the last one under our lock.
      if (other->endpoint.owner_before(endpoint) || endpoint.owner_before(other->endpoint))
        continue;
      ++count;
      if (other != connection && (!silent || other->received_us < silent->received_us))
        silent = other.get();
    }
  }
  if (count > kConnectionsMax)
    close_tcp(silent->fd());  // only this thread takes connections away
}

void IceIo::close_tcp(int fd) {
  std::shared_ptr<IceTcpConnection> connection;
  {
    MutexLock lock(mutex_);
    auto found = connections_.find(fd);
    if (found == connections_.end())
      return;
    connection = std::move(found->second);
    connections_.erase(found);
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  }
  if (const auto endpoint = connection->endpoint.lock())
    endpoint->on_tcp_closed(connection.get());
}

void IceIo::close_unproven(int64_t now_us) {
  std::vector<int> overdue;
  {
    MutexLock lock(mutex_);
    for (const auto& [fd, connection] : connections_)
      if (connection->endpoint.expired() && now_us - connection->opened_us > kUnprovenUs)
        overdue.push_back(fd);
  }
  for (const int fd : overdue)
    close_tcp(fd);
}

std::shared_ptr<IceEndpoint> IceIo::dispatch(std::span<const uint8_t> packet, const IceRemote& remote,
                                             std::shared_ptr<IceEndpoint> known, int64_t now_us) {
  if (looks_like_stun(packet)) {
    if (const auto response = known ? parse_binding_response(packet) : std::nullopt) {
      known->on_binding_response(packet, *response, remote, now_us);
      return known;
    }
    const auto request = parse_binding_request(packet);
    if (!request)
      return known;
    std::shared_ptr<IceEndpoint> endpoint;
    {
      MutexLock lock(mutex_);
      auto found = by_ufrag_.find(request->local_ufrag());
      if (found == by_ufrag_.end()) {
        ++statistics_.unknown_requests;
        return known;
      }
      endpoint = found->second;
    }
    return endpoint->on_binding_request(packet, *request, remote, now_us) ? endpoint : known;
  }
  // RFC 7983: 20–63 is DTLS, 128–191 RTP and RTCP; nothing else is expected.
  const bool media = !packet.empty() && ((packet[0] >= 20 && packet[0] <= 63) || (packet[0] >= 128 && packet[0] <= 191));
  if (known && media) {
    known->on_packet(packet, remote, now_us);
  } else if (!known) {
    MutexLock lock(mutex_);
    ++statistics_.unknown_packets;
  }
  return known;
}

}  // namespace vitrine
