// SPDX-License-Identifier: LGPL-2.1-or-later
// What a signalling server of the demos' protocol does with its peers' lines: registrations, sessions of two, rooms. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "webrtc/token-bucket.h"

namespace vitrine {

struct HubLimits {
  size_t peers = 1000;        // connections
  size_t room_peers = 64;     // in one room
  int64_t hello_us = 10'000'000;
  double lines_per_second = 100, lines_burst = 400;
  double bytes_per_second = 64 * 1024, bytes_burst = 1024 * 1024;  // also bounds what waits for a peer that does not read
};

/// The caller brings connections, each with a key of its own, and the time. Closing a peer is told by closed() afterwards too.
class SignallingHub {
 public:
  using Key = uint64_t;
  static constexpr size_t kMetaMax = 8192;   // what a peer says of itself, base64
  static constexpr int kProtocolError = 1002, kPolicyViolation = 1008, kGoingAway = 1001, kTryLater = 1013;

  struct Out {
    std::function<void(Key peer, const std::string& text)> send;
    std::function<void(Key peer, int code, const std::string& reason)> close;  // forgets the peer; nothing more is said to it
  };
  SignallingHub(HubLimits limits, Out out) : limits_(limits), out_(std::move(out)) {}

  void opened(Key key, int64_t now_us);
  void text(Key key, std::string_view text, int64_t now_us);
  void closed(Key key);
  /// Ends those that have not said hello in time.
  void tick(int64_t now_us);
  size_t peers() const { return peers_.size(); }
  size_t sessions() const;

 private:
  struct Peer {
    std::string id, meta, room;  // id empty: has not said hello
    Key partner = 0;             // of a session; 0: none
    int64_t opened_us = 0;
    TokenBucket lines, bytes;
  };

  void hello(Key key, Peer& peer, std::string_view text);
  void command(Key key, Peer& peer, std::string_view text);
  void call(Key key, Peer& peer, const std::string& id);
  void enter_room(Key key, Peer& peer, const std::string& room);
  void room_line(Peer& peer, std::string_view text);
  std::string others_in(const std::string& room, Key but) const;
  /// The peer is gone: what it was in ends.
  void leave(Key key);
  void expel(Key key, int code, const std::string& reason);

  const HubLimits limits_;
  const Out out_;
  std::map<Key, Peer> peers_;
  std::map<std::string, Key, std::less<>> by_id_;
  std::map<std::string, std::set<Key>> rooms_;
};

}  // namespace vitrine
