// SPDX-License-Identifier: LGPL-2.1-or-later
// One encoded stream handed to every viewer, without any viewer being able to hold up the encoder or another viewer.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/frame-sink.h"
#include "webrtc/keyframe-gate.h"
#include "webrtc/latency/picture-log.h"
#include "webrtc/rate/refinement.h"
#include "webrtc/ws-parameter-sets.h"

namespace vitrine {

/// What a stream carries, as the wire names it.
struct MediaInfo {
  bool video = true;
  std::string codec;    // "H264", "VP8", "VP9", "OPUS"
  std::string profile;  // of H.264 and VP9, may be empty
};

/// Whether a viewer that was offered one can take the other: the same codec, and 4:4:4 in both or neither.
bool interchangeable(const MediaInfo& one, const MediaInfo& other);

/// Reads the codec from a sink pad's caps; nothing for other caps.
std::optional<MediaInfo> media_info_from_caps(const GstCaps* caps);

/// Thread-safe. Owns the appsink at the end of one sink pad of the bin.
class Fanout {
 public:
  static constexpr int64_t kKeyframeIntervalUs = 500'000;

  /// `name` is that of the pad. What an audio stream carries is known from the beginning; that of a video stream from its caps, which may
  /// name another codec later: then the outlets close.
  Fanout(bool video, std::string name);
  ~Fanout();
  Fanout(const Fanout&) = delete;
  Fanout& operator=(const Fanout&) = delete;

  GstElement* element() const { return appsink_.get(); }
  const std::string& name() const { return name_; }
  /// Nothing until the caps are known.
  std::optional<MediaInfo> info() const;
  /// As the stream has them, or of audio that has not come yet, as it will.
  Ref<GstCaps> caps() const;
  void add(std::shared_ptr<FrameSink> outlet);
  void remove(const std::shared_ptr<FrameSink>& outlet);
  /// Asks the encoder for a keyframe, coalesced with other requests.
  void request_keyframe();
  /// Sends a keyframe request that had to wait, or repeats one that was not answered. To be called now and then.
  void poll(int64_t now_us);
  uint64_t keyframes_requested() const { return keyframes_requested_; }
  /// When the newest keyframe came from the encoder; 0 before the first.
  int64_t keyframe_us() const { return keyframe_us_; }
  uint64_t frames() const { return frames_; }
  /// The last access unit.
  EncodedUnit last_unit() const;
  /// To be told of the pictures that go into the encoder.
  const std::shared_ptr<PictureLog>& pictures() const { return pictures_; }

 private:
  void push(GstSample* sample);
  void set_caps(const GstCaps* caps);
  /// Puts parameter sets before an H.264 keyframe that has none: encoders may send them only once.
  void complete(GstBuffer* keyframe);
  void send_keyframe_request();
  FrameTimes times_of(GstClockTime running_time, int64_t now_us) const;

  const bool video_;
  const std::string name_;
  const std::shared_ptr<PictureLog> pictures_ = std::make_shared<PictureLog>();
  Ref<GstElement> appsink_;
  mutable Mutex mutex_;
  std::optional<MediaInfo> info_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<FrameSink>> outlets_ GUARDED_BY(mutex_);
  ParameterSets parameter_sets_;  // of the encoder's thread
  EncodedUnit last_unit_ GUARDED_BY(mutex_);
  KeyframeGate gate_ GUARDED_BY(mutex_){kKeyframeIntervalUs};
  std::atomic<uint64_t> keyframes_requested_{0}, frames_{0};
  std::atomic<int64_t> keyframe_us_{0};
};

}  // namespace vitrine
