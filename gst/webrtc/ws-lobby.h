// SPDX-License-Identifier: LGPL-2.1-or-later
// Media sockets that have not said yet which viewer they belong to.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/ref.h"
#include "webrtc/http-server.h"

namespace vitrine {

/// Bound to the session's thread.
class WsLobby {
 public:
  static constexpr size_t kWaitingMax = 64;
  static constexpr size_t kWaitingPerAddress = 8;
  static constexpr int64_t kPatienceUs = 10'000'000;
  static constexpr size_t kFirstMessageMax = 512;

  /// Gets a socket that named `token`. False: nobody has that token, or not for this account.
  using Attach = std::function<bool(Ref<SoupWebsocketConnection> connection, const Identity& identity, const std::string& token)>;

  explicit WsLobby(Attach attach);
  ~WsLobby();
  WsLobby(const WsLobby&) = delete;
  WsLobby& operator=(const WsLobby&) = delete;

  void add(SoupWebsocketConnection* connection, const ViewerRequest& request);
  /// Ends those that waited too long.
  void tick(int64_t now_us);
  bool empty() const { return waiting_.empty(); }

 private:
  struct Guest;
  void on_text(Guest& guest, const std::string& text);
  void refuse(SoupWebsocketConnection* connection, const char* why);
  void forget(const Guest& guest);

  const Attach attach_;
  std::vector<std::unique_ptr<Guest>> waiting_;
};

}  // namespace vitrine
