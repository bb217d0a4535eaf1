// SPDX-License-Identifier: LGPL-2.1-or-later
// UDP ports of our own, for this machine alone, in front of TURN servers that are reached by TCP or TLS. libnice speaks TURN over UDP to them: its own TCP mixes up what
// two threads send, and what it sends to turns: servers is not encrypted.
#pragma once

#include <gio/gio.h>

#include <map>
#include <memory>
#include <string>
#include <thread>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/turn/ice-url.h"

namespace vitrine {

/// Thread-safe. Has a thread of its own from the first use on.
class TurnForwarders {
 public:
  static constexpr size_t kConnectionsMax = 128;        // to one server
  static constexpr size_t kWaitingMax = 256 * 1024;     // bytes that wait for one connection; what comes beyond is dropped
  static constexpr guint kConnectSeconds = 10;
  static constexpr int64_t kIdleUs = 60'000'000;        // libnice keeps what it uses alive more often

  /// `ca_file` empty: the system's certificate authorities. A TLS server's certificate must be for the host asked for.
  explicit TurnForwarders(std::string ca_file);
  ~TurnForwarders();
  TurnForwarders(const TurnForwarders&) = delete;
  TurnForwarders& operator=(const TurnForwarders&) = delete;

  /// The local "address:port" that leads to this server; empty, after a warning, if there is none.
  std::string address_for(const IceUrl& url);

 private:
  struct Forwarder;
  void start_thread() REQUIRES(mutex_);

  const std::string ca_file_;
  Mutex mutex_;
  Ref<GMainContext> context_ GUARDED_BY(mutex_);
  Ref<GMainLoop> loop_ GUARDED_BY(mutex_);
  std::thread thread_ GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<Forwarder>> forwarders_ GUARDED_BY(mutex_);
};

}  // namespace vitrine
