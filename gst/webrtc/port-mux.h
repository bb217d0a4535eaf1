// SPDX-License-Identifier: LGPL-2.1-or-later
// The one TCP port: looks at the first bytes of a connection and hands it to ICE, to TLS or to HTTP.
#pragma once

#include <gio/gio.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/ref.h"
#include "common/unique-fd.h"
#include "webrtc/stun.h"

namespace vitrine {

/// Bound to the thread of its context.
class PortMux {
 public:
  /// Connections that have not sent enough to be told apart, in all and from one address: the oldest make room for new ones.
  static constexpr size_t kUndecidedMax = 256, kUndecidedPerAddress = 64;
  static constexpr int64_t kUndecidedUs = 10'000'000;

  struct Handlers {
    std::function<void(UniqueFd fd, const SocketAddress& remote)> stun;
    std::function<void(UniqueFd fd)> http;
    std::function<void(UniqueFd fd)> tls;
  };

  PortMux(GMainContext* context, Handlers handlers);
  ~PortMux();
  PortMux(const PortMux&) = delete;
  PortMux& operator=(const PortMux&) = delete;

  /// Listens on `address` ("" = all, IPv4 and IPv6). `in_use` tells a taken port from other errors.
  bool listen(const std::string& address, int port, std::string& error, bool& in_use);

 private:
  struct Undecided {
    UniqueFd fd;
    SocketAddress remote;
    int64_t since_us;
    Ref<GSource> source;
  };
  static gboolean on_acceptable(gint fd, GIOCondition condition, gpointer self);
  static gboolean on_readable(gint fd, GIOCondition condition, gpointer self);
  void accept_when_readable();
  void accept_all();
  /// Drops the oldest if there are as many as there may be.
  void make_room(const SocketAddress& remote);
  /// Closes those that stay undecided too long; looks again as long as there are any.
  void expire_later();
  bool expire(int64_t now_us);
  void drop(int fd);
  void decide(int fd);
  void watch(Undecided& undecided, bool later);

  const Ref<GMainContext> context_;
  const Handlers handlers_;
  UniqueFd listener_;
  Ref<GSource> accept_source_, expire_source_;
  std::map<int, Undecided> undecided_;
};

}  // namespace vitrine
