// SPDX-License-Identifier: LGPL-2.1-or-later
// A small HTTP service beside a TURN server: hands out RTC configurations with time-limited credentials ("TURN REST").
#pragma once

#include <libsoup/soup.h>

#include <string>

#include "common/ref.h"
#include "webrtc/http-login.h"
#include "webrtc/services/listen.h"
#include "webrtc/turn/turn-settings.h"

namespace vitrine {

struct TurnRestSettings {
  ListenSettings listen;
  bool require_auth = true;
  Accounts accounts;
  TurnSettings turn;
};

/// What a caller asks for; taken from the parameters username, protocol, tls or the headers x-auth-user, x-turn-protocol, x-turn-tls.
struct TurnRestRequest {
  std::string username, protocol, tls;
};
/// The servers of `configuration` that fit; all if nothing is asked for, or if none would be left.
RtcConfiguration fitting_servers(RtcConfiguration configuration, const TurnRestRequest& request);

/// Bound to the thread whose default context start() was called on.
class TurnRestServer {
 public:
  explicit TurnRestServer(TurnRestSettings settings)
      : settings_(std::move(settings)), login_({"TURN", settings_.require_auth, settings_.accounts, "", "", nullptr}) {}
  ~TurnRestServer();
  TurnRestServer(const TurnRestServer&) = delete;
  TurnRestServer& operator=(const TurnRestServer&) = delete;

  /// False, with `error` naming the setting or the address.
  bool start(std::string& error);
  /// Takes over accounts, servers with their credentials and the certificate, read anew, for who asks from now on; what else differs is
  /// left as it is. False, with `error`, and nothing changed, if one of them cannot be used.
  bool change(const TurnRestSettings& wanted, std::string& error);

 private:
  static void on_request(SoupServer* server, SoupServerMessage* message, const char* path, GHashTable* query, gpointer self);
  void answer(SoupServerMessage* message, const std::string& path, GHashTable* query);

  TurnRestSettings settings_;
  HttpLogin login_;
  Ref<SoupServer> server_;
};

}  // namespace vitrine
