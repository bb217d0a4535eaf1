// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening a service's port.
#include "webrtc/services/listen.h"

#include "common/ref.h"

namespace vitrine {

bool listen_on(SoupServer* server, const ListenSettings& settings, std::string& error) {
  ErrorSlot failure;
  if (!settings.tls_certificate.empty()) {
    const std::string& key = settings.tls_key.empty() ? settings.tls_certificate : settings.tls_key;
    auto certificate = Ref<GTlsCertificate>::adopt(g_tls_certificate_new_from_files(settings.tls_certificate.c_str(), key.c_str(), failure.out()));
    if (!certificate) {
      error = std::string("tls-cert: ") + failure.message();
      return false;
    }
    soup_server_set_tls_certificate(server, certificate.get());
  }
  const auto options = settings.tls_certificate.empty() ? SoupServerListenOptions(0) : SOUP_SERVER_LISTEN_HTTPS;
  bool listening;
  if (settings.address.empty()) {
    listening = soup_server_listen_all(server, static_cast<guint>(settings.port), options, failure.out());
  } else {
    auto address = Ref<GSocketAddress>::adopt(g_inet_socket_address_new_from_string(settings.address.c_str(), static_cast<guint>(settings.port)));
    if (!address) {
      error = "listen: '" + settings.address + "' is not an IP address";
      return false;
    }
    listening = soup_server_listen(server, address.get(), options, failure.out());
  }
  if (!listening)
    error = "port " + std::to_string(settings.port) + ": " + failure.message();
  return listening;
}

}  // namespace vitrine
