// SPDX-License-Identifier: LGPL-2.1-or-later
// A private sound server: PulseAudio with a socket of its own in a private folder that goes with it, kept alive. Idle it sleeps.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "keeper-limit.h"
#include "private-folder.h"

namespace vitrine {

/// Has a null sink, which is the default and whose monitor is what viewers hear, and the virtual microphone (docs/ARCHITECTURE.md, "Sound").
/// Bound to the main thread but for remove_files().
class SoundServer {
 public:
  struct Host {
    std::function<void(pid_t pid)> watch;  // a new process of ours: its end is to be told by ended()
    /// It does not stay up: there will be no sound.
    std::function<void(const std::string& why)> give_up;
  };

  /// Starts it. Null, with `error`, if it cannot be run; whether it comes up, wait() says.
  static std::unique_ptr<SoundServer> start(Host host, std::string& error);
  ~SoundServer();
  SoundServer(const SoundServer&) = delete;
  SoundServer& operator=(const SoundServer&) = delete;

  /// Waits until clients get through, so that programs find it from the beginning; false if that takes too long or `cancelled` says so.
  bool wait(const std::function<bool()>& cancelled) const;
  /// What PULSE_SERVER is to be.
  std::string address() const { return "unix:" + socket(); }
  pid_t pid() const { return pid_; }
  /// The process has ended by itself and was waited for: starts it anew.
  void ended(int status);
  /// What the destructor does with the folder; for an end without destructors.
  void remove_files() const { folder_->remove(); }

 private:
  explicit SoundServer(Host host);
  std::string socket() const { return folder_->path() + "/native"; }
  bool launch(std::string& error);

  const Host host_;
  std::unique_ptr<PrivateFolder> folder_;
  pid_t pid_ = 0;
  int64_t started_us_ = 0;
  unsigned timer_ = 0;
  RestartLimit limit_;
};

}  // namespace vitrine
