// SPDX-License-Identifier: LGPL-2.1-or-later
// The running session, parted by what it does when: session-prepare.cpp, session.cpp, session-events.cpp, session-reload.cpp.
#pragma once

#include <gst/gst.h>
#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audio-branch.h"
#include "common/mutex.h"
#include "common/ref.h"
#include "gamepads.h"
#include "keeper-display.h"
#include "keeper-program.h"
#include "keeper.h"
#include "microphone-branch.h"
#include "pipeline-builder.h"
#include "pipeline-model.h"
#include "probe-background.h"
#include "report.h"
#include "service.h"
#include "session-plans.h"
#include "settings.h"
#include "sound-server.h"
#include "xserver.h"

namespace vitrine {

/// All on the main thread but for abandon().
class Session {
 public:
  explicit Session(const Settings& settings) : settings_(settings), read_(settings), loop_(Ref<GMainLoop>::adopt(g_main_loop_new(nullptr, FALSE))) {}
  ~Session() { running_ = nullptr; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  int run();

 private:
  bool start_display();
  bool start_sound_server();
  bool make_plans();
  bool prepare_gamepads();
  void use_others(const std::vector<VideoPlan>& others);
  /// Plans for a profile on the display that is shown.
  std::optional<SessionPlans> plans_for(const Profile& profile, std::string& error) const;
  bool make_pipeline();
  bool start_pipeline();
  void make_keepers();
  /// Everything runs for the first time.
  void start_program();
  void watch_signals();
  /// Reads the settings again and takes over what can be changed while it runs.
  void reload();
  bool take_over(const Settings& fresh, std::string& error);
  /// Gives the server what it can change while it runs. False, with `error` for people, if it does not take it.
  bool change_server(const Settings& settings, const Credentials& credentials, std::string& error);
  /// Goes over to the profile in use as the settings are now.
  void change_pictures();
  /// Makes a one-time password where there has to be one.
  Credentials credentials_for(const Settings& settings);
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

  Settings settings_;  // as they are in effect
  Settings read_;      // last
  Service service_;
  const Ref<GMainLoop> loop_;
  Credentials credentials_;
  std::string one_time_password_;
  std::unique_ptr<XServer> xserver_;
  Size virtual_size_;  // of xserver_'s screen at first
  std::unique_ptr<SoundServer> sound_server_;
  std::string display_;  // empty is $DISPLAY
  Gamepads gamepads_;
  std::optional<Profile> profile_;  // in use
  SessionPlans plans_;
  std::optional<Profile> better_;   // found by the probe, not yet used
  unsigned watching_ = 0;           // viewers of the first stream
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
  bool reload_ = false;   // was asked for before that
  std::atomic<int> status_{-1};
  std::atomic<bool> complained_{false};
};

}  // namespace vitrine
