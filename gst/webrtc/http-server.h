// SPDX-License-Identifier: LGPL-2.1-or-later
// HTTP on libsoup: authentication, the page, /health, /metrics, and the WebSocket handshake.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/ref.h"
#include "common/unique-fd.h"
#include "webrtc/accounts.h"
#include "webrtc/connection-limit.h"
#include "webrtc/files/file-service.h"
#include "webrtc/forwarded.h"
#include "webrtc/http-login.h"
#include "webrtc/origins.h"
#include "webrtc/viewer-request.h"
#include "webrtc/whep/whep-service.h"

namespace vitrine {

struct HttpSettings {
  bool require_auth = true;
  Accounts accounts;
  std::string web_root;
  std::string base_path;                   // "" or "/a/b"
  TrustedProxies proxies;
  int port = 0;                            // names the cookie: a browser sends a host's cookies to all its ports
  GTlsCertificate* certificate = nullptr;  // borrowed; null: no TLS
  FileSettings files;
  AllowedOrigins allowed_origins;  // other sites whose pages may watch
};

struct HttpHandlers {
  std::function<void(SoupWebsocketConnection*, const ViewerRequest&)> websocket;
  /// The same for frames: /media.
  std::function<void(SoupWebsocketConnection*, const ViewerRequest&)> media_socket;
  std::function<std::string()> metrics;
  /// JSON for scripts.
  std::function<std::string()> statistics;
  /// RTC configuration JSON for an account.
  std::function<std::string(const std::string& account)> rtc_configuration;
  WhepHandlers whep;
};

/// Bound to the thread whose default context it was made on.
class HttpServer {
 public:
  /// Connections that have said that they are HTTP or TLS, WebSockets among them. A proxy's come from one address.
  static constexpr size_t kConnectionsMost = 768, kConnectionsPerAddress = 384;

  HttpServer(HttpSettings settings, HttpHandlers handlers);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  WhepStatistics whep_statistics() const { return whep_.statistics(); }

  /// Takes over accounts, proxies, the largest upload and, where there is one, the certificate. Sessions of accounts that are not as they
  /// were end.
  void change(const HttpSettings& settings);

  /// Takes over a connection that speaks HTTP in the clear.
  void accept_plain(UniqueFd fd);
  /// Takes over a connection that starts with a TLS hello; closes it when there is no certificate.
  void accept_tls(UniqueFd fd);
  /// What files may take of the viewers' paths; to be told of these every 50 ms or so while there are viewers.
  DownloadPace& pace() { return files_.pace(); }

 private:
  struct Scheme;  // one SoupServer for each of http and https, so that handlers know which one it is
  void accept_stream(Scheme& scheme, GIOStream* stream, GSocket* socket);
  RequestOrigin origin_of(SoupServerMessage* message, bool secure) const;
  /// The path below base_path; nothing if it is not below.
  std::optional<std::string> local_path(const std::string& path) const;
  void check_request(SoupServerMessage* message, bool secure);
  bool authenticate(SoupServerMessage* message, const RequestOrigin& origin);
  ViewerRequest viewer_request(SoupServerMessage* message, bool secure) const;
  void serve(SoupServerMessage* message, const char* path, bool secure);
  std::unique_ptr<Scheme> make_scheme(bool secure);
  template <auto handler>
  void add_websocket(Scheme& scheme, const std::string& path, const char* protocol);

  HttpSettings settings_;
  const HttpHandlers handlers_;
  HttpLogin login_;
  FileService files_;
  WhepService whep_;
  const std::shared_ptr<ConnectionLimit> connections_ = std::make_shared<ConnectionLimit>(kConnectionsMost, kConnectionsPerAddress);
  std::unique_ptr<Scheme> plain_, secure_;
};

}  // namespace vitrine
