// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps to a relay.
#include "webrtc/turn/turn-allocation.h"

namespace vitrine {
namespace {

/// A server that calls every nonce old would be asked for ever.
constexpr int kStaleMost = 2;

}  // namespace

TurnAllocation::TurnAllocation(std::string username, std::string password, std::function<StunTransaction()> random)
    : username_(std::move(username)), password_(std::move(password)), random_(std::move(random)) {
  ask();
}

void TurnAllocation::ask() {
  transaction_ = random_();
  request_ = allocate_request(transaction_, login_ ? &*login_ : nullptr);
}

bool TurnAllocation::take(std::span<const uint8_t> packet) {
  const auto answer = done_ ? std::nullopt : parse_turn_answer(packet);
  if (!answer || answer->transaction != transaction_)
    return false;
  // Servers sign what they grant; refusals that ask for other credentials they cannot sign (RFC 8489 §9.2.4).
  if (login_ && answer->error == 0 && (answer->integrity_offset == 0 || !check_integrity(packet, answer->integrity_offset, login_->key)))
    return false;
  const bool has_credentials = !username_.empty() && !answer->realm.empty() && !answer->nonce.empty();
  const bool first_login = answer->error == kUnauthorised && !login_ && has_credentials;
  if (!relay_ && (first_login || (answer->error == kStaleNonce && login_ && !answer->nonce.empty() && stale_++ < kStaleMost))) {
    login_ = turn_login(username_, password_, answer->realm.empty() ? login_->realm : answer->realm, answer->nonce);
    ask();
    return true;
  }
  // How giving it back ends is the server's affair: a relay ends by itself.
  if (!relay_) {
    error_ = answer->error;
    relay_ = answer->relay;
  }
  done_ = true;
  return true;
}

void TurnAllocation::release() {
  done_ = false;
  transaction_ = random_();
  request_ = release_request(transaction_, login_ ? &*login_ : nullptr);
}

}  // namespace vitrine
