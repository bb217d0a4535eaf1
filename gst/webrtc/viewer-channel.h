// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a viewer's session messages come from and go to: its WebSocket, a peer of an external signalling server, or a WHEP request.
#pragma once

#include <libsoup/soup.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vitrine {

/// Bound to the session's thread.
class ViewerChannel {
 public:
  struct Handlers {
    std::function<void(std::string_view)> text;
    std::function<void(std::span<const uint8_t>)> binary;
    std::function<void()> closed;  // by the other side
  };

  virtual ~ViewerChannel() = default;
  /// To be called once, first.
  virtual void listen(Handlers handlers) = 0;
  /// Nothing happens when it is closed.
  virtual void send(const std::string& json) = 0;
  /// No handler is called afterwards. `code` is a WebSocket's.
  virtual void close(gushort code, const std::string& reason) = 0;
};

std::unique_ptr<ViewerChannel> new_websocket_channel(SoupWebsocketConnection* connection);

}  // namespace vitrine
