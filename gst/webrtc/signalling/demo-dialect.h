// SPDX-License-Identifier: LGPL-2.1-or-later
// Between a peer that speaks the demos' protocol and a viewer's session messages. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "webrtc/signalling/demo-line.h"

namespace vitrine {

/// One peer's session. A peer whose first word is a session message is our own page: its messages pass as they stand.
class DemoDialect {
 public:
  /// The session's first message for a peer that waits for our offer.
  std::string call();
  /// The session's message for what the peer says, if it is one. `text` is what `line` was read from.
  std::optional<std::string> from_peer(const SignallingLine& line, std::string_view text);
  /// What the peer is told for a message of the session, if anything.
  std::optional<std::string> to_peer(std::string_view json);
  bool began() const { return began_; }

 private:
  bool began_ = false, native_ = false;
  int64_t offer_id_ = 0;
  std::vector<std::string> mids_;  // of the description that we sent
};

}  // namespace vitrine
