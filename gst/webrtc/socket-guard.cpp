// SPDX-License-Identifier: LGPL-2.1-or-later
// Counting what came against what was seen of it.
#include "webrtc/socket-guard.h"

#include <gio/gio.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/ref.h"

namespace vitrine {
namespace {

/// Of a frame's header and what TLS adds to it, for each message and pong; generous.
constexpr uint64_t kOverhead = 128;
constexpr unsigned kUnacknowledgedMs = 15000;

class Guard {
 public:
  Guard(SoupWebsocketConnection* connection, Ref<GSocket> socket)
      : connection_(connection), socket_(std::move(socket)), before_(received()) {
    handlers_[0] = g_signal_connect(connection, "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint, GBytes* bytes, gpointer self) {
                                      static_cast<Guard*>(self)->seen_ += g_bytes_get_size(bytes) + kOverhead;
                                    }),
                                    this);
    handlers_[1] = g_signal_connect(connection, "pong", G_CALLBACK(+[](SoupWebsocketConnection*, GBytes*, gpointer self) {
                                      static_cast<Guard*>(self)->seen_ += kOverhead;
                                    }),
                                    this);
    timer_ = Ref<GSource>::adopt(g_timeout_source_new_seconds(1));
    g_source_set_callback(
        timer_.get(), [](gpointer self) -> gboolean { return static_cast<Guard*>(self)->check(); }, this, nullptr);
    g_source_attach(timer_.get(), g_main_context_get_thread_default());
    const unsigned timeout = kUnacknowledgedMs;
    setsockopt(g_socket_get_fd(socket_.get()), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { g_source_destroy(timer_.get()); }

 private:
  uint64_t received() const {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (g_socket_is_closed(socket_.get()) || getsockopt(g_socket_get_fd(socket_.get()), IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
      return 0;
    return info.tcpi_bytes_received;
  }

  gboolean check() {
    const uint64_t all = received();
    if (all < before_ || all - before_ <= seen_ + kUnseenMost)
      return G_SOURCE_CONTINUE;
    g_info("closed a WebSocket: %" G_GUINT64_FORMAT " bytes came that were no message's", all - before_ - seen_);
    // No handshake: it would wait behind what is being kept. The connection notices and says that it is closed.
    const auto stream = Ref<GIOStream>::share(soup_websocket_connection_get_io_stream(connection_));
    g_io_stream_close(stream.get(), nullptr, nullptr);
    return G_SOURCE_REMOVE;
  }

  SoupWebsocketConnection* const connection_;  // owns this
  const Ref<GSocket> socket_;
  const uint64_t before_;
  uint64_t seen_ = 0;
  gulong handlers_[2] = {0, 0};
  Ref<GSource> timer_;
};

/// The TCP socket below TLS and libsoup's own layers; null if there is none.
Ref<GSocket> socket_below(GIOStream* top) {
  auto stream = Ref<GIOStream>::share(top);
  while (stream && !G_IS_SOCKET_CONNECTION(stream.get())) {
    GIOStream* below = nullptr;
    for (const char* name : {"base-iostream", "base-io-stream"})  // libsoup's layer; GTlsConnection
      if (!below && g_object_class_find_property(G_OBJECT_GET_CLASS(stream.get()), name))
        g_object_get(stream.get(), name, &below, nullptr);
    stream = Ref<GIOStream>::adopt(below);
  }
  return stream ? Ref<GSocket>::share(g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream.get()))) : nullptr;
}

}  // namespace

void guard_socket(SoupWebsocketConnection* connection) {
  if (auto socket = socket_below(soup_websocket_connection_get_io_stream(connection)))
    g_object_set_data_full(G_OBJECT(connection), "vitrine-guard", new Guard(connection, std::move(socket)),
                           [](gpointer guard) { delete static_cast<Guard*>(guard); });
}

}  // namespace vitrine
