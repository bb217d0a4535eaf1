// SPDX-License-Identifier: LGPL-2.1-or-later
// What a viewer says, as a microphone of the desktop: there while somebody speaks.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>

#include "common/ref.h"
#include "keeper-part.h"
#include "keeper-states.h"
#include "sound-watch.h"

namespace vitrine {

constexpr char kTopicMicrophone[] = "microphone";

/// ```
///   server.mic_src ─► tee ─► opusdec ─► pulsesink     into the sink whose monitor programs know as the microphone
/// ```
/// Bound to the main thread.
class MicrophoneBranch {
 public:
  using Tell = std::function<void(const char* topic, const char* text)>;

  /// Null if an element is missing. To be made before the server starts: viewers may speak because the pad is there.
  static std::unique_ptr<MicrophoneBranch> make(GstElement* pipeline, StateChanges& states, Tell tell);
  ~MicrophoneBranch();
  MicrophoneBranch(const MicrophoneBranch&) = delete;
  MicrophoneBranch& operator=(const MicrophoneBranch&) = delete;

  static constexpr char kPad[] = "mic_src";
  void set_speaking(bool speaking);
  bool holds(GstObject* source) const { return part_ && part_->holds(source); }
  /// Something in it failed: tries again.
  void failed();

 private:
  MicrophoneBranch(GstElement* pipeline, StateChanges& states, Tell tell);
  void attempt();
  void bring_up();
  void take_down();

  GstElement* const pipeline_;
  StateChanges& states_;
  const Tell tell_;
  GstElement* tee_ = nullptr;  // the pipeline's
  SoundWatch watch_;
  std::unique_ptr<Part> part_;
  bool speaking_ = false, told_ = false;
  unsigned generation_ = 0;  // of part_: answers about another one do not count
  guint timer_ = 0;
};

}  // namespace vitrine
