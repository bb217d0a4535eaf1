// SPDX-License-Identifier: LGPL-2.1-or-later
// What carries questions to a TURN server and its answers back, for who has time to wait: datagrams, or a stream with or without TLS.
#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/ref.h"
#include "webrtc/turn/ice-url.h"

namespace vitrine {

enum class WireEnd {
  answered,
  silent,            // until it was cancelled
  no_route,
  refused,           // nobody listens there
  closed,            // the other side ended it
  wrong_protocol,    // it says something, but no TURN
  bad_certificate,
  no_tls,
  failed,
};

/// How it ended; `why` in words where there is more to say. Never a secret.
struct WireResult {
  WireEnd end = WireEnd::answered;
  std::string why;
};

/// Bound to one thread; what waits ends when `cancel` is cancelled, from any.
class TurnWire {
 public:
  virtual ~TurnWire() = default;
  /// Sends the request, again where datagrams may be lost, until `take` is content with what has come.
  virtual WireResult ask(const std::vector<uint8_t>& request, const std::function<bool(std::span<const uint8_t>)>& take) = 0;
};

/// The wire to this address of the server; nothing, with `result` saying why. `database` null: the system's certificate authorities.
/// A certificate must be for the URL's host.
std::unique_ptr<TurnWire> open_turn_wire(const IceUrl& url, GSocketAddress* address, GTlsDatabase* database, GCancellable* cancel,
                                         WireResult& result);

}  // namespace vitrine
