// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading, and a handshake with ourselves: GIO has no other word on whether a key fits.
#include "webrtc/certificate.h"

#include <sys/socket.h>

#include <thread>

namespace vitrine {
namespace {

constexpr guint kPatienceS = 5;

Ref<GSocketConnection> connection_of(int fd) {
  auto socket = Ref<GSocket>::adopt(g_socket_new_from_fd(fd, nullptr));
  g_socket_set_timeout(socket.get(), kPatienceS);
  return Ref<GSocketConnection>::adopt(g_socket_connection_factory_create_connection(socket.get()));
}

bool handshakes(GTlsCertificate* certificate, std::string& why) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return true;  // nothing is known then
  auto server_end = connection_of(ends[0]), client_end = connection_of(ends[1]);
  ErrorSlot failure;
  auto server = Ref<GIOStream>::adopt(g_tls_server_connection_new(G_IO_STREAM(server_end.get()), certificate, failure.out()));
  auto client = server ? Ref<GIOStream>::adopt(g_tls_client_connection_new(G_IO_STREAM(client_end.get()), nullptr, failure.out())) : Ref<GIOStream>();
  if (!client) {
    why = failure.message();
    return false;
  }
  g_signal_connect(client.get(), "accept-certificate",
                   G_CALLBACK(+[](GTlsConnection*, GTlsCertificate*, GTlsCertificateFlags, gpointer) -> gboolean { return TRUE; }), nullptr);
  std::thread other([&] {
    if (!g_tls_connection_handshake(G_TLS_CONNECTION(client.get()), nullptr, nullptr))
      g_io_stream_close(G_IO_STREAM(client_end.get()), nullptr, nullptr);
  });
  const bool good = g_tls_connection_handshake(G_TLS_CONNECTION(server.get()), nullptr, failure.out());
  if (!good)
    g_io_stream_close(G_IO_STREAM(server_end.get()), nullptr, nullptr);
  other.join();
  if (!good)
    why = failure.message();
  return good;
}

}  // namespace

Ref<GTlsCertificate> load_certificate(const std::string& certificate, const std::string& key, std::string& error) {
  ErrorSlot failure;
  auto loaded = Ref<GTlsCertificate>::adopt(
      g_tls_certificate_new_from_files(certificate.c_str(), key.empty() ? certificate.c_str() : key.c_str(), failure.out()));
  if (!loaded) {
    error = "tls-certificate '" + certificate + "': " + failure.message();
    return {};
  }
  std::string why;
  if (handshakes(loaded.get(), why))
    return loaded;
  error = "tls-key '" + (key.empty() ? certificate : key) + "': it is not the key of tls-certificate '" + certificate + "' (" + why + ")";
  return {};
}

}  // namespace vitrine
