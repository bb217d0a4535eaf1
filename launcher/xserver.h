// SPDX-License-Identifier: LGPL-2.1-or-later
// A private X server: Xvfb with an authority file of its own, in a private folder that goes with it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "private-folder.h"
#include "settings.h"

namespace vitrine {

class XServer {
 public:
  /// Starts Xvfb and waits until it is ready. Null, with `error`, if that fails or `cancelled` says so.
  static std::unique_ptr<XServer> start(const Size& size, const std::function<bool()>& cancelled, std::string& error, long dpi = 96);
  ~XServer();
  XServer(const XServer&) = delete;
  XServer& operator=(const XServer&) = delete;

  /// After forget(): starts Xvfb anew, for the same size and cookie, with the same display number if `keep_number`. `done` is told on
  /// the main loop when it is ready, or, with a text, that it is not.
  void restart(bool keep_number, std::function<void(const std::string& error)> done);

  pid_t pid() const { return pid_; }
  const std::string& display() const { return display_; }
  std::string authority() const { return folder_->authority(); }
  /// The process has ended by itself and was waited for.
  void forget() { pid_ = 0; }
  /// What the destructor does with the folder; for an end without destructors.
  void remove_files() const { folder_->remove(); }

 private:
  XServer(const Size& size, long dpi) : size_(size), dpi_(dpi) {}
  int launch(const std::string& display, std::string& error);
  void close_pipe();
  bool on_pipe();
  std::string problem() const;

  const Size size_;
  const long dpi_;  // dots per inch
  pid_t pid_ = 0;
  std::unique_ptr<PrivateFolder> folder_;
  std::string display_;
  // While a restart is under way:
  int pipe_ = -1;
  unsigned source_ = 0, timer_ = 0;
  std::string number_;
  std::function<void(const std::string&)> done_;
};

}  // namespace vitrine
