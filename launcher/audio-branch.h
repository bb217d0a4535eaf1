// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktop's sound: there while a sound server is and somebody listens. Without one nothing is lost but the sound, and silence is not sent.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "common/ref.h"
#include "keeper-part.h"
#include "keeper-states.h"

namespace vitrine {

constexpr char kTopicSound[] = "sound";

/// ```
///   pulsesrc ─► opusenc ─► server.audio_0
/// ```
/// Bound to the main thread.
class AudioBranch {
 public:
  /// Shows viewers a text until another one comes; an empty one takes it away.
  using Tell = std::function<void(const char* topic, const char* text)>;

  /// Null if an element is missing. To be made before the server starts: it is then offered to viewers from the beginning.
  static std::unique_ptr<AudioBranch> make(GstElement* pipeline, StateChanges& states, Tell tell);
  ~AudioBranch();
  AudioBranch(const AudioBranch&) = delete;
  AudioBranch& operator=(const AudioBranch&) = delete;

  static constexpr char kPad[] = "audio_0";
  void set_listeners(unsigned listeners);
  bool holds(GstObject* source) const { return part_ && part_->holds(source); }
  /// Something in it failed: tries again.
  void failed(GstMessage* message);

 private:
  AudioBranch(GstElement* pipeline, StateChanges& states, Tell tell) : pipeline_(pipeline), states_(states), tell_(std::move(tell)) {}
  void set_looking(bool on);
  void look();
  void bring_up();
  void take_down();

  GstElement* const pipeline_;
  StateChanges& states_;
  const Tell tell_;
  Ref<GstElement> server_;
  std::unique_ptr<Part> part_;
  bool runs_ = false, told_ = false;
  unsigned listeners_ = 0, attempts_ = 0;
  int64_t lost_us_ = 0, next_us_ = 0;
  guint timer_ = 0;
};

/// Where the sound server's socket may be: $PULSE_SERVER, $PULSE_RUNTIME_PATH, the runtime folder, the system-wide one. Empty if
/// $PULSE_SERVER names something that is no local socket.
std::vector<std::string> sound_sockets();

}  // namespace vitrine
