// SPDX-License-Identifier: LGPL-2.1-or-later
// Waiting on sockets.
#include "webrtc/turn/turn-wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "webrtc/turn/turn-framing.h"

namespace vitrine {
namespace {

WireResult result_of(const GError* error) {
  const struct {
    GQuark domain;
    int code;
    WireEnd end;
  } known[] = {{G_IO_ERROR, G_IO_ERROR_CANCELLED, WireEnd::silent},
               {G_IO_ERROR, G_IO_ERROR_TIMED_OUT, WireEnd::silent},
               {G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, WireEnd::refused},
               {G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE, WireEnd::no_route},
               {G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE, WireEnd::no_route},
               {G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, WireEnd::closed},
               {G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, WireEnd::bad_certificate},
               {G_TLS_ERROR, G_TLS_ERROR_NOT_TLS, WireEnd::no_tls},
               {G_TLS_ERROR, G_TLS_ERROR_EOF, WireEnd::closed}};
  for (const auto& [domain, code, end] : known)
    if (g_error_matches(error, domain, code))
      return {end, ""};
  return {error && error->domain == G_TLS_ERROR ? WireEnd::no_tls : WireEnd::failed, error ? error->message : ""};
}

class Datagrams : public TurnWire {
 public:
  Datagrams(Ref<GSocket> socket, GCancellable* cancel) : socket_(std::move(socket)), cancel_(cancel) {}

  WireResult ask(const std::vector<uint8_t>& request, const std::function<bool(std::span<const uint8_t>)>& take) override {
    bool strange = false;
    for (int64_t wait_us = kFirstWaitUs;; wait_us *= 2) {
      ErrorSlot error;
      if (g_socket_send(socket_.get(), reinterpret_cast<const char*>(request.data()), request.size(), cancel_, error.out()) < 0)
        return result_of(error.get());
      const int64_t until_us = g_get_monotonic_time() + wait_us;
      for (int64_t left_us = wait_us; left_us > 0; left_us = until_us - g_get_monotonic_time()) {
        if (!g_socket_condition_timed_wait(socket_.get(), G_IO_IN, left_us, cancel_, error.out())) {
          if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
            break;
          return strange && g_cancellable_is_cancelled(cancel_) ? WireResult{WireEnd::wrong_protocol, ""} : result_of(error.get());
        }
        std::array<uint8_t, 4096> packet;
        const gssize length = g_socket_receive(socket_.get(), reinterpret_cast<char*>(packet.data()), packet.size(), cancel_, error.out());
        if (length < 0)
          return result_of(error.get());
        if (take({packet.data(), static_cast<size_t>(length)}))
          return {};
        strange = true;
      }
    }
  }

 private:
  // RFC 8489 §6.2.1 has 500 ms; less, since all has to be over soon.
  static constexpr int64_t kFirstWaitUs = 250'000;

  const Ref<GSocket> socket_;
  GCancellable* const cancel_;
};

class Stream : public TurnWire {
 public:
  Stream(Ref<GIOStream> stream, GCancellable* cancel) : stream_(std::move(stream)), cancel_(cancel) {}

  WireResult ask(const std::vector<uint8_t>& request, const std::function<bool(std::span<const uint8_t>)>& take) override {
    ErrorSlot error;
    if (!g_output_stream_write_all(g_io_stream_get_output_stream(stream_.get()), request.data(), request.size(), nullptr, cancel_, error.out()))
      return result_of(error.get());
    for (bool taken = false; !taken;) {
      std::array<uint8_t, 4096> bytes;
      const gssize length = g_input_stream_read(g_io_stream_get_input_stream(stream_.get()), bytes.data(), bytes.size(), cancel_, error.out());
      if (length < 0)
        return result_of(error.get());
      if (length == 0)
        return {WireEnd::closed, ""};
      // We open no channels. Their first byte is text to others: "HTTP/1.1" would be one with much to come.
      if (!std::exchange(heard_, true) && (bytes[0] & 0xc0) != 0)
        return {WireEnd::wrong_protocol, ""};
      if (!reader_.take({bytes.data(), static_cast<size_t>(length)}, [&](std::span<const uint8_t> message) { taken = taken || take(message); }))
        return {WireEnd::wrong_protocol, ""};
    }
    return {};
  }

 private:
  const Ref<GIOStream> stream_;
  GCancellable* const cancel_;
  TurnStreamReader reader_;
  bool heard_ = false;
};

std::string certificate_problem(GTlsCertificateFlags flags) {
  const struct {
    GTlsCertificateFlags flag;
    const char* text;
  } known[] = {{G_TLS_CERTIFICATE_UNKNOWN_CA, "no authority that is known vouches for it"},
               {G_TLS_CERTIFICATE_BAD_IDENTITY, "it is for another name"},
               {G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet"},
               {G_TLS_CERTIFICATE_EXPIRED, "it has expired"},
               {G_TLS_CERTIFICATE_REVOKED, "it was revoked"},
               {G_TLS_CERTIFICATE_INSECURE, "its algorithm is not secure"},
               {G_TLS_CERTIFICATE_GENERIC_ERROR, "it is not right"}};
  std::string text;
  for (const auto& [flag, problem] : known)
    if (flags & flag)
      text += (text.empty() ? "" : ", ") + std::string(problem);
  return text;
}

std::unique_ptr<TurnWire> open_datagrams(GSocketAddress* address, GCancellable* cancel, WireResult& result) {
  ErrorSlot error;
  auto socket = Ref<GSocket>::adopt(g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error.out()));
  // Only for a connected socket the kernel tells that nobody listens.
  if (!socket || !g_socket_connect(socket.get(), address, cancel, error.out())) {
    result = result_of(error.get());
    return nullptr;
  }
  return std::make_unique<Datagrams>(std::move(socket), cancel);
}

/// TLS on top; null, with `result` saying why.
Ref<GIOStream> with_tls(GIOStream* plain, const IceUrl& url, GTlsDatabase* database, GCancellable* cancel, WireResult& result) {
  ErrorSlot error;
  const auto identity = Ref<GSocketConnectable>::adopt(g_network_address_new(url.host.c_str(), static_cast<guint16>(url.port)));
  auto tls = Ref<GIOStream>::adopt(g_tls_client_connection_new(plain, identity.get(), error.out()));
  if (!tls) {
    result = result_of(error.get());
    return nullptr;
  }
  if (database)
    g_tls_connection_set_database(G_TLS_CONNECTION(tls.get()), database);
  GTlsCertificateFlags flags{};
  g_signal_connect(tls.get(), "accept-certificate",
                   G_CALLBACK(+[](GTlsConnection*, GTlsCertificate*, GTlsCertificateFlags problems, gpointer noted) -> gboolean {
                     *static_cast<GTlsCertificateFlags*>(noted) = problems;
                     return FALSE;
                   }),
                   &flags);
  const bool shaken = g_tls_connection_handshake(G_TLS_CONNECTION(tls.get()), cancel, error.out());
  g_signal_handlers_disconnect_by_data(tls.get(), &flags);
  if (!shaken) {
    result = flags ? WireResult{WireEnd::bad_certificate, certificate_problem(flags)} : result_of(error.get());
    return nullptr;
  }
  return tls;
}

std::unique_ptr<TurnWire> open_stream(const IceUrl& url, GSocketAddress* address, GTlsDatabase* database, GCancellable* cancel, WireResult& result) {
  ErrorSlot error;
  const auto client = Ref<GSocketClient>::adopt(g_socket_client_new());
  auto stream = Ref<GIOStream>::adopt(G_IO_STREAM(g_socket_client_connect(client.get(), G_SOCKET_CONNECTABLE(address), cancel, error.out())));
  if (!stream) {
    result = result_of(error.get());
    return nullptr;
  }
  if (url.tls)
    stream = with_tls(stream.get(), url, database, cancel, result);
  return stream ? std::make_unique<Stream>(std::move(stream), cancel) : nullptr;
}

}  // namespace

std::unique_ptr<TurnWire> open_turn_wire(const IceUrl& url, GSocketAddress* address, GTlsDatabase* database, GCancellable* cancel,
                                         WireResult& result) {
  return url.tcp ? open_stream(url, address, database, cancel, result) : open_datagrams(address, cancel, result);
}

}  // namespace vitrine
