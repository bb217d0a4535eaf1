// SPDX-License-Identifier: LGPL-2.1-or-later
// A network link of our own in user space: rate, delay, jitter, random and burst loss, bounded queue. Time comes from outside, so that it serves
// simulations and real packets alike. The same seed gives the same losses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>

namespace vitrine::bench {

struct LinkSettings {
  double rate_bps = 0;          // 0: no limit
  int64_t delay_us = 0;         // one way
  int64_t jitter_us = 0;        // added evenly from 0 to this; order is kept
  double loss = 0;              // 0..1, each packet by itself
  double burst_enter = 0;       // Gilbert: chance per packet to fall into the bad state, where all are lost,
  double burst_leave = 1;       // and to leave it
  size_t queue_bytes = 256000;  // tail drop behind this
  uint64_t seed = 1;
};

struct LinkStatistics {
  uint64_t taken = 0, lost = 0, overflowed = 0, delivered = 0, bytes = 0;
};

/// One direction. Packets are numbers to it; the owner keeps their bytes.
class Link {
 public:
  explicit Link(const LinkSettings& settings) : settings_(settings), random_(settings.seed) {}

  /// Changes settings at `now_us`; packets that wait are served by the new rate.
  void change(int64_t now_us, const LinkSettings& settings);
  const LinkSettings& settings() const { return settings_; }
  /// A packet enters. False: it is lost or the queue is full; it will never come out.
  bool push(int64_t now_us, uint64_t id, size_t size);
  /// When pop() will have something to say next; -1: nothing on the way.
  int64_t next_us() const;
  /// Calls `out` for all packets that are out at `now_us`, in order.
  void pop(int64_t now_us, const std::function<void(uint64_t id, int64_t at_us)>& out);
  /// How long a packet that enters now would wait for those before it.
  int64_t queue_us(int64_t now_us);
  const LinkStatistics& statistics() const { return statistics_; }

 private:
  struct Waiting {
    uint64_t id;
    size_t size;
  };
  struct Flying {
    uint64_t id;
    int64_t at_us;
  };
  void serve(int64_t now_us);
  bool drops();

  LinkSettings settings_;
  std::mt19937_64 random_;
  std::deque<Waiting> queue_;
  std::deque<Flying> flying_;
  size_t queued_bytes_ = 0;
  double head_bits_ = 0;         // of the packet being served, still to go
  int64_t served_us_ = 0;        // up to when the queue has been served
  int64_t last_out_us_ = 0;
  bool bad_ = false;
  LinkStatistics statistics_;
};

}  // namespace vitrine::bench
