// SPDX-License-Identifier: LGPL-2.1-or-later
// What has to be there before pictures flow, in order.
#include "desktop-element.h"
#include "log.h"
#include "probe.h"
#include "report.h"
#include "session-body.h"
#include "sound-names.h"
#include "text.h"

namespace vitrine {

Credentials Session::credentials_for(const Settings& settings) {
  Credentials credentials{settings.text("user"), settings.text("password")};
  if (credentials.password.empty() && !settings.flag("no-auth") && !settings.has("accounts-file")) {
    if (one_time_password_.empty())
      one_time_password_ = make_one_time_password();
    credentials.password = one_time_password_;
  }
  return credentials;
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
  profile_ = *profile;
  settings_.adopt_profile(profile->settings);
  read_.adopt_profile(profile->settings);
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

}  // namespace vitrine
