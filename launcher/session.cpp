// SPDX-License-Identifier: LGPL-2.1-or-later
// Start, watch, end. All on the main thread but for abandon().
#include "session.h"

#include <X11/Xlib.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

#include "common/ref.h"
#include "pipeline-builder.h"
#include "pipeline-model.h"
#include "process.h"
#include "profile.h"
#include "report.h"
#include "text.h"
#include "xserver.h"

namespace vitrine {
namespace {

constexpr int kPatienceMs = 3000;
/// A command dies of a lost display before we hear of that: so long a failed one waits for the real reason.
constexpr guint kReasonMs = 300;

class Session {
 public:
  explicit Session(const Settings& settings) : settings_(settings), loop_(Ref<GMainLoop>::adopt(g_main_loop_new(nullptr, FALSE))) {}
  ~Session() { running_ = nullptr; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  int run();

 private:
  bool read_password();
  bool start_display();
  bool make_pipeline();
  bool start_pipeline();
  bool start_command();
  void watch_signals();
  void watch_child(pid_t pid);
  void connect_rate();
  bool iterate();
  /// The first reason for the end is the one that counts.
  bool finish(int status);
  bool fail(int status, const std::string& what) { return may_complain() ? finish(complain(status, what)) : false; }
  /// True once: two threads may learn of the same loss at the same time, and one line is enough.
  bool may_complain() { return !finished() && !complained_.exchange(true); }
  bool finished() const { return status_ >= 0; }
  void on_message(GstMessage* message);
  void on_child(pid_t pid, int status);
  void end();
  [[noreturn]] void abandon();

  static inline std::atomic<Session*> running_{nullptr};

  Settings settings_;
  const Ref<GMainLoop> loop_;
  Credentials credentials_;
  std::string one_time_password_;
  std::unique_ptr<XServer> xserver_;
  std::string display_;  // empty is $DISPLAY
  PipelineModel model_;
  Ref<GstElement> pipeline_;
  pid_t command_ = 0;
  std::atomic<int> status_{-1};
  std::atomic<bool> complained_{false};
};

bool Session::finish(int status) {
  int none = -1;
  status_.compare_exchange_strong(none, status);
  g_main_loop_quit(loop_.get());
  return false;
}

/// Handles what has happened so far; whether to go on.
bool Session::iterate() {
  while (!finished() && g_main_context_iteration(nullptr, FALSE)) {
  }
  return !finished();
}

bool Session::read_password() {
  credentials_ = {settings_.text("user"), settings_.text("password")};
  if (const std::string path = settings_.text("password-file"); !path.empty()) {
    std::ifstream file(path);
    std::getline(file, credentials_.password);
    if (!credentials_.password.empty() && credentials_.password.back() == '\r')
      credentials_.password.pop_back();
    if (credentials_.password.empty())
      return fail(kExitUsage, "--password-file: " + path + ": " + _("cannot be read, or its first line is empty"));
  } else if (credentials_.password.empty() && !settings_.flag("no-auth") && !settings_.has("accounts-file")) {
    credentials_.password = one_time_password_ = make_one_time_password();
  }
  return true;
}

bool Session::start_display() {
  display_ = settings_.text("display");
  const char* environment = g_getenv("DISPLAY");
  if (!settings_.flag("virtual") && (!display_.empty() || (environment && *environment)))
    return true;
  const Size size = parse_size(settings_.text("virtual")).value_or(Size{1920, 1080});
  std::string error;
  xserver_ = XServer::start(size, [this] { return !iterate(); }, error);
  if (!xserver_)
    return fail(kExitDisplay, error);
  display_ = xserver_->display();
  g_setenv("XAUTHORITY", xserver_->authority().c_str(), TRUE);
  g_setenv("DISPLAY", display_.c_str(), TRUE);
  watch_child(xserver_->pid());
  return true;
}

bool Session::make_pipeline() {
  std::string error;
  const auto path = find_profile(settings_.text("profile"), error);
  const auto profile = path ? load_profile(*path, error) : std::nullopt;
  if (!profile)
    return fail(kExitUsage, error);
  settings_.adopt_profile(profile->settings);
  for (const char* name : {"webrtcsignallerbin", "x11inputsink"})
    if (!element_exists(name))
      return fail(kExitMissing, std::string(_("no element")) + " \"" + name + "\"; " + _("is Vitrine's plugin folder in GST_PLUGIN_PATH?"));
  const auto model = make_model(*profile, settings_, display_, static_cast<int>(g_get_num_processors()), element_exists, error);
  if (!model)
    return fail(kExitMissing, error);
  model_ = *model;
  pipeline_ = build_pipeline(model_, credentials_, error);
  if (!pipeline_)
    return fail(kExitUsage, error);
  connect_rate();
  const auto bus = Ref<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(pipeline_.get())));
  gst_bus_add_watch(
      bus.get(),
      [](GstBus*, GstMessage* message, gpointer self) -> gboolean {
        static_cast<Session*>(self)->on_message(message);
        return G_SOURCE_CONTINUE;
      },
      this);
  return true;
}

/// The server says which rate its viewers can take.
void Session::connect_rate() {
  const auto server = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "server"));
  if (model_.bitrate_property.empty() || !g_signal_lookup("encoder-target", G_OBJECT_TYPE(server.get())))
    return;
  const auto on_target = +[](GstElement*, const GstStructure* target, Session* self) {
    guint kbit = 0;
    if (gst_structure_get_uint(target, "bitrate", &kbit) && kbit > 0 && !set_bitrate(self->pipeline_.get(), self->model_, kbit))
      GST_WARNING("the encoder does not take %u kbit/s", kbit);
  };
  g_signal_connect(server.get(), "encoder-target", G_CALLBACK(on_target), this);
}

bool Session::start_pipeline() {
  const bool started = gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
  // The reason of a failure waits on the bus.
  return iterate() && (started || fail(kExitFailure, _("the pipeline does not start")));
}

bool Session::start_command() {
  if (settings_.command().empty())
    return true;
  StartOptions options;
  if (!display_.empty())
    options.environment.push_back("DISPLAY=" + display_);
  int why = 0;
  command_ = start_process(settings_.command(), options, why);
  if (!command_)
    return fail(why == ENOENT ? kExitNotFound : kExitNotRunnable, settings_.command()[0] + ": " + _("cannot be run:") + " " + g_strerror(why));
  watch_child(command_);
  return true;
}

void Session::watch_signals() {
  signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    g_unix_signal_add(
        number,
        [](gpointer self) -> gboolean {
          static_cast<Session*>(self)->finish(kExitOk);
          return G_SOURCE_CONTINUE;
        },
        this);
}

void Session::watch_child(pid_t pid) {
  g_child_watch_add(
      pid, [](GPid ended, gint status, gpointer self) { static_cast<Session*>(self)->on_child(ended, exit_status_of(status)); }, this);
}

void Session::on_message(GstMessage* message) {
  if (finished())
    return;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && may_complain())
    finish(complain_about(message, display_, xserver_ != nullptr));
  else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
    fail(kExitDisplay, _("the captured display or window is gone"));
}

void Session::on_child(pid_t pid, int status) {
  if (pid != command_) {
    xserver_->forget();
    fail(kExitDisplay, std::string(_("the private X server has ended with status")) + " " + std::to_string(status));
    return;
  }
  command_ = 0;
  if (status == 0) {
    finish(kExitOk);
    return;
  }
  struct Late {
    Session* session;
    int status;
  };
  g_timeout_add_full(
      G_PRIORITY_DEFAULT, kReasonMs,
      [](gpointer data) -> gboolean {
        const auto* late = static_cast<Late*>(data);
        late->session->fail(late->status, late->session->settings_.command()[0] + ": " + _("ended with status") + " " +
                                              std::to_string(late->status));
        return G_SOURCE_REMOVE;
      },
      new Late{this, status}, [](gpointer data) { delete static_cast<Late*>(data); });
}

int Session::run() {
  become_subreaper();
  watch_signals();
  // Stock ximagesrc leaves a lost display to Xlib, which would end the process. Our own elements handle theirs themselves and pass
  // the others' on to this handler.
  XSetIOErrorHandler([](Display*) -> int {
    if (Session* session = running_)
      session->abandon();
    return 0;
  });
  running_ = this;
  if (read_password() && start_display() && make_pipeline() && start_pipeline() && start_command()) {
    print_where(settings_, one_time_password_);
    g_main_loop_run(loop_.get());
  }
  end();
  running_ = nullptr;
  return status_;
}

void Session::end() {
  if (pipeline_)
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  pipeline_.reset();
  // The command and what it left before their display, so that they can save what they have to.
  if (command_)
    end_process(command_, kPatienceMs);
  end_children(xserver_ ? xserver_->pid() : 0, kPatienceMs);
  xserver_.reset();
}

/// Runs on any thread, and the main thread may be anywhere: so nothing is freed.
void Session::abandon() {
  fail(kExitDisplay, _("the connection to the X display is lost"));
  // Another thread may be about to say why.
  while (!finished())
    g_usleep(1000);
  end_children(0, kPatienceMs);
  if (xserver_)
    xserver_->remove_files();
  _exit(status_);
}

}  // namespace

int run_session(const Settings& settings) { return Session(settings).run(); }

int print_pipeline(const Settings& settings) {
  std::string error;
  const auto path = find_profile(settings.text("profile"), error);
  const auto profile = path ? load_profile(*path, error) : std::nullopt;
  if (!profile)
    return complain(kExitUsage, error);
  Settings merged = settings;
  merged.adopt_profile(profile->settings);
  const auto model =
      make_model(*profile, merged, settings.text("display"), static_cast<int>(g_get_num_processors()), element_exists, error);
  if (!model)
    return complain(kExitMissing, error);
  std::printf("%s\n", launch_line(*model).c_str());
  if (model->password && !settings.has("accounts-file"))
    std::fprintf(stderr, "# %s %s:PASSWORD:control\n", _("First write accounts.txt, a line each:"), settings.text("user").c_str());
  return kExitOk;
}

}  // namespace vitrine
