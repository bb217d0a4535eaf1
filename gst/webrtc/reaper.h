// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes viewers' pipelines apart on a thread of its own: webrtcbin's way to NULL takes time and has been known to hang.
#pragma once

#include <memory>

#include "common/ref.h"

namespace vitrine {

/// Thread-safe. The destructor waits for what is under way, but not longer than kPatienceUs for each pipeline.
class Reaper {
 public:
  static constexpr int64_t kPatienceUs = 5'000'000;

  Reaper();
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  /// Brings the pipeline to NULL and lets go of it, later.
  void take(Ref<GstElement> pipeline);

 private:
  struct State;
  static void run(std::shared_ptr<State> state);
  // Shared with the thread, which is left behind if a pipeline hangs.
  std::shared_ptr<State> state_;
};

}  // namespace vitrine
