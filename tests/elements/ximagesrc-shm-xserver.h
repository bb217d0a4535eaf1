// SPDX-License-Identifier: LGPL-2.1-or-later
// X servers of their own for tests and benchmarks.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace vitrine {

/// A running server on a display number that was free; ends with its owner, and with this process.
class XServer {
 public:
  /// `arguments[0]` is the program; the display and what is needed to know that it is ready are added. Null
  /// if it does not come up.
  static std::unique_ptr<XServer> start(const std::vector<std::string>& arguments);
  static std::unique_ptr<XServer> start_xvfb(const std::string& screen,
                                             const std::vector<std::string>& more = {});
  /// Xorg with the dummy driver. Null where it is not installed or may not be run.
  static std::unique_ptr<XServer> start_xorg_dummy(int width, int height);
  ~XServer();
  XServer(const XServer&) = delete;
  XServer& operator=(const XServer&) = delete;

  const std::string& display() const { return display_; }
  pid_t pid() const { return pid_; }
  void kill_now();

 private:
  XServer() = default;
  std::string display_;
  std::string directory_;  // of files made for it, removed with it
  pid_t pid_ = -1;
};

}  // namespace vitrine
