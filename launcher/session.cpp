// SPDX-License-Identifier: LGPL-2.1-or-later
// Start, watch, end.
#include "session.h"

#include <glib-unix.h>
#include <gst/gst.h>
#include <ifaddrs.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <vector>

#include "pipeline-builder.h"
#include "pipeline-model.h"
#include "process.h"
#include "profile.h"
#include "text.h"
#include "xserver.h"

namespace vitrine {
namespace {

int complain(int status, const std::string& what) {
  std::fprintf(stderr, "vitrine: %s\n", what.c_str());
  return status;
}

std::string one_time_password() {
  // Letters and digits that are not mistaken for one another: 31 of them, 16 times, is 79 bits.
  static constexpr char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";
  std::string password;
  while (password.size() < 19) {
    unsigned char byte;
    if (getrandom(&byte, 1, 0) != 1)
      continue;
    if (byte >= 248)  // 8 * 31: no character is more likely than another
      continue;
    password += alphabet[byte % 31];
    if (password.size() % 5 == 4 && password.size() < 19)
      password += '-';
  }
  return password;
}

std::string first_address() {
  std::string found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0)
    return found;
  for (const ifaddrs* item = list; item && found.empty(); item = item->ifa_next) {
    if (!item->ifa_addr || item->ifa_addr->sa_family != AF_INET || !(item->ifa_flags & IFF_UP) || (item->ifa_flags & IFF_LOOPBACK))
      continue;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(item->ifa_addr)->sin_addr, text, sizeof text);
    found = text;
  }
  freeifaddrs(list);
  return found;
}

/// Which exit status a pipeline error stands for, by who posted it and why.
int status_of(const GError* error, const std::string& source) {
  if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY))
    return kExitPort;
  if (g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    return kExitMissing;
  if (error->domain == GST_RESOURCE_ERROR && (source == "capture" || source == "input"))
    return kExitDisplay;
  if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS))
    return kExitUsage;
  return kExitFailure;
}

class Session {
 public:
  explicit Session(const Settings& settings) : settings_(settings), loop_(g_main_loop_new(nullptr, FALSE)) {}
  ~Session() {
    for (const guint source : sources_)
      g_source_remove(source);
    g_main_loop_unref(loop_);
  }
  int run();

 private:
  bool start_display();
  bool start_pipeline(const std::string& password);
  bool start_command();
  void print_where(const std::string& password);
  void finish(int status) {
    if (!finished_) {
      status_ = status;
      finished_ = true;
    }
    g_main_loop_quit(loop_);
  }
  bool fail(int status, const std::string& what) {
    complain(status, what);
    status_ = status;
    return false;
  }
  void on_message(GstMessage* message);
  void on_child(GPid pid, int wait_status);
  void end();

  const Settings& settings_;
  GMainLoop* loop_;
  std::vector<guint> sources_;
  std::unique_ptr<XServer> xserver_;
  std::string display_;
  GstElement* pipeline_ = nullptr;
  pid_t command_ = 0;
  int status_ = kExitOk;
  bool finished_ = false, one_time_ = false;
};

bool Session::start_display() {
  display_ = settings_.text("display");
  const char* environment = g_getenv("DISPLAY");
  const bool wanted = settings_.flag("virtual");
  if (wanted && !display_.empty())
    return fail(kExitUsage, _("--virtual and --display exclude each other"));
  if (!wanted && (!display_.empty() || (environment && *environment)))
    return true;
  const Size size = parse_size(settings_.text("virtual")).value_or(Size{1920, 1080});
  std::string error;
  xserver_ = XServer::start(size, error);
  if (!xserver_)
    return fail(kExitDisplay, error);
  display_ = xserver_->display();
  g_setenv("XAUTHORITY", xserver_->authority().c_str(), TRUE);
  g_setenv("DISPLAY", display_.c_str(), TRUE);
  return true;
}

bool Session::start_pipeline(const std::string& password) {
  std::string error;
  const auto path = find_profile(settings_.text("profile"), error);
  if (!path)
    return fail(kExitUsage, error);
  const auto profile = parse_profile(*path, error);
  if (!profile)
    return fail(kExitUsage, error);
  for (const char* name : {"webrtcsignallerbin", "x11inputsink"})
    if (!element_exists(name))
      return fail(kExitMissing, std::string(_("no element")) + " \"" + name + "\": " +
                                    _("is Vitrine's plugin folder in GST_PLUGIN_PATH?"));
  const auto model = make_model(*profile, settings_, display_, static_cast<int>(g_get_num_processors()), element_exists, error);
  if (!model)
    return fail(kExitMissing, error);
  pipeline_ = build_pipeline(*model, password, error);
  if (!pipeline_)
    return fail(kExitUsage, error);
  gst_object_ref_sink(pipeline_);
  GstBus* bus = gst_pipeline_get_bus(GST_PIPELINE(pipeline_));
  sources_.push_back(gst_bus_add_watch(
      bus,
      [](GstBus*, GstMessage* message, gpointer self) -> gboolean {
        static_cast<Session*>(self)->on_message(message);
        return G_SOURCE_CONTINUE;
      },
      this));
  gst_object_unref(bus);
  if (gst_element_set_state(pipeline_, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    // The reason waits on the bus.
    status_ = kExitFailure;
    while (!finished_ && g_main_context_iteration(nullptr, FALSE)) {
    }
    return finished_ ? false : fail(kExitFailure, _("the pipeline does not start"));
  }
  return true;
}

bool Session::start_command() {
  if (settings_.command().empty())
    return true;
  std::vector<std::string> environment;
  if (!display_.empty())
    environment.push_back("DISPLAY=" + display_);
  std::string error;
  command_ = start_process(settings_.command(), environment, -1, "", error);
  return command_ ? true : fail(127, error);
}

void Session::print_where(const std::string& password) {
  const char* scheme = settings_.text("tls-cert").empty() ? "http" : "https";
  const std::string port = settings_.text("port"), listen = settings_.text("listen");
  const auto url = [&](const std::string& host) {
    return std::string(scheme) + "://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port + "/";
  };
  std::printf("%s  %s\n", _("Open      "), url(listen.empty() ? "localhost" : listen).c_str());
  const std::string address = listen.empty() ? first_address() : "";
  if (!address.empty())
    std::printf("%s  %s\n", _("elsewhere "), url(address).c_str());
  if (settings_.flag("no-auth")) {
    std::printf("%s\n", _("Everybody who reaches this port may see and control the desktop."));
  } else {
    std::printf("%s  %s\n", _("User      "), settings_.text("user").c_str());
    if (one_time_)
      std::printf("%s  %s\n", _("Password  "), password.c_str());
  }
  std::fflush(stdout);
}

void Session::on_message(GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    char* debug = nullptr;
    gst_message_parse_error(message, &error, &debug);
    const std::string source = GST_OBJECT_NAME(GST_MESSAGE_SRC(message));
    GST_DEBUG("error from %s: %s (%s)", source.c_str(), error->message, debug ? debug : "");
    if (!finished_) {
      std::string what = error->message;
      const int status = status_of(error, source);
      if (status == kExitPort)
        what += std::string("; ") + _("choose another with --port");
      else if (status == kExitDisplay)
        what += " (" + std::string(_("display")) + " " + (display_.empty() ? g_getenv("DISPLAY") : display_) + ")";
      finish(complain(status, what));
    }
    g_error_free(error);
    g_free(debug);
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
    finish(complain(kExitDisplay, _("the capture has ended")));
  }
}

void Session::on_child(GPid pid, int wait_status) {
  const int status = exit_status_of(wait_status);
  if (pid == command_) {
    command_ = 0;
    if (!finished_ && status != 0)
      complain(status, settings_.command()[0] + ": " + _("ended with status") + " " + std::to_string(status));
    finish(status);
  } else if (xserver_ && pid == xserver_->pid()) {
    xserver_->forget();
    if (!finished_)
      complain(kExitDisplay, std::string(_("the private X server has ended with status")) + " " + std::to_string(status));
    finish(kExitDisplay);
  }
}

int Session::run() {
  std::string password = settings_.text("password");
  if (!settings_.text("password-file").empty()) {
    std::ifstream file(settings_.text("password-file"));
    if (!file || !std::getline(file, password) || password.empty())
      return complain(kExitUsage, "--password-file: " + settings_.text("password-file") + ": " + _("cannot be read, or its first line is empty"));
    if (password.back() == '\r')
      password.pop_back();
  }
  one_time_ = password.empty() && !settings_.flag("no-auth") && settings_.text("accounts-file").empty();
  if (one_time_)
    password = one_time_password();

  become_subreaper();
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    sources_.push_back(g_unix_signal_add(
        number,
        [](gpointer self) -> gboolean {
          static_cast<Session*>(self)->finish(kExitOk);
          return G_SOURCE_CONTINUE;
        },
        this));
  const GChildWatchFunc on_child = [](GPid pid, gint status, gpointer self) { static_cast<Session*>(self)->on_child(pid, status); };
  if (start_display()) {
    if (xserver_)
      g_child_watch_add(xserver_->pid(), on_child, this);
    if (start_pipeline(password) && start_command()) {
      if (command_)
        g_child_watch_add(command_, on_child, this);
      print_where(password);
      if (!finished_)
        g_main_loop_run(loop_);
    }
  }
  end();
  return status_;
}

void Session::end() {
  if (pipeline_) {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }
  // The application before its display, so that it can save what it has to.
  if (command_)
    end_process(command_, 3000);
  xserver_.reset();
  end_all_children(3000);
}

}  // namespace

int run_session(const Settings& settings) { return Session(settings).run(); }

int print_pipeline(const Settings& settings) {
  std::string error;
  const auto path = find_profile(settings.text("profile"), error);
  const auto profile = path ? parse_profile(*path, error) : std::nullopt;
  if (!profile)
    return complain(kExitUsage, error);
  const auto model = make_model(*profile, settings, settings.text("display"), static_cast<int>(g_get_num_processors()),
                                element_exists, error);
  if (!model)
    return complain(kExitMissing, error);
  std::printf("%s\n", launch_line(*model).c_str());
  return kExitOk;
}

}  // namespace vitrine
