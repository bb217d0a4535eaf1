// SPDX-License-Identifier: LGPL-2.1-or-later
// What the stand-alone services share: where they listen, TLS, and who may use them.
#pragma once

#include <libsoup/soup.h>

#include <optional>
#include <string>

#include "common/ref.h"
#include "webrtc/accounts.h"

namespace vitrine {

struct ListenSettings {
  std::string address;  // "" = all, IPv4 and IPv6
  int port = 8080;
  std::string tls_certificate, tls_key;  // PEM files; empty: no TLS

  bool secure() const { return !tls_certificate.empty(); }
};

/// False, with `error` naming the setting or the port.
bool listen_on(SoupServer* server, const ListenSettings& settings, std::string& error);

/// What of `wanted` who listens already can take over: a certificate, as its files have it now. Address, port and whether there is TLS at
/// all stay as they are.
struct ListenChange {
  ListenSettings settings;
  Ref<GTlsCertificate> certificate;  // null: the one that there is stays

  /// For connections from now on.
  void apply(SoupServer* server) const;
};
/// Nothing, with `error` naming the file, if it cannot be used.
std::optional<ListenChange> listen_change(const ListenSettings& now, const ListenSettings& wanted, std::string& error);

}  // namespace vitrine
