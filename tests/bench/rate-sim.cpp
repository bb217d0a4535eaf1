// SPDX-License-Identifier: LGPL-2.1-or-later
// The simulation's clockwork.
#include "rate-sim.h"

#include "reno.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

namespace vitrine::bench {
namespace {

constexpr uint32_t kPacket = 1200;
constexpr int64_t kStepUs = 250, kLateMostUs = 100'000;
constexpr uint64_t kTcp = uint64_t{1} << 63, kQuestion = uint64_t{1} << 62;
constexpr uint32_t kQuestionSize = 128, kAskEvery = 6'000;  // bytes
constexpr int64_t kRemoteClockUs = -7'777'777'777;  // the viewer's clock has another zero

struct Packet {
  uint64_t frame;
  uint32_t size;
  int64_t sent_us;
  bool retransmission;
  uint64_t original;
};

struct Frame {
  int64_t made_us;
  uint32_t missing;
};

}  // namespace

Outcome simulate(const Scenario& scenario, RateControl& control, const std::string& name) {
  Outcome outcome;
  outcome.scenario = scenario.name;
  outcome.control = name;
  Link link(scenario.link);
  std::mt19937_64 random(scenario.link.seed * 77 + 5);
  const auto uniform = [&] { return std::generate_canonical<double, 53>(random); };
  RenoFlow tcp(2 * scenario.link.delay_us);
  std::map<uint64_t, Packet> packets;
  std::map<uint64_t, Frame> frames;
  struct Paced {
    uint64_t packet;
    int64_t after_us;  // its frame's first
  };
  std::deque<Paced> pacing;
  int64_t frame_begin_us = 0, waited_us = 0;  // of the frame that is leaving
  struct Later {
    int64_t at_us;
    std::vector<Delivery> deliveries;
    std::vector<uint64_t> nacks;
  };
  std::deque<Later> backwards;
  std::deque<std::pair<int64_t, uint64_t>> answers;  // at, question
  std::deque<std::pair<int64_t, int64_t>> tcp_acks;  // at, rtt; rtt < 0: loss
  std::vector<std::pair<uint64_t, int64_t>> arrived;
  std::vector<uint64_t> lost;
  uint64_t next_packet = 1, next_frame = 1;
  int64_t next_frame_us = 0, next_feedback_us = scenario.feedback_us, next_point_us = 0, next_tick_us = 0, last_whole_us = 0;
  double sent_bits = 0, received_bits = 0, tcp_bits = 0, latest_latency_ms = 0, queue_peak_ms = 0;
  size_t change = 0;
  const auto changes = scenario.changes;

  const auto transmit = [&](int64_t now, uint64_t id) {
    Packet& packet = packets[id];
    packet.sent_us = now;
    control.sent(now, packet.size);
    sent_bits += packet.size * 8.0;
    if (!link.push(now, id, packet.size))
      lost.push_back(id);
  };
  const auto make_packet = [&](uint64_t frame, uint32_t size, uint64_t original) {
    const uint64_t id = next_packet++;
    packets[id] = {frame, size, 0, original != 0, original};
    return id;
  };

  uint32_t unasked = 0, asked_of_frame = 0;
  const auto ask = [&](int64_t now, uint32_t bytes) {
    const uint64_t id = kQuestion | next_packet++;
    control.asked(now, id, bytes);
    if (scenario.answers)
      link.push(now, id, kQuestionSize);
    unasked = 0;
  };

  const auto end_us = static_cast<int64_t>(scenario.seconds * 1e6);
  for (int64_t now = 0; now < end_us; now += kStepUs) {
    const double seconds = static_cast<double>(now) / 1e6;
    while (change < changes.size() && seconds >= changes[change].first)
      link.change(now, changes[change++].second);
    if (now >= next_tick_us) {
      control.tick(now);
      next_tick_us += 50'000;
      if (const auto probe = control.probe(now)) {
        const uint64_t frame = next_frame++;  // padding is a train of its own
        for (uint32_t at = 0; at < probe->bytes; at += kPacket)
          transmit(now, make_packet(frame, kPacket, 0));
      }
    }
    if (now >= next_frame_us) {
      next_frame_us += static_cast<int64_t>(1e6 / scenario.fps);
      const double demand = scenario.demand ? scenario.demand(seconds) : 1e9;
      const double bps = std::min(demand, control.target_bps() * (scenario.use ? scenario.use(seconds) : 1));
      if (bps > 0 && !(control.full(now))) {
        const auto size = static_cast<uint32_t>(std::max(60.0, bps / scenario.fps / 8 * (0.8 + 0.4 * uniform())));
        const uint64_t frame = next_frame++;
        frames[frame] = {now, 0};
        const int64_t spread_us = control.spread_us(size * 8.0);
        for (uint32_t at = 0; at < size; at += kPacket) {
          pacing.push_back({make_packet(frame, std::min(kPacket, size - at), 0), spread_us * at / size});
          ++frames[frame].missing;
        }
      }
    }
    while (!pacing.empty()) {
      const auto [id, after_us] = pacing.front();
      if (after_us == 0) {
        frame_begin_us = now;
        waited_us = 0;
      }
      if (now < frame_begin_us + after_us + waited_us)
        break;
      // As FramePacer.
      if (waited_us < kLateMostUs && control.late(now)) {
        waited_us += kStepUs;
        break;
      }
      const Packet packet = packets[id];
      transmit(now, id);
      pacing.pop_front();
      const bool ends = pacing.empty() || packets[pacing.front().packet].frame != packet.frame;
      unasked += packet.size;
      asked_of_frame += packet.size;
      // Twice at a frame's end: nothing comes behind it that would make up for a loss.
      const bool ends_large = ends && asked_of_frame >= 2 * kAskEvery;
      for (int i = unasked < (ends_large ? kAskEvery / 2 : kAskEvery) ? 0 : ends_large ? 2 : 1; i > 0; --i)
        ask(now, asked_of_frame);
      if (ends)
        asked_of_frame = 0;
    }
    if (scenario.tcp_from >= 0 && seconds >= scenario.tcp_from && seconds < scenario.tcp_to) {
      while (tcp.may_send()) {
        tcp.sent();
        const uint64_t id = kTcp | next_packet++;
        packets[id] = {0, 1500, now, false, 0};
        if (!link.push(now, id, 1500)) {
          tcp_acks.emplace_back(now + 2 * scenario.link.delay_us + link.queue_us(now), -1);
          packets.erase(id);
        }
      }
    }
    link.pop(now, [&](uint64_t id, int64_t at_us) {
      if (id & kTcp) {
        tcp_bits += 1500 * 8;
        outcome.tcp_bytes += 1500;
        tcp_acks.emplace_back(at_us + scenario.back_delay_us, at_us + scenario.back_delay_us - packets[id].sent_us);
        packets.erase(id);
        return;
      }
      if (id & kQuestion) {
        answers.emplace_back(at_us + scenario.back_delay_us, id);
        return;
      }
      const Packet& packet = packets[id];
      received_bits += packet.size * 8.0;
      outcome.media_bytes += packet.size;
      arrived.emplace_back(id, at_us);
      const uint64_t of = packet.retransmission ? packet.original : packet.frame;
      const auto frame = frames.find(of);
      if (frame != frames.end() && --frame->second.missing == 0) {
        latest_latency_ms = static_cast<double>(at_us - frame->second.made_us) / 1e3;
        outcome.frame_latency_ms.emplace_back(static_cast<double>(frame->second.made_us) / 1e6, latest_latency_ms);
        // A gap counts only while the desktop has something to show.
        if (last_whole_us != 0 && (!scenario.demand || scenario.demand(static_cast<double>(last_whole_us) / 1e6) > 1e5))
          outcome.longest_gap_ms = std::max(outcome.longest_gap_ms, static_cast<double>(at_us - last_whole_us) / 1e3);
        last_whole_us = at_us;
        frames.erase(frame);
      }
    });
    for (; !answers.empty() && answers.front().first <= now; answers.pop_front())
      control.answered(now, answers.front().second);
    while (!tcp_acks.empty() && tcp_acks.front().first <= now) {
      if (tcp_acks.front().second < 0)
        tcp.lost(now);
      else
        tcp.acked(tcp_acks.front().second);
      tcp_acks.pop_front();
    }
    if (now >= next_feedback_us) {
      next_feedback_us += scenario.feedback_us;
      Later later{now + scenario.back_delay_us, {}, {}};
      for (const auto& [id, at_us] : arrived) {
        const Packet& packet = packets[id];
        later.deliveries.push_back({packet.retransmission ? 0 : packet.frame, packet.size, packet.sent_us, at_us / 250 * 250 + kRemoteClockUs});
        packets.erase(id);
      }
      arrived.clear();
      for (auto id = lost.begin(); id != lost.end();) {
        const Packet& packet = packets[*id];
        if (now - packet.sent_us < scenario.link.delay_us + 60'000) {
          ++id;
          continue;
        }
        later.deliveries.push_back({packet.retransmission ? 0 : packet.frame, packet.size, packet.sent_us, Delivery::kLost});
        // NACK: the bytes are sent again. (A browser asks sooner than its next feedback.)
        const uint64_t frame = packet.retransmission ? packet.original : packet.frame;
        const auto incomplete = frames.find(frame);
        if (incomplete != frames.end() && now - incomplete->second.made_us > 500'000) {
          frames.erase(incomplete);  // given up
        } else if (incomplete != frames.end()) {
          const uint64_t again = make_packet(0, packet.size, frame);
          later.nacks.push_back(again);
        }
        packets.erase(*id);
        id = lost.erase(id);
      }
      std::stable_sort(later.deliveries.begin(), later.deliveries.end(),
                       [](const Delivery& a, const Delivery& b) { return a.sent_us < b.sent_us; });
      if (!later.deliveries.empty())
        backwards.push_back(std::move(later));
    }
    while (!backwards.empty() && backwards.front().at_us <= now) {
      Later later = std::move(backwards.front());
      backwards.pop_front();
      if (!scenario.tamper || scenario.tamper(seconds, later.deliveries))
        control.feedback(now, later.deliveries);
      for (const uint64_t id : later.nacks)
        transmit(now, id);
    }
    queue_peak_ms = std::max(queue_peak_ms, static_cast<double>(link.queue_us(now)) / 1e3);
    if (now >= next_point_us) {
      next_point_us += 50'000;
      outcome.points.push_back({seconds, link.settings().rate_bps, control.target_bps(), sent_bits * 20, received_bits * 20, tcp_bits * 20,
                                queue_peak_ms, latest_latency_ms});
      sent_bits = received_bits = tcp_bits = queue_peak_ms = 0;
    }
  }
  return outcome;
}

double Outcome::mean(double Point::*member, double from, double to) const {
  double sum = 0, count = 0;
  for (const auto& point : points)
    if (point.seconds >= from && point.seconds < to) {
      sum += point.*member;
      count += 1;
    }
  return count > 0 ? sum / count : 0;
}

namespace {
double quantile_of(std::vector<double> values, double q) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
}
}  // namespace

double Outcome::quantile(double Point::*member, double q, double from, double to) const {
  std::vector<double> values;
  for (const auto& point : points)
    if (point.seconds >= from && point.seconds < to)
      values.push_back(point.*member);
  return quantile_of(std::move(values), q);
}

double Outcome::peak(double Point::*member, double from, double to) const { return quantile(member, 1, from, to); }

double Outcome::latency_quantile(double q, double from, double to) const {
  std::vector<double> values;
  for (const auto& [at, ms] : frame_latency_ms)
    if (at >= from && at < to)
      values.push_back(ms);
  return quantile_of(std::move(values), q);
}

double Outcome::reaches(double Point::*member, double value, bool falling, double from, double hold) const {
  double since = -1;
  for (const auto& point : points) {
    if (point.seconds < from)
      continue;
    const bool there = falling ? point.*member < value : point.*member >= value;
    if (!there)
      since = -1;
    else if (since < 0)
      since = point.seconds;
    if (since >= 0 && point.seconds - since >= hold)
      return since;
  }
  return -1;
}

}  // namespace vitrine::bench
