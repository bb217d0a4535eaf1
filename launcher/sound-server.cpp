// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting PulseAudio.
#include "sound-server.h"

#include <glib.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "process.h"
#include "report.h"
#include "sound-names.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr int kStartMs = 5000;
constexpr int kStepMs = 10;
constexpr int kPatienceMs = 1000;
constexpr int kRestarts = 6;
constexpr int64_t kEarnUs = 10'000'000, kFirstDelayUs = 200'000, kMostDelayUs = 5'000'000;

/// What it loads: nothing that looks for devices, other machines or buses. A sink that nobody plays to and a source that nobody records
/// from are suspended after a second, and then cost nothing at all.
bool write_script(const std::string& path, const std::string& socket) {
  std::ofstream script(path, std::ios::trunc);
  script << "load-module module-native-protocol-unix socket=" << socket << " auth-cookie-enabled=0\n"
         << "load-module module-null-sink " << kSinkArguments << "\n"
         << "load-module module-null-sink " << kTalkSinkArguments << "\n"
         << "load-module module-remap-source " << kMicrophoneArguments << "\n"
         << "load-module module-suspend-on-idle timeout=1\n"
         << "set-default-sink " << kSinkName << "\n"
         << "set-default-source " << kMicrophoneName << "\n";
  return static_cast<bool>(script.flush());
}

}  // namespace

SoundServer::SoundServer(Host host) : host_(std::move(host)), limit_(kRestarts, kEarnUs, kFirstDelayUs, kMostDelayUs) {}

std::unique_ptr<SoundServer> SoundServer::start(Host host, std::string& error) {
  std::unique_ptr<SoundServer> self(new SoundServer(std::move(host)));
  self->folder_ = PrivateFolder::make(0, error);
  if (!self->folder_)
    return nullptr;
  const std::string script = self->folder_->path() + "/sound.pa";
  if (!write_script(script, self->socket())) {
    error = script + ": " + _("cannot be written");
    return nullptr;
  }
  return self->launch(error) ? std::move(self) : nullptr;
}

bool SoundServer::launch(std::string& error) {
  const std::string& folder = folder_->path();
  // One that was killed leaves its socket, which would look as if it were there.
  unlink(socket().c_str());
  StartOptions options;
  options.log = folder + "/sound.log";
  // Whatever it writes lies in the folder; no configuration of the machine or the user has a say, and no bus is looked for or started.
  options.environment = {"HOME=" + folder, "PULSE_RUNTIME_PATH=" + folder, "PULSE_STATE_PATH=" + folder, "PULSE_CONFIG=/dev/null",
                         "DBUS_SESSION_BUS_ADDRESS=disabled:"};
  int why = 0;
  pid_ = start_process({"pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit", "--use-pid-file=no", "--realtime=no",
                        "--high-priority=no", "--log-target=stderr", "--log-level=notice", "-F", folder + "/sound.pa"},
                       options, why);
  started_us_ = g_get_monotonic_time();
  if (!pid_)
    error = std::string("pulseaudio: ") + g_strerror(why) + "; " + _("on Debian:") + " apt install pulseaudio";
  return pid_ != 0;
}

bool SoundServer::wait(const std::function<bool()>& cancelled) const {
  for (int waited = 0; waited < kStartMs; waited += kStepMs) {
    if (sound_socket_answers(socket()))
      return true;
    if (cancelled() || !pid_)
      return false;
    g_usleep(kStepMs * 1000);
  }
  return false;
}

void SoundServer::ended(int status) {
  pid_ = 0;
  GST_WARNING("the private sound server has ended with status %d", status);
  const auto wait_us = limit_.take(g_get_monotonic_time() - started_us_);
  if (!wait_us) {
    host_.give_up(_("the private sound server ends again and again"));
    return;
  }
  timer_ = g_timeout_add(
      static_cast<guint>(*wait_us / 1000),
      [](gpointer data) -> gboolean {
        auto* self = static_cast<SoundServer*>(data);
        self->timer_ = 0;
        std::string error;
        if (self->launch(error))
          self->host_.watch(self->pid_);
        else
          self->host_.give_up(error);
        return G_SOURCE_REMOVE;
      },
      this);
}

SoundServer::~SoundServer() {
  if (timer_)
    g_source_remove(timer_);
  if (pid_)
    end_process(pid_, kPatienceMs);
}

}  // namespace vitrine
