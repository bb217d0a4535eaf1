// SPDX-License-Identifier: LGPL-2.1-or-later
// The checks of vitrine doctor. The report is in English whatever the language: it is made to be pasted into bug reports.
#include "doctor.h"

#include <X11/Xlib.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>

#include "doctor-relays.h"
#include "pipeline-builder.h"
#include "pipeline-model.h"
#include "probe.h"
#include "report.h"
#include "settings-text.h"
#include "sound-names.h"
#include "sound-server.h"
#include "xserver.h"

namespace vitrine {
namespace {

/// So long an encoder, a sound server or a display may take before it counts as dead.
constexpr GstClockTime kPatience = 5 * GST_SECOND;

class Doctor {
 public:
  explicit Doctor(Settings settings) : settings_(std::move(settings)) {}
  int run();

 private:
  void heading(const char* text) { std::printf("\n## %s\n", text); }
  void say(Verdict verdict, const std::string& what) {
    static constexpr const char* kMarks[] = {"ok     ", "warning", "FAILED "};
    std::printf("%s %s\n", kMarks[static_cast<int>(verdict)], what.c_str());
    std::fflush(stdout);
    worst_ = std::max(worst_, static_cast<int>(verdict));
  }
  void machine();
  void configuration();
  void graphics();
  void display();
  void video();
  void audio();
  void network();
  void relays();
  bool bind_port(int type, const char* name);

  Settings settings_;
  std::unique_ptr<XServer> xserver_;
  std::string display_;  // empty: none that works
  int worst_ = 0;
  bool relays_alone_ = false;  // are what fails
};

std::string first_match(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key))
      return line.substr(key.size());
  return "unknown";
}

void Doctor::machine() {
  std::fputs(version_text().c_str(), stdout);
  utsname about{};
  uname(&about);
  std::printf("system %s, kernel %s %s\n", first_match("/etc/os-release", "PRETTY_NAME=").c_str(), about.release, about.machine);
  std::string processor = first_match("/proc/cpuinfo", "model name\t: ");
  std::printf("%u processors (%s), memory %s\n", g_get_num_processors(), processor.c_str(),
              first_match("/proc/meminfo", "MemTotal:").c_str());
  const bool container = g_file_test("/.dockerenv", G_FILE_TEST_EXISTS) || g_file_test("/run/.containerenv", G_FILE_TEST_EXISTS);
  std::printf("container %s, user id %u\n", container ? "yes" : "no", static_cast<unsigned>(getuid()));
}

void Doctor::configuration() {
  heading("Settings other than the defaults");
  Settings shown = settings_;
  const std::string text = config_text(shown);
  size_t start = 0, lines = 0;
  for (size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    const std::string line = text.substr(start, end - start);
    if (!line.ends_with(" default") && !line.ends_with(" -")) {
      std::printf("%s\n", line.c_str());
      ++lines;
    }
  }
  if (lines == 0)
    std::printf("none\n");
  for (const auto& warning : settings_.warnings())
    say(Verdict::warning, warning);
}

void Doctor::graphics() {
  heading("Graphics");
  bool any = false;
  if (GDir* folder = g_dir_open("/dev/dri", 0, nullptr)) {
    while (const char* name = g_dir_read_name(folder))
      if (const std::string path = std::string("/dev/dri/") + name; g_str_has_prefix(name, "renderD")) {
        any = true;
        const bool open = access(path.c_str(), R_OK | W_OK) == 0;
        say(open ? Verdict::good : Verdict::warning,
            path + (open ? " can be used" : " may not be used by this user; add it to the group render"));
      }
    g_dir_close(folder);
  }
  if (access("/dev/nvidiactl", F_OK) == 0) {
    any = true;
    std::ifstream version("/proc/driver/nvidia/version");
    std::string line;
    std::getline(version, line);
    say(Verdict::good, "NVIDIA driver: " + (line.empty() ? "version unknown" : line));
    const char* capabilities = g_getenv("NVIDIA_DRIVER_CAPABILITIES");
    const std::string given = capabilities ? capabilities : "";
    if (!given.empty() && given.find("all") == std::string::npos && given.find("video") == std::string::npos)
      say(Verdict::warning, "NVIDIA_DRIVER_CAPABILITIES=" + given + " lacks video: the container cannot encode on the GPU");
  }
  if (!any)
    say(Verdict::good, "no GPU is passed in: encoding is done by the processor");
}

void Doctor::display() {
  heading("Display");
  const char* environment = g_getenv("DISPLAY");
  std::string wanted = settings_.text("display");
  if (wanted.empty() && !settings_.flag("virtual") && environment)
    wanted = environment;
  if (wanted.empty()) {
    const auto given = parse_size(settings_.text("virtual"));
    std::string error;
    const gint64 start = g_get_monotonic_time();
    xserver_ = XServer::start(given ? *given : parse_size(settings_.text("size")).value(),
                              [start] { return g_get_monotonic_time() - start > 10 * G_USEC_PER_SEC; }, error);
    if (!xserver_) {
      say(Verdict::bad, "a private X server does not start: " + error);
      return;
    }
    wanted = xserver_->display();
    g_setenv("XAUTHORITY", xserver_->authority().c_str(), TRUE);
    say(Verdict::good, "a private X server starts");
  }
  Display* connection = XOpenDisplay(wanted.c_str());
  if (!connection) {
    say(Verdict::bad, "X display " + wanted + " cannot be opened; is it there, and is XAUTHORITY right?");
    return;
  }
  display_ = wanted;
  const int screen = DefaultScreen(connection);
  say(Verdict::good, "X display " + wanted + ": " + std::to_string(DisplayWidth(connection, screen)) + "x" +
                         std::to_string(DisplayHeight(connection, screen)) + ", depth " + std::to_string(DefaultDepth(connection, screen)) +
                         ", " + ServerVendor(connection) + " " + std::to_string(VendorRelease(connection)));
  for (const char* name : {"MIT-SHM", "DAMAGE", "XFIXES", "RANDR", "XTEST", "XInputExtension"}) {
    int code = 0, event = 0, error = 0;
    if (!XQueryExtension(connection, name, &code, &event, &error))
      say(std::string(name) == "XTEST" ? Verdict::bad : Verdict::warning, std::string("the X server has no extension ") + name);
  }
  XCloseDisplay(connection);
}

/// Captures and encodes for a while, without a server: whether pictures come out, and when.
void Doctor::video() {
  heading("Video");
  std::string error;
  const auto profile = choose_profile(settings_, error);
  const auto model = profile && !display_.empty()
                         ? make_model(*profile, settings_, display_, static_cast<int>(g_get_num_processors()), element_exists, error)
                         : std::nullopt;
  if (!model) {
    say(Verdict::bad, display_.empty() ? "not tried, since there is no display" : error);
    return;
  }
  std::printf("profile %s: %s\n", settings_.text("profile").c_str(), profile->title.c_str());
  const auto pipeline = Ref<GstElement>::sink(gst_pipeline_new("doctor"));
  GstElement *first = nullptr, *last = nullptr;
  auto chain = model->video;
  chain.push_back({"fakesink", "", {}});
  if (!build_chain(GST_BIN(pipeline.get()), chain, first, last, error)) {
    say(Verdict::bad, error);
    return;
  }
  std::atomic<unsigned> pictures{0};
  const auto pad = Ref<GstPad>::adopt(gst_element_get_static_pad(last, "sink"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer count) {
        ++*static_cast<std::atomic<unsigned>*>(count);
        return GST_PAD_PROBE_OK;
      },
      &pictures, nullptr);
  const auto bus = Ref<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(pipeline.get())));
  const gint64 start = g_get_monotonic_time();
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstMessage* failure = nullptr;
  while (!failure && pictures == 0 && g_get_monotonic_time() - start < static_cast<gint64>(kPatience / 1000))
    failure = gst_bus_timed_pop_filtered(bus.get(), 10 * GST_MSECOND, GST_MESSAGE_ERROR);
  const gint64 took_ms = (g_get_monotonic_time() - start) / 1000;
  if (failure) {
    ErrorSlot problem;
    gst_message_parse_error(failure, problem.out(), nullptr);
    say(Verdict::bad, std::string(GST_OBJECT_NAME(GST_MESSAGE_SRC(failure))) + ": " + problem.message());
    gst_message_unref(failure);
  } else if (pictures == 0) {
    say(Verdict::bad, "no picture came out within " + std::to_string(kPatience / GST_SECOND) + " s");
  } else {
    std::string elements;
    for (const auto& element : model->video)
      elements += element.factory == "capsfilter" ? "" : (elements.empty() ? "" : " ! ") + element.factory;
    say(Verdict::good, elements + ": the first picture after " + std::to_string(took_ms) + " ms");
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

void Doctor::audio() {
  heading("Sound");
  if (settings_.flag("no-audio")) {
    say(Verdict::good, "switched off");
    return;
  }
  std::string error;
  const std::string choice = settings_.text("sound-server");
  std::unique_ptr<SoundServer> own;
  if (choice == "private" || (choice == "auto" && xserver_ && !sound_server_answers())) {
    own = SoundServer::start({[](pid_t) {}, [](const std::string&) {}}, error);
    if (own && own->wait([] { return false; })) {
      g_setenv("PULSE_SERVER", own->address().c_str(), TRUE);
      say(Verdict::good, "a private sound server starts");
    } else {
      say(choice == "private" ? Verdict::bad : Verdict::warning, "a private sound server does not start: " + (own ? "it does not answer" : error));
    }
  }
  const auto pipeline = Ref<GstElement>::sink(gst_pipeline_new("doctor"));
  GstElement *first = nullptr, *last = nullptr;
  if (!build_chain(GST_BIN(pipeline.get()), {{"pulsesrc", "", {}}, {"opusenc", "", {}}, {"fakesink", "", {}}}, first, last, error)) {
    say(Verdict::warning, error);
    return;
  }
  const auto bus = Ref<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(pipeline.get())));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstMessage* message = gst_bus_timed_pop_filtered(bus.get(), kPatience, GstMessageType(GST_MESSAGE_ERROR | GST_MESSAGE_STATE_CHANGED));
  while (message && GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR && GST_MESSAGE_SRC(message) != GST_OBJECT(pipeline.get())) {
    gst_message_unref(message);
    message = gst_bus_timed_pop_filtered(bus.get(), kPatience, GstMessageType(GST_MESSAGE_ERROR | GST_MESSAGE_STATE_CHANGED));
  }
  if (message && GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
    say(Verdict::good, "the sound server lets itself be recorded");
  else
    say(Verdict::warning, "no sound server answers: sessions are silent; is PulseAudio or PipeWire running, and PULSE_SERVER right?");
  if (message)
    gst_message_unref(message);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

bool Doctor::bind_port(int type, const char* name) {
  const std::string listen = settings_.text("listen");
  const bool v4 = !listen.empty() && listen.find(':') == std::string::npos;
  const int port = static_cast<int>(settings_.number("port"));
  const int fd = socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, type == SOCK_STREAM ? sizeof on : 0);
  sockaddr_in6 six{};
  sockaddr_in four{};
  six.sin6_family = AF_INET6;
  four.sin_family = AF_INET;
  six.sin6_port = four.sin_port = htons(static_cast<uint16_t>(port));
  const bool parsed = listen.empty() || (v4 ? inet_pton(AF_INET, listen.c_str(), &four.sin_addr) : inet_pton(AF_INET6, listen.c_str(), &six.sin6_addr)) == 1;
  errno = EINVAL;
  const bool bound = fd >= 0 && parsed &&
                     bind(fd, v4 ? reinterpret_cast<sockaddr*>(&four) : reinterpret_cast<sockaddr*>(&six), v4 ? sizeof four : sizeof six) == 0;
  const int why = errno;
  if (fd >= 0)
    close(fd);
  if (bound)
    say(Verdict::good, std::string(name) + " port " + std::to_string(port) + " is free");
  else
    say(Verdict::bad, std::string(name) + " port " + std::to_string(port) + ": " + g_strerror(why) + (why == EADDRINUSE ? "; choose another with --port" : ""));
  return bound;
}

void Doctor::network() {
  heading("Network");
  bind_port(SOCK_STREAM, "TCP");
  if (!settings_.flag("no-udp"))
    bind_port(SOCK_DGRAM, "UDP");
  for (const char* name : {"tls-cert", "tls-key", "accounts-file", "rtc-config-file", "turn-ca-file"})
    if (const std::string path = settings_.text(name); !path.empty())
      say(access(path.c_str(), R_OK) == 0 ? Verdict::good : Verdict::bad,
          std::string("--") + name + ": " + path + (access(path.c_str(), R_OK) == 0 ? " can be read" : std::string(": ") + g_strerror(errno)));
  if (settings_.flag("no-auth"))
    say(Verdict::warning, "--no-auth: everybody who reaches the port may control the desktop");
  else if (!settings_.has("tls-cert"))
    say(Verdict::warning, "no TLS: passwords travel in the clear, and browsers withhold the clipboard, unless a proxy adds it");
}

void Doctor::relays() {
#ifdef VITRINE_SERVICES
  heading("TURN servers");
  const int worst_else = worst_;
  const auto report = report_relays(settings_);
  if (report.findings.empty())
    say(Verdict::good, "none is configured, none is asked");
  for (const auto& finding : report.findings)
    say(finding.verdict, finding.text);
  relays_alone_ = worst_ > worst_else && report.session_starts;
#endif
}

int Doctor::run() {
  std::printf("# vitrine doctor\n");
  machine();
  configuration();
  graphics();
  display();
  video();
  audio();
  network();
  relays();
  std::printf("\n%s\n", worst_ == 2 && relays_alone_ ? "A session would start, but nobody would reach it through the TURN servers that failed."
                        : worst_ == 2 ? "A session would fail." : worst_ == 1 ? "A session would work; see the warnings." : "All is well.");
  return worst_ == 2 ? kExitFailure : kExitOk;
}

}  // namespace

int run_doctor(Settings settings) { return Doctor(std::move(settings)).run(); }

}  // namespace vitrine
