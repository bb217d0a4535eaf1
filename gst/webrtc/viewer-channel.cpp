// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's own WebSocket.
#include "webrtc/viewer-channel.h"

#include "common/ref.h"
#include "webrtc/message.h"

namespace vitrine {
namespace {

constexpr guint kPingSeconds = 5;

class WebSocketChannel : public ViewerChannel {
 public:
  explicit WebSocketChannel(SoupWebsocketConnection* connection) : connection_(Ref<SoupWebsocketConnection>::share(connection)) {
    soup_websocket_connection_set_max_incoming_payload_size(connection, kMessageMax);
    soup_websocket_connection_set_keepalive_interval(connection, kPingSeconds);
  }
  ~WebSocketChannel() override {
    for (const gulong handler : {message_handler_, closed_handler_})
      if (handler)
        g_signal_handler_disconnect(connection_.get(), handler);
    if (open())
      soup_websocket_connection_close(connection_.get(), SOUP_WEBSOCKET_CLOSE_GOING_AWAY, nullptr);
  }
  WebSocketChannel(const WebSocketChannel&) = delete;
  WebSocketChannel& operator=(const WebSocketChannel&) = delete;

  void listen(Handlers handlers) override {
    handlers_ = std::move(handlers);
    message_handler_ = g_signal_connect(
        connection_.get(), "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint type, GBytes* bytes, gpointer data) {
          const auto* self = static_cast<WebSocketChannel*>(data);
          gsize size = 0;
          const auto* start = static_cast<const char*>(g_bytes_get_data(bytes, &size));
          if (self->closed_)
            return;
          if (type == SOUP_WEBSOCKET_DATA_TEXT)
            self->handlers_.text({start, size});
          else
            self->handlers_.binary({reinterpret_cast<const uint8_t*>(start), size});
        }),
        this);
    closed_handler_ = g_signal_connect(connection_.get(), "closed", G_CALLBACK(+[](SoupWebsocketConnection*, gpointer data) {
                                         auto* self = static_cast<WebSocketChannel*>(data);
                                         if (!std::exchange(self->closed_, true))
                                           self->handlers_.closed();
                                       }),
                                       this);
  }
  void send(const std::string& json) override {
    if (open())
      soup_websocket_connection_send_text(connection_.get(), json.c_str());
  }
  void close(gushort code, const std::string& reason) override {
    closed_ = true;
    if (open())
      soup_websocket_connection_close(connection_.get(), code, reason.c_str());
  }

 private:
  bool open() const { return soup_websocket_connection_get_state(connection_.get()) == SOUP_WEBSOCKET_STATE_OPEN; }

  const Ref<SoupWebsocketConnection> connection_;
  Handlers handlers_;
  gulong message_handler_ = 0, closed_handler_ = 0;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<ViewerChannel> new_websocket_channel(SoupWebsocketConnection* connection) {
  return std::make_unique<WebSocketChannel>(connection);
}

}  // namespace vitrine
