// SPDX-License-Identifier: LGPL-2.1-or-later
// Things that move on a screen, drawn by a process of its own.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace vitrine {

enum class Scene { kIdle, kTyping, kScrolling, kVideo, kWindow, kFull, kProbe };

/// Shared by the drawing process and the one that measures.
struct SceneClock {
  std::atomic<int64_t> drawn_ns{0};  // CLOCK_MONOTONIC before the last drawing was sent
};

/// Draws `scene` 60 times a second in a child process until it is stopped. kProbe: one small thing now and
/// then.
class SceneProcess {
 public:
  SceneProcess(Scene scene, const std::string& display);
  ~SceneProcess();
  const SceneClock& clock() const { return *clock_; }

 private:
  pid_t pid_;
  SceneClock* clock_;
};

}  // namespace vitrine
