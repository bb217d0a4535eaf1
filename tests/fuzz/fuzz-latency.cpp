// SPDX-License-Identifier: LGPL-2.1-or-later
// Any life of a viewer's frames, input and reports: what is believed can have been, and everything is bounded.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "webrtc/latency/latency-text.h"

using namespace vitrine;

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool more() const { return size_ > 0; }
  template <typename T>
  T take() {
    T value{};
    const size_t count = size_ < sizeof value ? size_ : sizeof value;
    std::memcpy(&value, data_, count);
    data_ += count;
    size_ -= count;
    return value;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  FrameLog log;
  LatencyMeter meter;
  int64_t now_us = 1'000'000;
  uint64_t told = 0;
  while (bytes.more()) {
    const auto what = bytes.take<uint8_t>();
    now_us += bytes.take<uint16_t>();
    const auto way = what & 0x80 ? MediaWay::websocket : MediaWay::webrtc;
    switch (what % 6) {
      case 0:
        log.injected(bytes.take<uint32_t>(), now_us);
        break;
      case 1: {
        const int64_t capture_us = now_us - bytes.take<uint16_t>();
        log.passed(way, bytes.take<uint8_t>(), {capture_us, now_us - 10, now_us, (what & 0x40) != 0, (what & 0x20) != 0}, now_us);
        break;
      }
      case 2:
        log.left_out(way, {now_us - bytes.take<uint16_t>(), 0, now_us, (what & 0x40) != 0, true});
        break;
      case 3:
        log.sent(way, bytes.take<uint8_t>(), now_us);
        break;
      case 4: {
        const auto due = log.take_due(now_us, LatencyMeter::kReportFramesMax);
        require(due.size() <= LatencyMeter::kReportFramesMax, "no more is told than asked for");
        for (const LoggedFrame& frame : due)
          require(frame.sent_us != 0 && frame.sent_us <= now_us && frame.times.fresh, "only frames that went out and show something new are told");
        told += due.size();
        frames_json(due, now_us);
        break;
      }
      default: {
        LatencyReport report{(what & 0x40) != 0, bytes.take<int64_t>(), {}};
        for (unsigned count = bytes.take<uint8_t>() % 80; count > 0 && bytes.more(); --count) {
          ShownFrame frame{bytes.take<uint8_t>(), bytes.take<int32_t>(), bytes.take<int32_t>(), bytes.take<int32_t>(), bytes.take<int32_t>()};
          if (what & 0x10)
            frame.presented_us = bytes.take<int64_t>();
          report.frames.push_back(frame);
        }
        meter.take(report, log, "udp", now_us);
      }
    }
  }
  require(meter.counters().taken <= told, "a frame is believed at most once");
  require(meter.counters().unsure <= meter.counters().taken, "those are among them");
  require(meter.by_transport().size() <= 2, "as many transports as there are");
  for (const auto& [name, figures] : meter.by_transport()) {
    require(figures.capture_to_photon.count() + meter.counters().unsure <= 2 * told, "no value without a frame");
    for (const double q : {0.0, 0.5, 0.95, 1.0})
      for (const Distribution* values : {&figures.capture_to_photon, &figures.input_to_photon})
        require(values->quantile(q) >= 0 && values->quantile(q) <= 60, "nothing absurd is counted");
  }
  const std::string text = latency_metrics({{"viewer", &meter}});
  require(text.size() < 64 * 1024 && latency_json(meter).size() < 16 * 1024, "what is told is bounded");
  return 0;
}
