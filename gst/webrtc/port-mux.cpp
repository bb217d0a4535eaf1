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
  if (accept_source_)
    g_source_destroy(accept_source_.get());
  for (auto& [fd, undecided] : undecided_)
    if (undecided.source)
      g_source_destroy(undecided.source.get());
}

bool PortMux::listen(const std::string& address, int port, std::string& error, bool& in_use) {
  listener_ = listen_on(address, port, error, in_use);
  if (!listener_)
    return false;
  accept_source_ = Ref<GSource>::adopt(g_unix_fd_source_new(listener_.get(), G_IO_IN));
  g_source_set_callback(accept_source_.get(), G_SOURCE_FUNC(on_acceptable), this, nullptr);
  g_source_attach(accept_source_.get(), context_.get());
  return true;
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
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        GST_WARNING("cannot accept a connection: %s", strerror(errno));
      return;
    }
    if (undecided_.size() >= kUndecidedMax) {
      GST_INFO("refused a connection: %zu others have not said what they want", undecided_.size());
      continue;
    }
    const int on = 1, timeout_ms = 15000;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // A peer that has vanished is noticed when what we send stays unacknowledged this long.
    setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    const int number = fd.get();
    undecided_[number] = {std::move(fd), to_socket_address(storage), g_get_monotonic_time(), {}};
    decide(number);
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

void PortMux::expire(int64_t now_us) {
  for (auto it = undecided_.begin(); it != undecided_.end();) {
    if (now_us - it->second.since_us > kUndecidedUs) {
      if (it->second.source)
        g_source_destroy(it->second.source.get());
      it = undecided_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace vitrine
