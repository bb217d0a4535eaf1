// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings that change while viewers are there.
#include "webrtc/certificate.h"
#include "webrtc/session-server.h"

namespace vitrine {

ServerSettings SessionServer::with_changes(ServerSettings now, const ServerSettings& wanted) {
  now.accounts = wanted.accounts;
  now.title = wanted.title;
  now.public_address = wanted.public_address;
  now.max_viewers = wanted.max_viewers;
  now.rate = wanted.rate;
  now.files.largest_upload = wanted.files.largest_upload;
  // Whether there is TLS at all is in every link and cookie.
  if (!now.tls_certificate.empty() && !wanted.tls_certificate.empty()) {
    now.tls_certificate = wanted.tls_certificate;
    now.tls_key = wanted.tls_key;
  }
  now.network.transport = wanted.network.transport;
  now.network.ice_mode = wanted.network.ice_mode;
  now.network.trusted_proxies = wanted.network.trusted_proxies;
  // The forwarders, which serve connections that are there, keep to theirs.
  const std::string authorities = now.network.turn.tls_ca_file;
  now.network.turn = wanted.network.turn;
  now.network.turn.tls_ca_file = authorities;
  return now;
}

bool SessionServer::change(ServerSettings settings, std::string& error) {
  struct Change {
    ServerSettings settings;
    Ref<GTlsCertificate> certificate;
    std::unique_ptr<IceServerStore> ice_servers;
  };
  auto change = std::make_shared<Change>();
  change->ice_servers = std::make_unique<IceServerStore>(settings.network.turn);
  if (!change->ice_servers->load(error))
    return false;
  if (!settings.tls_certificate.empty() && !(change->certificate = load_certificate(settings.tls_certificate, settings.tls_key, error)))
    return false;
  change->settings = std::move(settings);
  post([this, change] {
    const bool servers = !(change->settings.network.turn == settings_.network.turn);
    settings_ = std::move(change->settings);
    // The one that HTTP knows goes last.
    std::swap(certificate_, change->certificate);
    http_->change(http_settings());
    for (const auto& viewer : viewers_)
      viewer->set_limits();
    // A service that is asked for credentials would be asked again: only where it has to be.
    if (servers) {
      next_ice_servers_ = std::move(change->ice_servers);
      next_ice_servers_->start([this] { on_ice_servers_changed(); });
      if (next_ice_servers_->ready())
        on_ice_servers_changed();
    }
  }, true);
  return true;
}

}  // namespace vitrine
