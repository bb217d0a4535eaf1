// SPDX-License-Identifier: LGPL-2.1-or-later
// Asking one TURN server for a relay, as far as it can be said without a network: what to send next, and what came of it. Pure.
#pragma once

#include <functional>
#include <optional>

#include "webrtc/turn/turn-message.h"

namespace vitrine {

class TurnAllocation {
 public:
  /// `random` makes transaction identifiers.
  TurnAllocation(std::string username, std::string password, std::function<StunTransaction()> random);

  /// What to send now; the same until an answer is taken.
  const std::vector<uint8_t>& request() const { return request_; }
  /// False if this is no answer to it. An answer that is not signed as it ought to be is none.
  bool take(std::span<const uint8_t> packet);

  /// Whether nothing is left to ask.
  bool done() const { return done_; }
  const std::optional<SocketAddress>& relay() const { return relay_; }
  /// Why there is none; 0 while there was no refusal.
  int error() const { return error_; }
  /// Whether credentials were asked for and sent.
  bool logged_in() const { return login_.has_value(); }
  /// Gives the relay back from now on: request() and take() are about that.
  void release();

  static constexpr int kUnauthorised = 401, kForbidden = 403, kStaleNonce = 438, kQuotaReached = 486, kFull = 508;

 private:
  void ask();

  const std::string username_, password_;
  const std::function<StunTransaction()> random_;
  StunTransaction transaction_{};
  std::vector<uint8_t> request_;
  std::optional<TurnLogin> login_;
  std::optional<SocketAddress> relay_;
  int error_ = 0;
  int stale_ = 0;  // nonces that were too old
  bool done_ = false;
};

}  // namespace vitrine
