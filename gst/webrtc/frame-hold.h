// SPDX-License-Identifier: LGPL-2.1-or-later
// Leaves pictures out before they are encoded: when nobody watches, when the viewers' paths are full, or to keep a framerate. What was left out last is
// asked for again.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/latency/picture-log.h"
#include "webrtc/rate/viewer-rate.h"

namespace vitrine {

/// Thread-safe. Sits on the pad where pictures leave the last element before the encoder, found upstream of a pad of encoded video.
class FrameHold {
 public:
  FrameHold();
  ~FrameHold();
  FrameHold(const FrameHold&) = delete;
  FrameHold& operator=(const FrameHold&) = delete;

  /// The paths that count; a picture is left out when all are full. None: never.
  void set_paths(std::vector<std::shared_ptr<ViewerRate>> paths);
  /// Whether anybody is to see the pictures; if nobody is, all are left out, unless the encoder feeds something else beside `encoded` too.
  void set_watched(bool watched);
  /// Pictures per second at most; 0: no bound.
  void set_framerate(unsigned framerate);
  /// Finds the encoder upstream of `encoded`, a sink pad; again when it has been exchanged: then true. To be called now and then. `log` is told of
  /// the pictures that pass and that do not.
  bool follow(GstPad* encoded, const std::shared_ptr<PictureLog>& log);
  /// True once after pictures were left out and none has to be any more: the newest is to be sent again.
  bool released(int64_t now_us);
  /// The newest picture was left out.
  bool owes() const;
  /// So many were left out that somebody was to see.
  uint64_t left_out() const;

 private:
  struct State;
  void detach();

  const std::shared_ptr<State> state_;
  Ref<GstPad> pad_;  // of the thread that calls follow()
  gulong probe_ = 0;
};

}  // namespace vitrine
