// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening a service's port, and its certificate.
#include "webrtc/services/listen.h"

#include "webrtc/certificate.h"

namespace vitrine {

bool listen_on(SoupServer* server, const ListenSettings& settings, std::string& error) {
  ErrorSlot failure;
  if (settings.secure()) {
    const auto certificate = load_certificate(settings.tls_certificate, settings.tls_key, error);
    if (!certificate)
      return false;
    soup_server_set_tls_certificate(server, certificate.get());
  }
  const auto options = settings.secure() ? SOUP_SERVER_LISTEN_HTTPS : SoupServerListenOptions(0);
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

void ListenChange::apply(SoupServer* server) const {
  if (certificate)
    soup_server_set_tls_certificate(server, certificate.get());
}

std::optional<ListenChange> listen_change(const ListenSettings& now, const ListenSettings& wanted, std::string& error) {
  ListenChange change{now, nullptr};
  if (!now.secure() || !wanted.secure())
    return change;
  change.settings.tls_certificate = wanted.tls_certificate;
  change.settings.tls_key = wanted.tls_key;
  change.certificate = load_certificate(wanted.tls_certificate, wanted.tls_key, error);
  if (!change.certificate)
    return std::nullopt;
  return change;
}

}  // namespace vitrine
