// SPDX-License-Identifier: LGPL-2.1-or-later
// The desktop's sound: there while a sound server is and somebody listens, recorded while something plays. Without a sound server nothing is
// lost but the sound, and silence is neither recorded nor sent.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "common/ref.h"
#include "keeper-part.h"
#include "keeper-states.h"
#include "sound-watch.h"

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
  /// The sound server has been started anew: looks for it at once.
  void look_again();
  bool holds(GstObject* source) const { return part_ && part_->holds(source); }
  /// Something in it failed: tries again.
  void failed(GstMessage* message);

 private:
  AudioBranch(GstElement* pipeline, StateChanges& states, Tell tell);
  void set_looking(bool on);
  void set_lingering(bool on);
  void look();
  void bring_up(const std::string& monitor);
  void take_down();
  void set_playing(bool playing);
  void record();
  void disconnect();

  GstElement* const pipeline_;
  StateChanges& states_;
  const Tell tell_;
  Ref<GstElement> server_;
  SoundWatch watch_;
  std::unique_ptr<Part> part_;
  Ref<GstElement> source_;  // in part_
  bool runs_ = false, told_ = false;
  bool wanted_ = false;     // something plays, or did just now
  bool recording_ = false, changing_ = false;  // what source_ does, and whether that is being changed
  unsigned generation_ = 0;                    // of part_: answers to what was asked of another one do not count
  unsigned listeners_ = 0, attempts_ = 0;
  int64_t lost_us_ = 0, next_us_ = 0;
  guint timer_ = 0, tail_ = 0, linger_ = 0;
};

}  // namespace vitrine
