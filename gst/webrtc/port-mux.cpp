// SPDX-License-Identifier: LGPL-2.1-or-later
// Listening and sniffing with MSG_PEEK: whoever takes the connection reads it from its first byte.
#include "webrtc/port-mux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <vector>

#include "webrtc/debug.h"
#include "webrtc/ice-io.h"
#include "webrtc/tcp-framing.h"

namespace vitrine {
namespace {

constexpr guint kPauseMs = 100;  // after an accept() that failed, for want of descriptors

UniqueFd listen_on(const std::string& address, int port, std::string& error, bool& in_use) {
  sockaddr_in6 in6{};
  sockaddr_in in4{};
  const bool literal_v4 = inet_pton(AF_INET, address.c_str(), &in4.sin_addr) == 1;
  const bool literal_v6 = !literal_v4 && inet_pton(AF_INET6, address.c_str(), &in6.sin6_addr) == 1;
  if (!address.empty() && !literal_v4 && !literal_v6) {
    error = "listen-address '" + address + "' is not an IP address";
    return {};
  }
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(static_cast<uint16_t>(port));
  in4.sin_family = AF_INET;
  in4.sin_port = htons(static_cast<uint16_t>(port));
  UniqueFd fd;
  bool is_v6 = !literal_v4;
  if (is_v6)
    fd.reset(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd && !literal_v6) {
    is_v6 = false;
    fd.reset(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  const int on = 1, off = 0;
  if (fd)
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd && is_v6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  const auto* where = is_v6 ? reinterpret_cast<const sockaddr*>(&in6) : reinterpret_cast<const sockaddr*>(&in4);
  const socklen_t length = is_v6 ? sizeof in6 : sizeof in4;
  if (!fd || bind(fd.get(), where, length) != 0 || ::listen(fd.get(), 128) != 0) {
    in_use = errno == EADDRINUSE;
    error = strerror(errno);
    return {};
  }
  return fd;
}

}  // namespace

PortMux::PortMux(GMainContext* context, Handlers handlers)
    : context_(Ref<GMainContext>::share(context)), handlers_(std::move(handlers)) {}

PortMux::~PortMux() {
  for (const auto* source : {&accept_source_, &expire_source_})
    if (*source)
      g_source_destroy(source->get());
  for (auto& [fd, undecided] : undecided_)
    if (undecided.source)
      g_source_destroy(undecided.source.get());
}

bool PortMux::listen(const std::string& address, int port, std::string& error, bool& in_use) {
  listener_ = listen_on(address, port, error, in_use);
  if (!listener_)
    return false;
  accept_when_readable();
  return true;
}

void PortMux::accept_when_readable() {
  accept_source_ = Ref<GSource>::adopt(g_unix_fd_source_new(listener_.get(), G_IO_IN));
  g_source_set_callback(accept_source_.get(), G_SOURCE_FUNC(on_acceptable), this, nullptr);
  g_source_attach(accept_source_.get(), context_.get());
}

gboolean PortMux::on_acceptable(gint, GIOCondition, gpointer self) {
  static_cast<PortMux*>(self)->accept_all();
  return G_SOURCE_CONTINUE;
}

void PortMux::accept_all() {
  for (;;) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    UniqueFd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&storage), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
      GST_WARNING("cannot accept a connection: %s", strerror(errno));
      // It stays readable: without a pause nothing else would be done.
      g_source_destroy(accept_source_.get());
      accept_source_ = Ref<GSource>::adopt(g_timeout_source_new(kPauseMs));
      g_source_set_callback(
          accept_source_.get(),
          [](gpointer self) -> gboolean {
            static_cast<PortMux*>(self)->accept_when_readable();
            return G_SOURCE_REMOVE;
          },
          this, nullptr);
      g_source_attach(accept_source_.get(), context_.get());
      return;
    }
    const int on = 1, timeout_ms = 15000;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // A peer that has vanished is noticed when what we send stays unacknowledged this long.
    setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    const int number = fd.get();
    const SocketAddress remote = to_socket_address(storage);
    make_room(remote);
    undecided_[number] = {std::move(fd), remote, g_get_monotonic_time(), {}};
    decide(number);
    expire_later();
  }
}

gboolean PortMux::on_readable(gint, GIOCondition, gpointer data) {
  auto* pair = static_cast<std::pair<PortMux*, int>*>(data);
  // decide() may destroy the source and with it `pair`.
  PortMux* self = pair->first;
  const int fd = pair->second;
  self->decide(fd);
  return G_SOURCE_REMOVE;
}

void PortMux::watch(Undecided& undecided, bool later) {
  const int fd = undecided.fd.get();
  // Half a STUN header keeps the socket readable: look again after a moment instead of at once.
  if (later) {
    undecided.source = Ref<GSource>::adopt(g_timeout_source_new(20));
    g_source_set_callback(
        undecided.source.get(), [](gpointer data) { return on_readable(0, G_IO_IN, data); },
        new std::pair<PortMux*, int>(this, fd), [](gpointer data) { delete static_cast<std::pair<PortMux*, int>*>(data); });
  } else {
    undecided.source = Ref<GSource>::adopt(g_unix_fd_source_new(fd, GIOCondition(G_IO_IN | G_IO_HUP | G_IO_ERR)));
    g_source_set_callback(undecided.source.get(), G_SOURCE_FUNC(on_readable), new std::pair<PortMux*, int>(this, fd),
                          [](gpointer data) { delete static_cast<std::pair<PortMux*, int>*>(data); });
  }
  g_source_attach(undecided.source.get(), context_.get());
}

void PortMux::decide(int fd) {
  auto found = undecided_.find(fd);
  if (found == undecided_.end())
    return;
  if (found->second.source)
    g_source_destroy(found->second.source.get());
  found->second.source.reset();
  uint8_t bytes[kFirstBytesNeeded];
  const ssize_t n = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
    undecided_.erase(found);
    return;
  }
  const auto verdict = n < 0 ? FirstBytes::more : classify_first_bytes({bytes, static_cast<size_t>(n)});
  if (verdict == FirstBytes::more) {
    watch(found->second, n > 0);
    return;
  }
  Undecided taken = std::move(found->second);
  undecided_.erase(found);
  if (verdict == FirstBytes::stun)
    handlers_.stun(std::move(taken.fd), taken.remote);
  else if (verdict == FirstBytes::tls)
    handlers_.tls(std::move(taken.fd));
  else
    handlers_.http(std::move(taken.fd));
}

void PortMux::make_room(const SocketAddress& remote) {
  const auto drop_oldest = [this](size_t most, const auto& counts) {
    int oldest = -1;
    size_t count = 0;
    for (const auto& [fd, undecided] : undecided_)
      if (counts(undecided)) {
        ++count;
        if (oldest < 0 || undecided.since_us < undecided_.at(oldest).since_us)
          oldest = fd;
      }
    if (count >= most)
      drop(oldest);
  };
  drop_oldest(kUndecidedPerAddress, [&](const Undecided& other) { return other.remote.ip == remote.ip; });
  drop_oldest(kUndecidedMax, [](const Undecided&) { return true; });
}

void PortMux::drop(int fd) {
  const auto found = undecided_.find(fd);
  if (found->second.source)
    g_source_destroy(found->second.source.get());
  undecided_.erase(found);
}

void PortMux::expire_later() {
  if (expire_source_ || undecided_.empty())
    return;
  expire_source_ = Ref<GSource>::adopt(g_timeout_source_new_seconds(1));
  g_source_set_callback(
      expire_source_.get(),
      [](gpointer data) -> gboolean {
        auto* self = static_cast<PortMux*>(data);
        if (self->expire(g_get_monotonic_time()))
          return G_SOURCE_CONTINUE;
        self->expire_source_.reset();
        return G_SOURCE_REMOVE;
      },
      this, nullptr);
  g_source_attach(expire_source_.get(), context_.get());
}

bool PortMux::expire(int64_t now_us) {
  std::vector<int> late;
  for (const auto& [fd, undecided] : undecided_)
    if (now_us - undecided.since_us > kUndecidedUs)
      late.push_back(fd);
  for (const int fd : late)
    drop(fd);
  return !undecided_.empty();
}

}  // namespace vitrine
