// SPDX-License-Identifier: LGPL-2.1-or-later
// A desktop stream over an emulated link, in simulated time: an encoder that follows a controller, feedback like a browser's, and if asked a TCP flow
// beside it. Metrics as in RFC 8868, cases after RFC 8867.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "link.h"
#include "webrtc/rate/rate-control.h"

namespace vitrine::bench {

struct Scenario {
  std::string name;
  LinkSettings link;                              // forth
  int64_t back_delay_us = 10'000;
  int64_t feedback_us = 60'000;                   // a browser's interval
  bool answers = true;                            // what is asked on the way is answered at once, as a browser answers STUN
  double fps = 60;
  double start_bps = 4e6, max_bps = 50e6;
  double seconds = 20;
  /// What the desktop would send at most, bits per second, if the rate were no bound; a video by default.
  std::function<double(double seconds)> demand;
  /// What the encoder makes of the target it is given, 0..1: less when pictures come seldom.
  std::function<double(double seconds)> use;
  /// Changes of the link: at these seconds these settings.
  std::vector<std::pair<double, LinkSettings>> changes;
  /// A greedy TCP flow (Reno) from..to, seconds.
  double tcp_from = -1, tcp_to = -1;
  /// Feedback may be tampered with before the controller sees it; false: drop it.
  std::function<bool(double seconds, std::vector<Delivery>&)> tamper;
};

struct Point {
  double seconds, link_bps, target_bps, sent_bps, received_bps, tcp_bps, queue_ms, latency_ms;
};

struct Outcome {
  std::string scenario, control;
  std::vector<Point> points;           // every 50 ms
  std::vector<std::pair<double, double>> frame_latency_ms;  // of each whole frame: second sent, ms
  double tcp_bytes = 0, media_bytes = 0;
  double longest_gap_ms = 0;           // between whole frames that came, while frames were sent

  double mean(double Point::*member, double from, double to) const;
  double quantile(double Point::*member, double q, double from, double to) const;
  double peak(double Point::*member, double from, double to) const;
  double latency_quantile(double q, double from, double to) const;
  /// First second from `from` on at which `member` reaches (or, falling, goes below) `value` and keeps it for `hold`; -1: never.
  double reaches(double Point::*member, double value, bool falling, double from, double hold) const;
};

Outcome simulate(const Scenario& scenario, RateControl& control, const std::string& name);

}  // namespace vitrine::bench
