// SPDX-License-Identifier: LGPL-2.1-or-later
// From the viewers' rates to the encoders' targets, stream by stream.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "webrtc/fanout.h"
#include "webrtc/frame-hold.h"
#include "webrtc/rate/encoder-policy.h"
#include "webrtc/rate/refinement.h"
#include "webrtc/rate/viewer-rate.h"

namespace vitrine {

/// A viewer that is shown a stream.
struct RatedViewer {
  std::shared_ptr<ViewerRate> rate;
  const Fanout* stream = nullptr;
  bool holds_control = false;
};

/// Bound to the session's thread.
class RateDirector {
 public:
  using Tell = std::function<void(const std::string& stream, const EncoderTarget& target)>;
  explicit RateDirector(Tell tell) : tell_(std::move(tell)) {}

  /// Whether anybody sees a stream, or is about to; rated or not.
  using Watched = std::function<bool(const Fanout& stream)>;
  /// To be called every 50 ms or so while there are viewers, and now and then without.
  void tick(int64_t now_us, const std::vector<std::shared_ptr<Fanout>>& media, const std::vector<RatedViewer>& viewers, const Watched& watched);
  /// Pictures left out before a stream's encoder that somebody was to see.
  uint64_t left_out(const Fanout& stream) const;

 private:
  struct Stream {
    EncoderPolicy policy;
    FullSize size;
    double scale = 1;                                               // told last
    double picture_bytes = std::numeric_limits<double>::infinity();  // what a picture may take by that
    FrameHold hold;
    uint64_t units_before = 0;  // those of encoders before the present one
    bool unseen = false;        // the newest picture came while nobody watched, and so did its repeats
    Refinement refinement;
  };
  void direct(int64_t now_us, Fanout& fanout, const std::vector<RatedViewer>& viewers, bool watched);
  /// Whether the source is to repeat its picture. `released`: the newest one was left out, and is sent now.
  bool to_be_sharpened(int64_t now_us, Stream& stream, const Fanout& fanout, double pixels, bool released) const;

  const Tell tell_;
  std::map<std::string, Stream> streams_;
};

}  // namespace vitrine
