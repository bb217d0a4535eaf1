// SPDX-License-Identifier: LGPL-2.1-or-later
// What x11inputsink costs: from a buffer pushed into `appsrc ! x11inputsink` to the event at a real X client, and events per second.
//
// Runs on an Xvfb of its own. Delays are paced, one buffer at a time; rates are as fast as it goes, counted until the client has
// read the last event. "new character" is a character that no key has and that no spare keycode is bound to yet.
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <X11/Xlib.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "protocol/input-record.h"
#include "ximagesrc-shm-xserver.h"

namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

/// A client in a thread of its own that counts the events of its window and notes when the last one came.
class Client {
 public:
  explicit Client(const std::string& display) : display_(XOpenDisplay(display.c_str())) {
    XSetWindowAttributes attributes{};
    attributes.override_redirect = True;
    attributes.event_mask = KeyPressMask | PointerMotionMask;
    window_ = XCreateWindow(display_, DefaultRootWindow(display_), 0, 0, 1920, 1080, 0, CopyFromParent, InputOutput,
                            CopyFromParent, CWOverrideRedirect | CWEventMask, &attributes);
    XMapRaised(display_, window_);
    XSync(display_, False);
    XSetInputFocus(display_, window_, RevertToParent, CurrentTime);
    XSync(display_, True);
    thread_ = std::thread([this] { read(); });
  }
  ~Client() {
    stop_ = true;
    thread_.join();
    XCloseDisplay(display_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  uint64_t count() const { return count_.load(std::memory_order_acquire); }
  Clock::time_point last() const { return last_.load(std::memory_order_relaxed); }
  /// False when the events do not come within five seconds.
  bool wait_for(uint64_t count) const {
    for (const auto end = Clock::now() + std::chrono::seconds(5); this->count() < count;) {
      if (Clock::now() > end)
        return false;
      std::this_thread::sleep_for(microseconds(50));
    }
    return true;
  }

 private:
  void read() {
    while (!stop_) {
      pollfd waiting{ConnectionNumber(display_), POLLIN, 0};
      if (XPending(display_) == 0 && poll(&waiting, 1, 100) <= 0)
        continue;
      while (XPending(display_) > 0) {
        XEvent event;
        XNextEvent(display_, &event);
        if (event.type != KeyPress && event.type != MotionNotify)
          continue;
        last_.store(Clock::now(), std::memory_order_relaxed);
        count_.fetch_add(1, std::memory_order_release);
      }
    }
  }

  Display* display_;
  Window window_;
  std::atomic<uint64_t> count_{0};
  std::atomic<Clock::time_point> last_{Clock::time_point{}};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Delay {
  const char* name;
  size_t samples = 0;
  double p50 = 0, p95 = 0, max = 0;  // ms
};
struct Rate {
  const char* name;
  size_t batch;
  double per_second = 0;
};

class Bench {
 public:
  explicit Bench(const std::string& display) : client_(display) {
    const std::string line = "appsrc name=source is-live=true format=time caps=application/x-vitrine-control,version=1 "
                             "max-bytes=0 ! x11inputsink display-name=" +
                             display;
    pipeline_ = gst_parse_launch(line.c_str(), nullptr);
    if (!pipeline_ || gst_element_set_state(pipeline_, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
      std::fprintf(stderr, "bench-input: x11inputsink does not start: is GST_PLUGIN_PATH set (meson devenv)?\n");
      std::exit(1);
    }
    source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
  }
  ~Bench() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(source_);
    gst_object_unref(pipeline_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// `make(i)`: the records of the i-th buffer, which cause one event of the kinds that the client counts.
  template <typename Make>
  Delay delay(const char* name, size_t samples, microseconds pace, Make make) {
    std::vector<double> ms;
    for (size_t i = 0; i < samples + kWarmUp; ++i) {
      GstBuffer* buffer = to_buffer(make(i));
      const uint64_t expected = client_.count() + 1;
      const auto begin = Clock::now();
      gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
      if (!client_.wait_for(expected))
        give_up(name);
      if (i >= kWarmUp)
        ms.push_back(std::chrono::duration<double, std::milli>(client_.last() - begin).count());
      std::this_thread::sleep_until(begin + pace);
    }
    std::sort(ms.begin(), ms.end());
    return {name, ms.size(), ms[ms.size() / 2], ms[ms.size() * 95 / 100], ms.back()};
  }

  template <typename Make>
  Rate rate(const char* name, size_t events, size_t batch, Make make) {
    std::vector<GstBuffer*> buffers;
    for (size_t i = 0; i < events;) {
      std::vector<InputBody> bodies;
      for (size_t j = 0; j < batch; ++j, ++i)
        for (auto& body : make(i))
          bodies.push_back(std::move(body));
      buffers.push_back(to_buffer(bodies));
    }
    const uint64_t expected = client_.count() + events;
    const auto begin = Clock::now();
    for (GstBuffer* buffer : buffers)
      gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
    if (!client_.wait_for(expected))
      give_up(name);
    return {name, batch, static_cast<double>(events) / std::chrono::duration<double>(client_.last() - begin).count()};
  }

 private:
  static constexpr size_t kWarmUp = 20;

  [[noreturn]] static void give_up(const char* name) {
    std::fprintf(stderr, "bench-input: %s: an event did not arrive\n", name);
    std::exit(1);
  }
  GstBuffer* to_buffer(const std::vector<InputBody>& bodies) {
    std::vector<uint8_t> bytes;
    for (const auto& body : bodies) {
      const uint32_t sequence = ++sequence_;
      encode_input({sequence, sequence - 1, 0, body}, bytes);
    }
    return gst_buffer_new_memdup(bytes.data(), bytes.size());
  }

  Client client_;
  GstElement *pipeline_ = nullptr, *source_ = nullptr;
  uint32_t sequence_ = 0;
};

std::vector<InputBody> move(size_t i) {
  // No two in a row are the same, or there would be no event.
  return {PointerInput{{static_cast<uint16_t>(i % 1900), static_cast<uint16_t>(i / 1900 % 1000), 1920, 1080}}};
}
std::vector<InputBody> tap(uint16_t code, uint32_t keysym) {
  return {KeyInput{true, false, code, keysym, 0}, KeyInput{false, false, code, keysym, 0}};
}

void print_table(const std::vector<Delay>& delays, const std::vector<Rate>& rates) {
  std::printf("%-34s %8s %9s %9s %9s\n", "buffer to event, ms", "samples", "p50", "p95", "max");
  for (const Delay& delay : delays)
    std::printf("%-34s %8zu %9.3f %9.3f %9.3f\n", delay.name, delay.samples, delay.p50, delay.p95, delay.max);
  std::printf("\n%-34s %8s %9s\n", "rate", "a buffer", "events/s");
  for (const Rate& rate : rates)
    std::printf("%-34s %8zu %9.0f\n", rate.name, rate.batch, rate.per_second);
}

void print_json(const std::vector<Delay>& delays, const std::vector<Rate>& rates) {
  std::printf("{\"delay_ms\":[");
  for (const Delay& delay : delays)
    std::printf("%s{\"name\":\"%s\",\"samples\":%zu,\"p50\":%.4f,\"p95\":%.4f,\"max\":%.4f}", &delay == delays.data() ? "" : ",",
                delay.name, delay.samples, delay.p50, delay.p95, delay.max);
  std::printf("],\"events_per_second\":[");
  for (const Rate& rate : rates)
    std::printf("%s{\"name\":\"%s\",\"batch\":%zu,\"value\":%.0f}", &rate == rates.data() ? "" : ",", rate.name, rate.batch,
                rate.per_second);
  std::printf("]}\n");
}

int run(bool json) {
  const auto server = XServer::start_xvfb("1920x1080x24");
  if (!server) {
    std::fprintf(stderr, "bench-input: Xvfb does not start\n");
    return 77;
  }
  Bench bench(server->display());
  constexpr microseconds kPace{2000}, kSlowPace{30000};
  std::vector<Delay> delays;
  delays.push_back(bench.delay("pointer", 1000, kPace, move));
  delays.push_back(bench.delay("key by position", 1000, kPace, [](size_t) { return tap(30, 'a'); }));
  delays.push_back(bench.delay("key by keysym, with Shift", 1000, kPace, [](size_t) { return tap(0, 'A'); }));
  delays.push_back(bench.delay("new character", 100, kSlowPace,
                               [](size_t i) { return tap(0, static_cast<uint32_t>(0x01004e00 + i)); }));
  std::vector<Rate> rates;
  for (const size_t batch : {1, 20, 100})
    rates.push_back(bench.rate("pointer", 40000, batch, move));
  for (const size_t batch : {1, 20})
    rates.push_back(bench.rate("key by position", 20000, batch, [](size_t) { return tap(30, 'a'); }));
  json ? print_json(delays, rates) : print_table(delays, rates);
  return 0;
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  const bool json = argc == 2 && std::strcmp(argv[1], "--json") == 0;
  if (argc > 1 && !json) {
    std::fprintf(stderr, "usage: %s [--json]\n", argv[0]);
    return 2;
  }
  return vitrine::run(json);
}
