// SPDX-License-Identifier: LGPL-2.1-or-later
// Start, watch, end. All on the main thread but for abandon().
#include "session.h"

#include <X11/Xlib.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "audio-branch.h"
#include "common/mutex.h"
#include "common/ref.h"
#include "desktop-element.h"
#include "gamepads.h"
#include "keeper-display.h"
#include "keeper-program.h"
#include "keeper.h"
#include "log.h"
#include "microphone-branch.h"
#include "pipeline-builder.h"
#include "pipeline-model.h"
#include "probe-background.h"
#include "probe.h"
#include "process.h"
#include "report.h"
#include "service.h"
#include "session-plans.h"
#include "settings-files.h"
#include "sound-names.h"
#include "sound-server.h"
#include "text.h"
#include "xserver.h"

namespace vitrine {
namespace {

constexpr int kPatienceMs = 3000;
constexpr unsigned kBurialS = 5;  // between looks for orphans that have ended

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
  bool start_sound_server();
  bool make_plans();
  bool prepare_gamepads();
  void use_others(const std::vector<VideoPlan>& others);
  /// Plans for a profile on this session's display.
  std::optional<SessionPlans> plans_for(const Profile& profile, std::string& error) const;
  bool make_pipeline();
  bool start_pipeline();
  void make_keepers();
  /// Everything runs for the first time.
  void start_program();
  void watch_signals();
  /// Reads the settings again and takes over what can be changed while it runs.
  void reload();
  bool shows_private_display() const;
  void watch_child(pid_t pid);
  void on_probed(const ProbeReport& report);
  /// Goes over to what the probe found, unless viewers would have to connect anew for it.
  void take_better();
  void connect_server();
  bool iterate();
  void tell(const char* topic, const char* text);
  /// The first reason for the end is the one that counts.
  bool finish(int status);
  bool fail(int status, const std::string& what) { return may_complain() ? finish(complain(status, what)) : false; }
  /// True once: two threads may learn of the same loss at the same time, and one line is enough.
  bool may_complain() { return !finished() && !complained_.exchange(true); }
  bool finished() const { return status_ >= 0; }
  void on_message(GstMessage* message);
  void on_error(GstMessage* message);
  void on_child(pid_t pid, int status);
  void on_display_lost();
  void on_display_result(bool good);
  void end();
  [[noreturn]] void abandon();
  /// Runs on the main loop, if the session is still there then; for the server's threads.
  void post(std::function<void(Session&)> task);

  static inline std::atomic<Session*> running_{nullptr};

  Settings settings_;
  Service service_;
  const Ref<GMainLoop> loop_;
  Credentials credentials_;
  std::string one_time_password_;
  std::unique_ptr<XServer> xserver_;
  Size virtual_size_;  // of xserver_'s screen at first
  std::unique_ptr<SoundServer> sound_server_;
  std::string display_;  // empty is $DISPLAY
  Gamepads gamepads_;
  std::map<std::string, std::string> profile_settings_;
  SessionPlans plans_;
  std::optional<SessionPlans> better_;  // found by the probe, not yet used
  unsigned watching_ = 0;               // viewers of the first stream
  Mutex mutex_;
  std::vector<std::string> other_codecs_ GUARDED_BY(mutex_);  // that others may ask for; also for the server's threads
  Ref<GstElement> pipeline_, server_;
  StateChanges states_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<DisplayKeeper> display_keeper_;
  std::unique_ptr<ProgramKeeper> program_;
  std::unique_ptr<AudioBranch> audio_;
  std::set<pid_t> dead_;  // of children that nobody has waited for yet
  std::unique_ptr<BackgroundProbe> probe_;
  std::unique_ptr<MicrophoneBranch> microphone_;
  bool started_ = false;  // all of it ran once: from now on it is kept
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

bool Session::shows_private_display() const {
  const char* environment = g_getenv("DISPLAY");
  return settings_.flag("virtual") || (!settings_.has("display") && !(environment && *environment));
}

/// Before the display, since it needs none and can come up meanwhile. Without one a session is silent, unless it was asked for.
bool Session::start_sound_server() {
  const std::string choice = settings_.text("sound-server");
  if (settings_.flag("no-audio") || choice == "shared" || (choice == "auto" && (!shows_private_display() || sound_server_answers())))
    return true;
  SoundServer::Host host;
  host.watch = [this](pid_t pid) {
    watch_child(pid);
    if (audio_)
      audio_->look_again();
  };
  host.give_up = [](const std::string& why) { log_line(LogLevel::warning, why); };
  std::string error;
  sound_server_ = SoundServer::start(std::move(host), error);
  if (!sound_server_ && choice == "private")
    return fail(kExitMissing, error);
  if (!sound_server_) {
    GST_INFO("no sound: %s", error.c_str());
    return true;
  }
  g_setenv("PULSE_SERVER", sound_server_->address().c_str(), TRUE);
  watch_child(sound_server_->pid());
  return true;
}

bool Session::start_display() {
  display_ = settings_.text("display");
  if (!shows_private_display())
    return true;
  const auto given = parse_size(settings_.text("virtual"));
  const Size size = given ? *given : parse_size(settings_.text("size")).value();
  std::string error;
  virtual_size_ = size;
  xserver_ = XServer::start(framebuffer_size(settings_, size), [this] { return !iterate(); }, error, settings_.number("dpi"));
  if (!xserver_)
    return fail(kExitDisplay, error);
  display_ = xserver_->display();
  g_setenv("XAUTHORITY", xserver_->authority().c_str(), TRUE);
  g_setenv("DISPLAY", display_.c_str(), TRUE);
  watch_child(xserver_->pid());
  return true;
}

std::optional<SessionPlans> Session::plans_for(const Profile& profile, std::string& error) const {
  return plan_session(profile, settings_, display_, xserver_ ? virtual_size_ : Size{}, error);
}

bool Session::make_plans() {
  std::string error;
  const auto profile = choose_profile(settings_, error);
  if (!profile)
    return fail(kExitUsage, error);
  profile_settings_ = profile->settings;
  settings_.adopt_profile(profile->settings);
  auto plans = plans_for(*profile, error);
  if (!plans)
    return fail(kExitMissing, error);
  if (settings_.text("chroma") == "444" && !plans->main[0].model.full_chroma)
    log_line(LogLevel::warning, profile->path + ": " + _("no encoder that is installed does 4:4:4; it stays 4:2:0"));
  use_others(plans->others);
  plans_ = std::move(*plans);
  return true;
}

void Session::use_others(const std::vector<VideoPlan>& others) {
  MutexLock lock(mutex_);
  other_codecs_.clear();
  for (const auto& plan : others)
    other_codecs_.push_back(plan.codec);
}

bool Session::prepare_gamepads() {
  std::string error;
  if (!gamepads_.prepare(settings_, error))
    return fail(kExitUsage, error);
  if (!error.empty())
    log_line(LogLevel::warning, std::string(_("there are no gamepads:")) + " " + error);
  plans_.main[0].model.gamepads = gamepads_.element();
  return true;
}

bool Session::make_pipeline() {
  for (const char* name : {"webrtcsignallerbin", "x11inputsink", "x11desktop", "virtualgamepads"})
    if (!element_exists(name))
      return fail(kExitMissing, std::string(_("no element")) + " \"" + name + "\"; " + _("is Vitrine's plugin folder in GST_PLUGIN_PATH?"));
  std::string error;
  pipeline_ = build_frame(plans_.main[0].model, credentials_, error);
  if (!pipeline_)
    return fail(kExitUsage, error);
  // What the user wrote is checked before anything starts; the rest when it is needed.
  if (!Part::make_source("checked", capture_chain(plans_.main[0].model), error) || !Part::make("checked", encode_chain(plans_.main[0].model), error))
    return fail(kExitUsage, error);
  server_ = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "server"));
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

void Session::tell(const char* topic, const char* text) {
  if (server_)
    g_signal_emit_by_name(server_.get(), "set-notice", topic, "warning", text);
}

void Session::make_keepers() {
  const auto say = [this](const char* topic, const char* text) { tell(topic, text); };
  const auto watch = [this](pid_t pid) { watch_child(pid); };
  Keeper::Host video;
  video.tell = say;
  video.give_up = [this](const std::string& why) { fail(kExitFailure, std::string(_("no encoder works any more;")) + " " + why); };
  video.display_result = [this](bool good) { on_display_result(good); };
  keeper_ = std::make_unique<Keeper>(pipeline_.get(), states_, std::move(video));

  DisplayKeeper::Host display;
  display.tell = say;
  display.gone = [this] { keeper_->display_gone(); };
  display.here = [this](const std::string& name) {
    display_ = name;
    if (xserver_)
      g_setenv("DISPLAY", name.c_str(), TRUE);
    keeper_->display_here(name);
  };
  display.back = [this] { program_->display_back(display_); };
  display.watch = watch;
  display.give_up = [this](const std::string& why) { fail(kExitDisplay, why); };
  display_keeper_ = std::make_unique<DisplayKeeper>(xserver_.get(), display_, std::move(display));

  ProgramKeeper::Host program;
  program.environment = gamepads_.environment();
  program.tell = say;
  program.watch = watch;
  program.display_lost_us = [this] { return display_keeper_->lost_us(); };
  program.display_down = [this] { return display_keeper_->is_down(); };
  program.finish = [this](int status, const std::string& why) { why.empty() ? finish(status) : fail(status, why); };
  program_ = std::make_unique<ProgramKeeper>(settings_.command(), ProgramKeeper::policy_from(settings_.text("restart")), std::move(program));

  if (!settings_.flag("no-audio"))
    audio_ = AudioBranch::make(pipeline_.get(), states_, say);
  if (!settings_.flag("no-audio") && !settings_.flag("no-microphone"))
    microphone_ = MicrophoneBranch::make(pipeline_.get(), states_, say);
}

void Session::post(std::function<void(Session&)> task) {
  g_idle_add_full(
      G_PRIORITY_DEFAULT,
      [](gpointer data) -> gboolean {
        if (Session* session = running_)
          (*static_cast<std::function<void(Session&)>*>(data))(*session);
        return G_SOURCE_REMOVE;
      },
      new std::function<void(Session&)>(std::move(task)), [](gpointer data) { delete static_cast<std::function<void(Session&)>*>(data); });
}

/// What the server says of its viewers, on a thread of its own.
void Session::connect_server() {
  if (g_signal_lookup("encoder-target", G_OBJECT_TYPE(server_.get()))) {
    // --bitrate is the most; it is less where the viewers' paths carry less.
    g_object_set(server_.get(), "max-bitrate", static_cast<guint>(settings_.number("bitrate") * 1000), nullptr);
    const auto on_target = +[](GstElement*, const GstStructure* target, Session* self) {
      guint kbit = 0;
      const char* pad = gst_structure_get_string(target, "stream");
      if (pad && gst_structure_get_uint(target, "bitrate", &kbit) && kbit > 0)
        self->post([pad = std::string(pad), kbit](Session& session) { session.keeper_->set_bitrate(pad, kbit); });
    };
    g_signal_connect(server_.get(), "encoder-target", G_CALLBACK(on_target), this);
  }
  const auto on_request = +[](GstElement*, const char* const* codecs, Session* self) -> gboolean {
    {
      // The keeper is of the main thread.
      MutexLock lock(self->mutex_);
      const auto& others = self->other_codecs_;
      if (std::none_of(others.begin(), others.end(), [codecs](const std::string& codec) { return g_strv_contains(codecs, codec.c_str()); }))
        return FALSE;
    }
    std::vector<std::string> wanted;
    for (const char* const* codec = codecs; *codec; ++codec)
      wanted.emplace_back(*codec);
    self->post([wanted](Session& session) { session.keeper_->add_stream(wanted); });
    return TRUE;
  };
  g_signal_connect(server_.get(), "codec-request", G_CALLBACK(on_request), this);
  const auto on_users = +[](GstElement*, const char* pad, guint users, Session* self) {
    self->post([pad = std::string(pad), users](Session& session) {
      if (pad == AudioBranch::kPad && session.audio_)
        session.audio_->set_listeners(users);
      else if (pad == MicrophoneBranch::kPad && session.microphone_)
        session.microphone_->set_speaking(users > 0);
      else
        session.keeper_->stream_used(pad, users);
      if (pad == Keeper::kMainPad) {
        session.watching_ = users;
        session.take_better();
      }
    });
  };
  g_signal_connect(server_.get(), "stream-users", G_CALLBACK(on_users), this);
}

bool Session::start_pipeline() {
  connect_server();
  const bool opened = gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
  // The reason of a failure waits on the bus.
  if (!iterate() || !(opened || fail(kExitFailure, _("the pipeline does not start"))))
    return false;
  keeper_->start(std::move(plans_.main), std::move(plans_.others));
  return true;
}

void Session::start_program() {
  started_ = true;
  if (program_->wanted())
    program_->start(display_);
  if (!finished())
    print_where(settings_, one_time_password_);
  service_.ready();
  if (wants_probe(settings_))
    probe_ = std::make_unique<BackgroundProbe>(settings_, [this](const ProbeReport& report) { on_probed(report); });
}

void Session::on_probed(const ProbeReport& report) {
  const auto profile = winner_of(report);
  std::string error;
  if (!profile)
    return;
  const std::string& encoder = profile->encoder.at(0).name;
  log_line(LogLevel::info, std::string(_("best on this machine:")) + " " + report.results[static_cast<size_t>(report.winner)].profile + " (" + encoder +
                               "): " + report.why);
  // What a profile sets beside its pipeline counts from the start on.
  if (profile->settings != profile_settings_)
    return;
  better_ = plans_for(*profile, error);
  take_better();
}

void Session::take_better() {
  if (!better_ || (better_->main[0].codec != keeper_->main_plan().codec && watching_ > 0))
    return;
  use_others(better_->others);
  keeper_->change_plans(std::move(better_->main), std::move(better_->others));
  better_.reset();
}

void Session::watch_signals() {
  signal(SIGPIPE, SIG_IGN);
  // On a terminal SIGHUP says that it is gone; to a service it says that its settings have changed.
  const bool on_terminal = isatty(STDIN_FILENO) || isatty(STDERR_FILENO);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const auto on_end = +[](gpointer self) -> gboolean {
      static_cast<Session*>(self)->finish(kExitOk);
      return G_SOURCE_CONTINUE;
    };
    const auto on_reload = +[](gpointer self) -> gboolean {
      static_cast<Session*>(self)->reload();
      return G_SOURCE_CONTINUE;
    };
    g_unix_signal_add(number, number == SIGHUP && !on_terminal ? on_reload : on_end, this);
  }
}

void Session::reload() {
  service_.reloading();
  std::string error;
  const auto fresh = settings_.again(system_sources(), error);
  if (!fresh)
    log_line(LogLevel::error, error + "; " + _("the settings stay as they were"));
  for (const auto& option : option_table()) {
    const std::string name = option.name;
    if (!fresh || fresh->text(name) == settings_.text(name))
      continue;
    if (name == "bitrate" && keeper_)
      keeper_->set_bitrate(Keeper::kMainPad, static_cast<unsigned>(fresh->number(name)));
    else if (name == "log-format")
      set_log_format(fresh->text(name) == "json" ? LogFormat::json : LogFormat::text);
    else
      log_line(LogLevel::warning, fresh->source(name) + ": " + name + ": " + _("has changed; it counts from the next start on"));
  }
  if (fresh) {
    settings_ = *fresh;
    log_line(LogLevel::info, _("the settings were read again"));
  }
  service_.reloaded();
}

void Session::watch_child(pid_t pid) {
  g_child_watch_add(
      pid, [](GPid ended, gint status, gpointer self) { static_cast<Session*>(self)->on_child(ended, exit_status_of(status)); }, this);
}

void Session::on_message(GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !finished())
    on_error(message);
  // The server's are about settings; others' come and go with what is rebuilt.
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING && g_strcmp0(GST_MESSAGE_SRC_NAME(message), "server") == 0) {
    ErrorSlot warning;
    gst_message_parse_warning(message, warning.out(), nullptr);
    log_line(LogLevel::warning, warning.message());
  }
}

void Session::on_error(GstMessage* message) {
  const auto owner = keeper_->owner(GST_MESSAGE_SRC(message));
  if (audio_ && audio_->holds(GST_MESSAGE_SRC(message))) {
    audio_->failed(message);
  } else if (microphone_ && microphone_->holds(GST_MESSAGE_SRC(message))) {
    microphone_->failed();
  } else if (owner == Keeper::Owner::encoder) {
    keeper_->encoder_error(message);
  } else if (owner == Keeper::Owner::display && started_) {
    on_display_lost();
  } else if (owner != Keeper::Owner::none && may_complain()) {
    finish(complain_about(message, display_, xserver_ != nullptr));
  }
}

/// Where the program is to end with its first crash, it ends with its display too.
void Session::on_display_lost() {
  if (xserver_ && program_->wanted() && program_->policy() == ProgramKeeper::Policy::never)
    fail(kExitDisplay, _("the private X server has ended"));
  else
    display_keeper_->lost();
}

void Session::on_display_result(bool good) {
  if (started_)
    display_keeper_->result(good);
  else if (good)
    start_program();
  else
    fail(kExitFailure, _("the pipeline does not start"));
}

void Session::on_child(pid_t pid, int status) {
  if (finished())
    return;
  if (program_ && pid == program_->pid()) {
    program_->ended(status);
  } else if (sound_server_ && pid == sound_server_->pid()) {
    sound_server_->ended(status);
  } else if (xserver_ && pid == xserver_->pid()) {
    if (!started_ || (program_->wanted() && program_->policy() == ProgramKeeper::Policy::never)) {
      xserver_->forget();
      fail(kExitDisplay, std::string(_("the private X server has ended with status")) + " " + std::to_string(status));
    } else {
      display_keeper_->server_ended(status);
    }
  }
}

int Session::run() {
  become_subreaper();
  const unsigned burials = g_timeout_add_seconds(
      kBurialS,
      [](gpointer self) -> gboolean {
        bury_orphans(static_cast<Session*>(self)->dead_);
        return G_SOURCE_CONTINUE;
      },
      this);
  watch_signals();
  // Stock ximagesrc leaves a lost display to Xlib, which would end the process. Our own elements handle theirs themselves and pass
  // the others' on to this handler.
  XSetIOErrorHandler([](Display*) -> int {
    if (Session* session = running_)
      session->abandon();
    return 0;
  });
  running_ = this;
  if (read_password() && start_sound_server() && start_display() && make_plans() && prepare_gamepads() && make_pipeline()) {
    make_keepers();
    // Programs look for it once.
    if (sound_server_ && !sound_server_->wait([this] { return !iterate(); }) && !finished())
      log_line(LogLevel::warning, _("the private sound server does not answer"));
    if (start_pipeline() && !finished())
      g_main_loop_run(loop_.get());
  }
  g_source_remove(burials);
  end();
  running_ = nullptr;
  return status_;
}

void Session::end() {
  service_.stopping();
  probe_.reset();
  const pid_t program = program_ ? program_->pid() : 0;
  audio_.reset();
  microphone_.reset();
  keeper_.reset();
  if (pipeline_)
    states_.stop(std::move(pipeline_));
  const bool ended = states_.wait(kPatienceMs);
  server_.reset();
  // The command and what it left before their display, so that they can save what they have to.
  if (program)
    end_process(program, kPatienceMs);
  sound_server_.reset();
  end_children(xserver_ ? xserver_->pid() : 0, kPatienceMs);
  program_.reset();
  display_keeper_.reset();
  xserver_.reset();
  // Something in a driver never came back: it must not hold up the end.
  if (!ended) {
    gamepads_.remove_files();
    _exit(status_);
  }
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
  if (sound_server_)
    sound_server_->remove_files();
  gamepads_.remove_files();
  _exit(status_);
}

}  // namespace

int run_session(const Settings& settings) { return Session(settings).run(); }

int print_pipeline(const Settings& settings) {
  std::string error;
  const auto profile = choose_profile(settings, error);
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
