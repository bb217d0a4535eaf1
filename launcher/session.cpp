// SPDX-License-Identifier: LGPL-2.1-or-later
// From the first picture to the end.
#include "session.h"

#include <X11/Xlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "log.h"
#include "pipeline-builder.h"
#include "pipeline-model.h"
#include "probe.h"
#include "process.h"
#include "report.h"
#include "session-body.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr int kPatienceMs = 3000;
constexpr unsigned kBurialS = 5;  // between looks for orphans that have ended

}  // namespace

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

void Session::tell(const char* topic, const char* text) {
  if (server_)
    g_signal_emit_by_name(server_.get(), "set-notice", topic, "warning", text);
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
      StreamTarget wanted;
      const char* pad = gst_structure_get_string(target, "stream");
      gst_structure_get(target, "frame-size", G_TYPE_UINT, &wanted.frame_bytes, "scale", G_TYPE_DOUBLE, &wanted.scale, nullptr);
      if (pad && gst_structure_get_uint(target, "bitrate", &wanted.kbit) && wanted.kbit > 0)
        self->post([pad = std::string(pad), wanted](Session& session) { session.keeper_->set_target(pad, wanted); });
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
  if (std::exchange(reload_, false))
    reload();
  if (wants_probe(settings_))
    probe_ = std::make_unique<BackgroundProbe>(settings_, [this](const ProbeReport& report) { on_probed(report); });
}

void Session::on_probed(const ProbeReport& report) {
  const auto profile = winner_of(report);
  if (!profile)
    return;
  const std::string& encoder = profile->encoder.at(0).name;
  log_line(LogLevel::info, std::string(_("best on this machine:")) + " " + report.results[static_cast<size_t>(report.winner)].profile + " (" + encoder +
                               "): " + report.why);
  // What a profile sets beside its pipeline counts from the start on.
  if (profile->settings != profile_->settings)
    return;
  better_ = *profile;
  take_better();
}

void Session::take_better() {
  if (!better_ || (better_->codec != keeper_->main_plan().codec && watching_ > 0))
    return;
  profile_ = std::exchange(better_, std::nullopt);
  change_pictures();
}

void Session::change_pictures() {
  std::string error;
  auto plans = plans_for(*profile_, error);
  if (!plans) {
    log_line(LogLevel::warning, error);
    return;
  }
  use_others(plans->others);
  keeper_->change_plans(std::move(plans->main), std::move(plans->others));
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
  credentials_ = credentials_for(settings_);
  if (start_sound_server() && start_display() && make_plans() && prepare_gamepads() && make_pipeline()) {
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
