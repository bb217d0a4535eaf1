// SPDX-License-Identifier: LGPL-2.1-or-later
// The first message of a media socket.
#include "webrtc/ws-lobby.h"

#include <algorithm>

#include "webrtc/debug.h"
#include "webrtc/message.h"

namespace vitrine {

struct WsLobby::Guest {
  WsLobby& lobby;
  Ref<SoupWebsocketConnection> connection;
  Identity identity;
  std::string address;
  int64_t since_us;
  gulong message_handler = 0, closed_handler = 0;

  Guest(WsLobby& owner, SoupWebsocketConnection* socket, const ViewerRequest& request)
      : lobby(owner),
        connection(Ref<SoupWebsocketConnection>::share(socket)),
        identity(request.identity),
        address(request.remote_address),
        since_us(g_get_monotonic_time()) {}
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() {
    g_signal_handler_disconnect(connection.get(), message_handler);
    g_signal_handler_disconnect(connection.get(), closed_handler);
  }
};

WsLobby::WsLobby(Attach attach) : attach_(std::move(attach)) {}

WsLobby::~WsLobby() {
  for (const auto& guest : waiting_)
    refuse(guest->connection.get(), "the server ends");
}

void WsLobby::add(SoupWebsocketConnection* connection, const ViewerRequest& request) {
  const auto same = std::count_if(waiting_.begin(), waiting_.end(), [&](const auto& g) { return g->address == request.remote_address; });
  if (waiting_.size() >= kWaitingMax || static_cast<size_t>(same) >= kWaitingPerAddress) {
    refuse(connection, "too many media sockets wait");
    return;
  }
  soup_websocket_connection_set_max_incoming_payload_size(connection, kFirstMessageMax);
  auto guest = std::make_unique<Guest>(*this, connection, request);
  guest->message_handler = g_signal_connect(
      connection, "message", G_CALLBACK(+[](SoupWebsocketConnection*, gint type, GBytes* bytes, gpointer data) {
        auto* self = static_cast<Guest*>(data);
        gsize size = 0;
        const auto* start = static_cast<const char*>(g_bytes_get_data(bytes, &size));
        self->lobby.on_text(*self, type == SOUP_WEBSOCKET_DATA_TEXT ? std::string(start, size) : std::string());
      }),
      guest.get());
  guest->closed_handler = g_signal_connect(connection, "closed", G_CALLBACK(+[](SoupWebsocketConnection*, gpointer data) {
                                             auto* self = static_cast<Guest*>(data);
                                             self->lobby.forget(*self);
                                           }),
                                           guest.get());
  waiting_.push_back(std::move(guest));
}

void WsLobby::forget(const Guest& guest) {
  std::erase_if(waiting_, [&](const auto& waiting) { return waiting.get() == &guest; });
}

void WsLobby::on_text(Guest& guest, const std::string& text) {
  std::string error;
  const auto message = parse_viewer_message(text, error);
  const auto* attach = message ? std::get_if<AttachMessage>(&*message) : nullptr;
  const std::string token = attach ? attach->token : "";
  const auto connection = guest.connection.copy();
  const Identity identity = guest.identity;
  forget(guest);
  if (token.empty())
    refuse(connection.get(), "the first message must be 'attach'");
  else if (!attach_(connection.copy(), identity, token))
    refuse(connection.get(), "no such viewer");
}

void WsLobby::refuse(SoupWebsocketConnection* connection, const char* why) {
  GST_INFO("refused a media socket: %s", why);
  if (soup_websocket_connection_get_state(connection) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close(connection, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, why);
}

void WsLobby::tick(int64_t now_us) {
  std::vector<Guest*> late;
  for (const auto& guest : waiting_)
    if (now_us - guest->since_us > kPatienceUs)
      late.push_back(guest.get());
  for (Guest* guest : late) {
    const auto connection = guest->connection.copy();
    forget(*guest);
    refuse(connection.get(), "no 'attach'");
  }
}

}  // namespace vitrine
