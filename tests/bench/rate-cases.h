// SPDX-License-Identifier: LGPL-2.1-or-later
// The cases in which controls are compared (docs/rate-control.md), by the unit tests and by the benchmark.
#pragma once

#include "rate-sim.h"

namespace vitrine::bench::cases {

inline LinkSettings link(double mbit, double queue_ms = 300, double loss = 0, double rtt_ms = 20) {
  LinkSettings settings;
  settings.rate_bps = mbit * 1e6;
  settings.delay_us = static_cast<int64_t>(rtt_ms * 500);
  settings.queue_bytes = static_cast<size_t>(mbit * 1e6 / 8 * queue_ms / 1e3);
  settings.loss = loss;
  return settings;
}

inline Scenario make(const std::string& name, const LinkSettings& settings, double seconds) {
  Scenario scenario;
  scenario.name = name;
  scenario.link = settings;
  scenario.back_delay_us = settings.delay_us;
  scenario.seconds = seconds;
  return scenario;
}

/// A link of 20 Mbit/s behind one that began with 2.
inline Scenario rise() {
  auto scenario = make("2 → 20 Mbit/s", link(2, 300), 20);
  scenario.start_bps = 2e6;
  scenario.changes = {{8, link(20, 300)}};
  return scenario;
}
inline Scenario fall() {
  auto scenario = make("20 → 4 → 20 Mbit/s", link(20, 300), 30);
  auto narrow = link(4, 300);
  narrow.queue_bytes = scenario.link.queue_bytes;  // the same box, only slower: up to 1.5 s of queue
  scenario.changes = {{10, narrow}, {20, link(20, 300)}};
  return scenario;
}
/// Ten seconds of video, a minute of a clock that ticks, then everything changes.
inline Scenario still() {
  auto scenario = make("still → full change", link(20, 300), 80);
  scenario.demand = [](double s) { return s < 10 || s >= 70 ? 1e9 : s - static_cast<int>(s) < 1.0 / 60 ? 40e3 * 60 / 60 : 0; };
  return scenario;
}
inline Scenario typing() {
  auto scenario = make("typing", link(10, 300), 30);
  scenario.demand = [](double s) { return static_cast<int>(s * 60) % 8 == 0 ? 1.5e6 : 0; };
  return scenario;
}
inline Scenario scrolling() {
  auto scenario = make("scrolling", link(10, 300), 30);
  scenario.demand = [](double s) { return static_cast<int>(s) % 3 == 0 ? 1e9 : 50e3; };
  return scenario;
}
inline Scenario loss(double fraction, double rtt_ms) {
  char name[64];
  snprintf(name, sizeof name, "%g %% loss, RTT %g ms", fraction * 100, rtt_ms);
  return make(name, link(10, 300, fraction, rtt_ms), 30);
}
inline Scenario bufferbloat() { return make("bufferbloat, 1 s", link(5, 1000), 30); }
inline Scenario tcp() {
  auto scenario = make("TCP beside us", link(10, 200), 60);
  scenario.tcp_from = 15;
  scenario.tcp_to = 50;
  return scenario;
}
inline Scenario jitter() {
  auto settings = link(10, 300);
  settings.jitter_us = 15'000;
  return make("jitter of 15 ms", settings, 30);
}

inline std::vector<Scenario> all() {
  std::vector<Scenario> list = {still(), typing(), scrolling(), make("video", link(10, 300), 30), fall(), rise()};
  for (const double fraction : {0.02, 0.05, 0.10})
    for (const double rtt : {20.0, 40.0, 100.0})
      list.push_back(loss(fraction, rtt));
  list.push_back(tcp());
  list.push_back(bufferbloat());
  list.push_back(jitter());
  return list;
}

}  // namespace vitrine::bench::cases
