// SPDX-License-Identifier: LGPL-2.1-or-later
// What the stand-alone services share: where they listen, TLS, and who may use them.
#pragma once

#include <libsoup/soup.h>

#include <string>

#include "webrtc/accounts.h"

namespace vitrine {

struct ListenSettings {
  std::string address;  // "" = all, IPv4 and IPv6
  int port = 8080;
  std::string tls_certificate, tls_key;  // PEM files; empty: no TLS
};

/// False, with `error` naming the setting or the port.
bool listen_on(SoupServer* server, const ListenSettings& settings, std::string& error);

}  // namespace vitrine
