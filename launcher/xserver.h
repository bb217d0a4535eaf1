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
  static std::unique_ptr<XServer> start(const Size& size, const std::function<bool()>& cancelled, std::string& error);
  ~XServer();
  XServer(const XServer&) = delete;
  XServer& operator=(const XServer&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& display() const { return display_; }
  std::string authority() const { return folder_->authority(); }
  /// The process has ended by itself and was waited for.
  void forget() { pid_ = 0; }
  /// What the destructor does with the folder; for an end without destructors.
  void remove_files() const { folder_->remove(); }

 private:
  XServer() = default;
  pid_t pid_ = 0;
  std::unique_ptr<PrivateFolder> folder_;
  std::string display_;
};

}  // namespace vitrine
