// SPDX-License-Identifier: LGPL-2.1-or-later
// How often one viewer may have a keyframe: each one costs everybody who watches the same stream. Pure.
#pragma once

#include <cstdint>

#include "webrtc/token-bucket.h"

namespace vitrine {

/// What is known when a viewer has lost the picture.
struct KeyframeFacts {
  int64_t newest_us = 0;     // when the newest keyframe went out; 0: none did
  int64_t under_way_us = 0;  // who asks so soon after that has not seen it yet
  bool alone = false;        // nobody else watches
  bool asks_once = false;    // the viewer does not ask again while it has none, as browsers do by RTCP
};

class KeyframeBudget {
 public:
  /// While others watch.
  static constexpr double kPerSecond = 0.3, kBurst = 4;
  /// What a keyframe takes by RTP, beside the round trip, until a browser asks for it no more; they ask again while they have none.
  static constexpr int64_t kRtpUs = 250'000;
  /// The encoder gets this long to make one.
  static constexpr int64_t kMadeUs = 1'000'000;

  /// The viewer has lost the picture. True: ask for a keyframe now. False: one is on its way, or poll() says when there is one for it again.
  bool request(int64_t now_us, const KeyframeFacts& facts) {
    if (facts.newest_us != 0 && now_us - facts.newest_us < facts.under_way_us) {
      // It may be that very keyframe which is of no use.
      if (facts.asks_once && asked_us_ == 0)
        asked_us_ = now_us;
      return false;
    }
    if (granted_us_ > facts.newest_us && now_us - granted_us_ < kMadeUs)
      return false;
    if (asked_us_ == 0)
      asked_us_ = now_us;
    return poll(now_us, facts);
  }
  /// True when a request that had to wait is due.
  bool poll(int64_t now_us, const KeyframeFacts& facts) {
    if (asked_us_ != 0 && facts.newest_us > asked_us_)
      asked_us_ = 0;  // somebody else's was for this viewer too
    if (asked_us_ == 0 || (facts.newest_us != 0 && now_us - facts.newest_us < facts.under_way_us) || !spend(now_us, facts.alone))
      return false;
    asked_us_ = 0;
    granted_us_ = now_us;
    return true;
  }
  /// Whether the viewer may do what costs a keyframe.
  bool spend(int64_t now_us, bool alone) { return bucket_.take(now_us) || alone; }

 private:
  TokenBucket bucket_{kPerSecond, kBurst};
  int64_t asked_us_ = 0, granted_us_ = 0;
};

}  // namespace vitrine
