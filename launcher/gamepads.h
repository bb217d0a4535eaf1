// SPDX-License-Identifier: LGPL-2.1-or-later
// How programs of a session come to gamepads: as devices of the kernel, or by a library in LD_PRELOAD and a folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline-model.h"
#include "private-folder.h"

namespace vitrine {

class Gamepads {
 public:
  /// What the settings ask for and this machine has. False, with `error`, if that was asked for by name and cannot be; where it was not,
  /// there are no gamepads, and `error` says why.
  bool prepare(const Settings& settings, std::string& error);

  /// The element with what was chosen; without a factory if there are no gamepads.
  ModelElement element() const;
  /// NAME=VALUE for programs, so that they see the gamepads.
  const std::vector<std::string>& environment() const { return environment_; }
  /// Removes files; may be called from any thread.
  void remove_files() const;

 private:
  bool prepare_preload(std::string& error);

  std::string backend_;  // empty: none
  std::unique_ptr<PrivateFolder> folder_;
  std::vector<std::string> environment_;
};

}  // namespace vitrine
