// SPDX-License-Identifier: LGPL-2.1-or-later
// Local TCP ports in front of TLS servers: libnice speaks plain TCP to them, we speak TLS to the turns: server.
#pragma once

#include <gio/gio.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "common/mutex.h"
#include "common/ref.h"

namespace vitrine {

/// Thread-safe. Has a thread of its own from the first use on.
class TlsForwarders {
 public:
  /// Connections at the same time for each server, and how long one may take to come about.
  static constexpr size_t kConnectionsMax = 64;
  static constexpr guint kConnectSeconds = 10;

  /// `ca_file` empty: the system's certificate authorities. The server's certificate must be for the host asked for.
  explicit TlsForwarders(std::string ca_file);
  ~TlsForwarders();
  TlsForwarders(const TlsForwarders&) = delete;
  TlsForwarders& operator=(const TlsForwarders&) = delete;

  /// The port on 127.0.0.1 that leads to this server; 0, after a warning, if there is none.
  int port_for(const std::string& host, int port);

 private:
  struct Forwarder;
  void start_thread() REQUIRES(mutex_);

  const std::string ca_file_;
  Mutex mutex_;
  Ref<GMainContext> context_ GUARDED_BY(mutex_);
  Ref<GMainLoop> loop_ GUARDED_BY(mutex_);
  std::thread thread_ GUARDED_BY(mutex_);
  std::map<std::pair<std::string, int>, std::unique_ptr<Forwarder>> forwarders_ GUARDED_BY(mutex_);
};

}  // namespace vitrine
