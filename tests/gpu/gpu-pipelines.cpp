// SPDX-License-Identifier: LGPL-2.1-or-later
// Processor time for each picture, of us and of the X server.
#include "gpu-pipelines.h"

#include <X11/Xlib.h>
#include <gst/gst.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace vitrine {
namespace {

double own_cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& time) { return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3; };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

double cpu_ms_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string word;
  unsigned long user = 0, system = 0;
  for (int i = 0; i < 11; i++)
    rest >> word;
  rest >> user >> system;
  return static_cast<double>(user + system) * 1e3 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Measured {
  double own = 0, server = 0, fps = 0;
  std::string error;
};

Measured run(const std::string& line, int server, double seconds) {
  Measured result;
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(line.c_str(), &error);
  if (error) {
    result.error = error->message;
    g_error_free(error);
    if (pipeline)
      gst_object_unref(pipeline);
    return result;
  }
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  std::atomic<unsigned> frames{0};
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer data) {
        ++*static_cast<std::atomic<unsigned>*>(data);
        return GST_PAD_PROBE_OK;
      },
      &frames, nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  const auto failed = [&](GstClockTime time) {
    GstMessage* message = gst_bus_timed_pop_filtered(bus, time, GST_MESSAGE_ERROR);
    if (!message)
      return false;
    GError* why = nullptr;
    gst_message_parse_error(message, &why, nullptr);
    result.error = why->message;
    g_error_free(why);
    gst_message_unref(message);
    return true;
  };
  if (!failed(GST_SECOND)) {  // warm by then
    const double own = own_cpu_ms(), others = cpu_ms_of(server);
    const unsigned before = frames;
    if (!failed(static_cast<GstClockTime>(seconds * GST_SECOND))) {
      const double count = frames - before;
      result.fps = count / seconds;
      // Per tick of 60 a second, not per picture: ours makes none where nothing changes.
      const double ticks = seconds * 60;
      result.own = (own_cpu_ms() - own) / ticks;
      result.server = (cpu_ms_of(server) - others) / ticks;
    }
  }
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pad);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  return result;
}

}  // namespace

int paint(const char* display_name, const char* scene) {
  Display* display = XOpenDisplay(display_name);
  if (!display)
    return 1;
  const bool whole = std::strcmp(scene, "full") == 0;
  const auto width = static_cast<unsigned>(DisplayWidth(display, 0)), height = static_cast<unsigned>(DisplayHeight(display, 0));
  GC gc = XCreateGC(display, DefaultRootWindow(display), 0, nullptr);
  for (unsigned i = 0;; i++) {
    XSetForeground(display, gc, i * 0x010305u & 0xffffffu);
    if (whole)
      XFillRectangle(display, DefaultRootWindow(display), gc, 0, 0, width, height);
    else if (i % 6 == 0)  // ten characters a second
      XFillRectangle(display, DefaultRootWindow(display), gc, static_cast<int>(i * 10 % width), 100, 10, 20);
    XSync(display, False);
    std::this_thread::sleep_for(std::chrono::microseconds(16667));
  }
}

void measure_pipelines(const char* self, const std::string& display, int server, const std::string& name, double seconds,
                       GpuReport& report) {
  for (const char* scene : {"full", "typing"}) {
    const pid_t painter = fork();
    if (painter == 0) {
      execl(self, self, "paint", display.c_str(), scene, nullptr);
      _exit(127);
    }
    const std::string key = "capture." + name + "." + scene + ".";
    const Measured stock = run("ximagesrc use-damage=false show-pointer=false display-name=" + display +
                                   " ! video/x-raw,framerate=60/1 ! cudaupload ! video/x-raw(memory:CUDAMemory) ! fakesink name=sink",
                               server, seconds);
    const Measured ours = run("ximagesrc-cuda show-pointer=false refine-frames=0 display-name=" + display +
                                  " ! video/x-raw(memory:CUDAMemory),format=NV12,framerate=60/1 ! fakesink name=sink",
                              server, seconds);
    kill(painter, SIGKILL);
    waitpid(painter, nullptr, 0);
    for (const auto& [which, measured] : {std::pair("ximagesrc-cudaupload", &stock), std::pair("ximagesrc-cuda", &ours)}) {
      if (!measured->error.empty()) {
        report.text(key + which + ".error", measured->error);
        continue;
      }
      report.number(key + which + ".cpu-ms-per-tick", measured->own);
      report.number(key + which + ".xserver-ms-per-tick", measured->server);
      report.number(key + which + ".fps", measured->fps);
    }
    if (stock.error.empty() && ours.error.empty() && ours.own > 0)
      report.number(key + "cpu-ratio", stock.own / ours.own);
  }
}

}  // namespace vitrine
