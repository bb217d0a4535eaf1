// SPDX-License-Identifier: LGPL-2.1-or-later
// A signalling server of its own, for desktops that nobody can reach and pages that are served elsewhere (`vitrine signalling`).
#pragma once

#include <libsoup/soup.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/ref.h"
#include "webrtc/http-login.h"
#include "webrtc/origins.h"
#include "webrtc/signalling/signalling-hub.h"
#include "webrtc/services/listen.h"

namespace vitrine {

struct SignallingServerSettings {
  ListenSettings listen;
  bool require_auth = true;
  Accounts accounts;
  std::string allowed_origins;  // list of "https://host[:port]" whose pages may connect beside this server's own; "*": all
  std::string web_root;         // of the page, which reaches desktops through this server: "/?peer=NAME"; empty: as installed
  HubLimits limits;
};

/// Bound to the thread whose default context start() was called on.
class SignallingServer {
 public:
  static constexpr size_t kPerAddressMax = 256;
  static constexpr guint kPingS = 10, kSilentS = 35;

  explicit SignallingServer(SignallingServerSettings settings);
  ~SignallingServer();
  SignallingServer(const SignallingServer&) = delete;
  SignallingServer& operator=(const SignallingServer&) = delete;

  /// False, with `error` naming the setting or the address.
  bool start(std::string& error);
  /// Takes over accounts, origins and the certificate, read anew, for who comes from now on; what else differs is left as it is. False,
  /// with `error`, and nothing changed, if one of them cannot be used.
  bool change(const SignallingServerSettings& wanted, std::string& error);

 private:
  struct Connection;
  /// What is wrong is in `error`; nothing then.
  static std::optional<AllowedOrigins> checked(const SignallingServerSettings& settings, std::string& error);
  void check(SoupServerMessage* message);
  void serve(SoupServerMessage* message, const std::string& path);
  bool origin_may(SoupServerMessage* message) const;
  void accept(SoupWebsocketConnection* socket, SoupServerMessage* message);
  void forget(SignallingHub::Key key);
  void tick();

  SignallingServerSettings settings_;
  AllowedOrigins allowed_origins_;
  std::string web_root_;
  HttpLogin login_;
  SignallingHub hub_;
  Ref<SoupServer> server_;
  Ref<GSource> timer_;
  std::map<SignallingHub::Key, std::unique_ptr<Connection>> connections_;
  SignallingHub::Key last_key_ = 0;
};

}  // namespace vitrine
