// SPDX-License-Identifier: LGPL-2.1-or-later
// What capture costs: ximagesrc-shm against ximagesrc ! videoconvert, on an Xvfb of its own, in one run.
//
// Figures are ms of CPU for each tick of 1/60 s, of this process and the X server together (the drawing
// process is not counted); "drawing" is what the X server needs without any capture. Ratios are taken with
// the drawing in, and net of it.
#include <gst/gst.h>
#include <gst/video/video.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "capture-scenes.h"
#include "ximagesrc-shm-xserver.h"

namespace vitrine {
namespace {

constexpr double kTicksPerSecond = 60;
constexpr char kBaseline[] =
    "ximagesrc display-name=%s use-damage=0 show-pointer=0 ! video/x-raw,framerate=60/1 ! "
    "videoconvert ! video/x-raw,format=I420 ! fakesink name=sink sync=false";
constexpr char kOurs[] =
    "ximagesrc-shm name=source display-name=%s capture-mode=%s show-pointer=0 ! "
    "video/x-raw,framerate=60/1,format=I420 ! fakesink name=sink sync=false";

struct Cpu {
  double client = 0;  // ms per tick
  double server = 0;
  double frames = 0;  // per second
  double sum() const { return client + server; }
};

double client_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

double server_seconds(pid_t pid) {
  // The first figure of schedstat is the time on a CPU in ns; finer than the ticks of stat.
  std::ifstream file("/proc/" + std::to_string(pid) + "/schedstat");
  double nanoseconds = 0;
  if (!(file >> nanoseconds)) {
    std::fprintf(stderr, "cannot read the X server's CPU time from /proc/%d/schedstat\n", pid);
    std::exit(1);
  }
  return nanoseconds * 1e-9;
}

int64_t now_ns() {
  return g_get_monotonic_time() * 1000;
}

class Run {
 public:
  explicit Run(const std::string& line) {
    if (line.empty())
      return;
    GError* error = nullptr;
    pipeline_ = gst_parse_launch(line.c_str(), &error);
    if (error) {
      std::fprintf(stderr, "%s: %s\n", line.c_str(), error->message);
      std::exit(1);
    }
    GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
    GstPad* pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
    gst_object_unref(pad);
    gst_object_unref(sink);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    gst_element_get_state(pipeline_, nullptr, nullptr, 5 * GST_SECOND);
  }
  ~Run() {
    if (!pipeline_)
      return;
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }
  std::string mode() {
    GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
    char* mode = nullptr;
    g_object_get(source, "capture-mode-used", &mode, nullptr);
    gst_object_unref(source);
    std::string result = mode ? mode : "none";
    g_free(mode);
    return result;
  }
  void watch(const SceneClock* clock) { clock_ = clock; }

  std::atomic<uint64_t> frames{0};
  std::vector<double> latencies_ms;  // written by the streaming thread until the run ends

 private:
  static GstPadProbeReturn on_buffer(GstPad*, GstPadProbeInfo* info, gpointer data) {
    auto* self = static_cast<Run*>(data);
    self->frames++;
    const SceneClock* clock = self->clock_;
    // Repeats have no damage: they answer to no drawing.
    if (clock &&
        gst_buffer_get_meta(GST_PAD_PROBE_INFO_BUFFER(info), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      self->latencies_ms.push_back((now_ns() - clock->drawn_ns) / 1e6);
    return GST_PAD_PROBE_OK;
  }
  GstElement* pipeline_ = nullptr;
  std::atomic<const SceneClock*> clock_{nullptr};
};

void sleep_for(double seconds) {
  g_usleep(static_cast<gulong>(seconds * 1e6));
}

Cpu measure(Run& run, pid_t server, double seconds) {
  const uint64_t frames = run.frames;
  const double client_before = client_seconds();
  const double server_before = server_seconds(server);
  const int64_t start = now_ns();
  sleep_for(seconds);
  const double wall = (now_ns() - start) * 1e-9;
  const double ms_per_tick = 1000 / (wall * kTicksPerSecond);
  return {(client_seconds() - client_before) * ms_per_tick,
          (server_seconds(server) - server_before) * ms_per_tick, (run.frames - frames) / wall};
}

Cpu measure_scene(Scene scene, const std::string& line, const XServer& server, double seconds) {
  SceneProcess scene_process(scene, server.display());
  Run run(line);
  sleep_for(0.7);
  return measure(run, server.pid(), seconds);
}

std::string format(const char* pattern, const std::string& a, const std::string& b = {}) {
  char* text = g_strdup_printf(pattern, a.c_str(), b.c_str());
  std::string result = text;
  g_free(text);
  return result;
}

struct Row {
  const char* name;
  Cpu drawing, baseline, fb, shm;
  double required;
};

double net(const Cpu& cpu, const Cpu& drawing) {
  return std::max(cpu.sum() - drawing.sum(), 0.001);
}

void print_table(const std::vector<Row>& rows) {
  std::printf("%-10s %8s | %22s | %22s | %22s | %14s | %14s\n", "", "drawing", "ximagesrc+videoconvert",
              "ximagesrc-shm fb", "ximagesrc-shm shm", "ratio fb (net)", "ratio shm (net)");
  for (const Row& row : rows) {
    std::printf("%-10s %8.3f |", row.name, row.drawing.sum());
    for (const Cpu* cpu : {&row.baseline, &row.fb, &row.shm})
      std::printf(" %6.3f+%6.3f %5.1f/s |", cpu->client, cpu->server, cpu->frames);
    std::printf(" %6.1f (%6.1f) | %6.1f (%6.1f)  wanted %.1f\n", row.baseline.sum() / row.fb.sum(),
                net(row.baseline, row.drawing) / net(row.fb, row.drawing), row.baseline.sum() / row.shm.sum(),
                net(row.baseline, row.drawing) / net(row.shm, row.drawing), row.required);
  }
}

struct Latency {
  double p50 = 0, p95 = 0;
  size_t count = 0;
};

Latency percentiles(std::vector<double> values) {
  if (values.empty())
    return {};
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values[values.size() * 95 / 100], values.size()};
}

Latency measure_latency(const XServer& server, const char* mode, double seconds) {
  SceneProcess scene(Scene::kProbe, server.display());
  std::vector<double> values;
  {
    Run run(format(kOurs, server.display(), mode));
    sleep_for(0.7);
    run.watch(&scene.clock());
    sleep_for(seconds);
    run.watch(nullptr);
    sleep_for(0.1);
    values = run.latencies_ms;
  }
  return percentiles(values);
}

double measure_idle(const XServer& server, const char* mode, double seconds) {
  SceneProcess scene(Scene::kIdle, server.display());
  Run run(format(kOurs, server.display(), mode));
  sleep_for(1.5);  // past the refine frames
  const Cpu cpu = measure(run, server.pid(), seconds);
  return cpu.sum() * kTicksPerSecond / 1000 * 100;
}

void print_json(const std::vector<Row>& rows, const double idle[2], const Latency latency[2]) {
  std::printf("{\"unit\":\"ms CPU per 1/60 s, client + X server\",\"scenes\":{");
  const char* comma = "";
  for (const Row& row : rows) {
    std::printf(
        "%s\"%s\":{\"drawing\":%.4f,\"baseline\":%.4f,\"fb\":%.4f,\"shm\":%.4f,\"ratio_fb\":%.2f,"
        "\"ratio_shm\":%.2f}",
        comma, row.name, row.drawing.sum(), row.baseline.sum(), row.fb.sum(), row.shm.sum(),
        row.baseline.sum() / row.fb.sum(), row.baseline.sum() / row.shm.sum());
    comma = ",";
  }
  std::printf("},\"idle_percent\":{\"fb\":%.4f,\"shm\":%.4f},\"damage_to_push_ms\":{", idle[0], idle[1]);
  std::printf(
      "\"fb\":{\"p50\":%.3f,\"p95\":%.3f,\"n\":%zu},\"shm\":{\"p50\":%.3f,\"p95\":%.3f,\"n\":%zu}}}\n",
      latency[0].p50, latency[0].p95, latency[0].count, latency[1].p50, latency[1].p95, latency[1].count);
}

int run(bool json, double seconds) {
  std::unique_ptr<XServer> server = XServer::start_xvfb("1920x1080x24", {"-shmem"});
  if (!server) {
    std::fprintf(stderr, "Xvfb does not start\n");
    return 77;
  }
  const std::string display = server->display();
  const struct {
    const char* name;
    Scene scene;
    double required;
  } scenes[] = {{"typing", Scene::kTyping, 20},
                {"scrolling", Scene::kScrolling, 4},
                {"video", Scene::kVideo, 8},
                {"window", Scene::kWindow, 6},
                {"full", Scene::kFull, 2.5}};
  const char* const modes[2] = {"fb", "shm"};
  for (const char* mode : modes) {
    const std::string used = Run(format(kOurs, display, mode)).mode();
    if (used != mode)
      std::fprintf(stderr, "note: capture-mode=%s gave %s\n", mode, used.c_str());
  }
  std::vector<Row> rows;
  for (const auto& scene : scenes) {
    Row row{scene.name, {}, {}, {}, {}, scene.required};
    row.drawing = measure_scene(scene.scene, "", *server, seconds);
    row.baseline = measure_scene(scene.scene, format(kBaseline, display), *server, seconds);
    row.fb = measure_scene(scene.scene, format(kOurs, display, "fb"), *server, seconds);
    row.shm = measure_scene(scene.scene, format(kOurs, display, "shm"), *server, seconds);
    rows.push_back(row);
  }
  double idle[2];
  Latency latency[2];
  for (int i = 0; i < 2; i++) {
    idle[i] = measure_idle(*server, modes[i], seconds);
    latency[i] = measure_latency(*server, modes[i], seconds * 2);
  }
  if (json) {
    print_json(rows, idle, latency);
    return 0;
  }
  std::printf("ms of CPU per 1/60 s (client + X server) at 1920x1080, %g s each; frames pushed per second\n",
              seconds);
  print_table(rows);
  for (int i = 0; i < 2; i++)
    std::printf(
        "%-4s idle %.3f %% of a core; drawing to pushed buffer p50 %.2f ms, p95 %.2f ms (%zu frames)\n",
        modes[i], idle[i], latency[i].p50, latency[i].p95, latency[i].count);
  return 0;
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  bool json = false;
  double seconds = 4;
  for (int i = 1; i < argc; i++) {
    if (!std::strcmp(argv[i], "--json")) {
      json = true;
    } else if (!std::strcmp(argv[i], "--seconds") && i + 1 < argc && std::atof(argv[i + 1]) > 0) {
      seconds = std::atof(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: bench-capture [--json] [--seconds N]\n");
      return 2;
    }
  }
  return vitrine::run(json, seconds);
}
