// SPDX-License-Identifier: LGPL-2.1-or-later
// Headers, answers, and bodies that nobody wants.
#include "webrtc/http-exchange.h"

#include "common/ref.h"

namespace vitrine {
namespace {

constexpr char kClosedKey[] = "vitrine-closed";
/// libsoup reads for as long as the socket has something: after so much of it others get their turn.
constexpr uint64_t kTurn = 256u << 10;

struct BodyLimit {
  uint64_t left = 0;
  uint64_t turn = kTurn;
};

void on_unwanted_chunk(SoupServerMessage* message, GBytes* chunk, gpointer data) {
  auto* limit = static_cast<BodyLimit*>(data);
  const uint64_t size = g_bytes_get_size(chunk);
  if (size > limit->left) {
    close_connection(message);
    return;
  }
  limit->left -= size;
  if (size < limit->turn) {
    limit->turn -= size;
    return;
  }
  limit->turn = kTurn;
  yield_to_others(message);
}

}  // namespace

std::string ip_of(GSocketAddress* address) {
  if (!address || !G_IS_INET_SOCKET_ADDRESS(address))
    return "";
  GCharPtr text(g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address))));
  const std::string ip = text.get();
  // A dual-stack listener shows IPv4 peers v4-mapped.
  return ip.starts_with("::ffff:") && ip.find('.') != std::string::npos ? ip.substr(7) : ip;
}

const char* request_header(SoupServerMessage* message, const char* name) {
  const char* value = soup_message_headers_get_one(soup_server_message_get_request_headers(message), name);
  return value ? value : "";
}

void set_header(SoupServerMessage* message, const char* name, const std::string& value) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), name, value.c_str());
}

void respond(SoupServerMessage* message, guint status, const char* type, const std::string& body) {
  soup_server_message_set_status(message, status, nullptr);
  soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body.data(), body.size());
}

void respond_now(SoupServerMessage* message, guint status, const char* type, const std::string& body) {
  set_header(message, "Cache-Control", "no-store");
  respond(message, status, type, body);
}

void limit_body(SoupServerMessage* message, uint64_t most) {
  soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
  keep_body(message);
  g_signal_connect_data(
      message, "got-chunk", G_CALLBACK(on_unwanted_chunk), new BodyLimit{most, kTurn},
      [](gpointer data, GClosure*) { delete static_cast<BodyLimit*>(data); }, static_cast<GConnectFlags>(0));
}

void limit_bodies(SoupServer* server, uint64_t most) {
  g_signal_connect_data(
      server, "request-started",
      G_CALLBACK(+[](SoupServer*, SoupServerMessage* message, gpointer data) { limit_body(message, *static_cast<uint64_t*>(data)); }),
      new uint64_t(most), [](gpointer data, GClosure*) { delete static_cast<uint64_t*>(data); }, static_cast<GConnectFlags>(0));
}

void keep_body(SoupServerMessage* message) {
  g_signal_handlers_disconnect_matched(message, G_SIGNAL_MATCH_FUNC, 0, 0, nullptr, reinterpret_cast<gpointer>(on_unwanted_chunk), nullptr);
}

void yield_to_others(SoupServerMessage* message) {
  soup_server_message_pause(message);
  soup_server_message_unpause(message);
}

void close_connection(SoupServerMessage* message) {
  if (is_closed(message))
    return;
  g_object_set_data(G_OBJECT(message), kClosedKey, GINT_TO_POINTER(1));
  if (const auto stream = Ref<GIOStream>::adopt(soup_server_message_steal_connection(message)))
    g_io_stream_close(stream.get(), nullptr, nullptr);
}

bool is_closed(SoupServerMessage* message) {
  return g_object_get_data(G_OBJECT(message), kClosedKey) != nullptr;
}

}  // namespace vitrine
