// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder of our own for a private X or sound server or for gamepads, in memory where there is some. It goes with us; what a killed one of us left, the next removes.
#pragma once

#include <memory>
#include <string>

#include "common/unique-fd.h"

namespace vitrine {

class PrivateFolder {
 public:
  /// Makes one with room for `bytes` if there is such a place. Null, with `error`, if there is none at all.
  static std::unique_ptr<PrivateFolder> make(unsigned long long bytes, std::string& error);
  ~PrivateFolder() { remove(); }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  std::string authority() const { return path_ + "/Xauthority"; }
  std::string log() const { return path_ + "/Xvfb.log"; }
  /// For the element virtualgamepads, which makes it.
  std::string gamepads() const { return path_ + "/gamepads"; }
  const std::string& path() const { return path_; }
  /// Whether a framebuffer may lie here: in memory, and there is room.
  bool is_roomy() const { return is_roomy_; }
  /// Removes files and folder; may be called from any thread.
  void remove() const;

 private:
  PrivateFolder(std::string path, UniqueFd lock, bool is_roomy)
      : path_(std::move(path)), lock_(std::move(lock)), is_roomy_(is_roomy) {}
  const std::string path_;
  const UniqueFd lock_;  // held while we live
  const bool is_roomy_;
};

}  // namespace vitrine
