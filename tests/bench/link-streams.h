// SPDX-License-Identifier: LGPL-2.1-or-later
// TCP connections through the emulated link: what the server sends goes in segments as Reno sends them, what is lost is sent again, and the other
// end gets it in order. What browsers send is passed on at once.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "reno.h"

namespace vitrine::bench {

class Streams {
 public:
  struct Segment {
    uint64_t connection = 0;  // 0: none
    uint64_t number = 0;
    int64_t entered_us = 0;
  };

  ~Streams();
  void listen(int port, int server_port);
  /// What wakes whoever waits.
  void watch(std::vector<pollfd>& fds) const;
  /// Reads what may be sent and hands it to `push`, which says whether the link took it; that one was lost shows after `lost_after_us`.
  void take(int64_t now_us, const std::function<bool(const Segment& segment, size_t size)>& push, int64_t lost_after_us);
  /// A segment has come out of the link; the sender hears of it `delay_us` later.
  void arrived(const Segment& segment, int64_t at_us, int64_t delay_us);

 private:
  struct Connection {
    int near = -1, far = -1;
    RenoFlow flow{40'000};
    std::map<uint64_t, std::string> flying;   // sent, by number
    std::map<uint64_t, std::string> waiting;  // arrived after one that is missing
    std::multimap<int64_t, Segment> acks, losses;
    uint64_t next = 0, expected = 0;
    std::string to_near, to_far;
    bool far_ended = false;
  };
  void accept_all();
  bool serve(uint64_t id, Connection& connection, int64_t now_us, const std::function<bool(const Segment&, size_t)>& push, int64_t lost_after_us);
  void send(uint64_t id, Connection& connection, uint64_t number, int64_t now_us, const std::function<bool(const Segment&, size_t)>& push, int64_t lost_after_us);

  int listen_ = -1, server_port_ = 0;
  uint64_t last_ = 0;
  std::map<uint64_t, Connection> connections_;
};

}  // namespace vitrine::bench
