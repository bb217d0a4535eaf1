// SPDX-License-Identifier: LGPL-2.1-or-later
// One viewer's frames as they went out, and the input that they may answer: what the latency meter starts from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/mutex.h"
#include "webrtc/latency/frame-times.h"

namespace vitrine {

/// What carried a frame.
enum class MediaWay : uint8_t { webrtc, websocket };

struct LoggedFrame {
  uint32_t id = 0;  // 1 for the first one that is measured, then + 1
  MediaWay way = MediaWay::webrtc;
  uint32_t rtp_time = 0;  // as the viewer sees it
  FrameTimes times;
  int64_t passed_us = 0;    // when its transport got it
  int64_t sent_us = 0;      // when its last byte was handed to the socket; 0: not known
  uint32_t input = 0;       // sequence number of the first input that it may answer; 0: none
  int64_t injected_us = 0;  // when that was handed to the desktop
};

/// Thread-safe: frames pass on the encoder's thread, input comes on the data channel's and the session's.
class FrameLog {
 public:
  static constexpr size_t kFramesMax = 256, kInputsMax = 64;
  /// No more frames than so many per second are measured, but those that answer input.
  static constexpr int64_t kIntervalUs = 1'000'000 / 30;
  /// An input that shows no effect for this long has none.
  static constexpr int64_t kInputUs = 1'000'000;
  /// From a transport's getting a frame until all of it has left: longer than frames are paced.
  static constexpr int64_t kSettledUs = 60'000;
  /// A viewer that has not reported a frame by then has not shown it.
  static constexpr int64_t kReportUs = 10'000'000;

  /// Input that may change the picture was handed to the desktop.
  void injected(uint32_t sequence, int64_t now_us);
  void passed(MediaWay way, uint32_t rtp_time, FrameTimes times, int64_t now_us);
  /// A frame that this viewer did not get.
  void left_out(MediaWay way, const FrameTimes& times);
  /// The last byte has left.
  void sent(MediaWay way, uint32_t rtp_time, int64_t now_us);
  /// There are frames whose time to be told has come.
  bool due(int64_t now_us) const;
  /// These frames, oldest first, at most `most`; each comes once. Those without a time of sending are left out.
  std::vector<LoggedFrame> take_due(int64_t now_us, size_t most);
  /// A frame that was told, and that nobody has asked for yet.
  std::optional<LoggedFrame> take(uint32_t id);

 private:
  enum class State : uint8_t { passed, told };
  struct Entry {
    LoggedFrame frame;
    State state = State::passed;
  };
  struct Input {
    uint32_t sequence = 0;
    int64_t injected_us = 0;
  };
  struct Answer {
    int64_t capture_us = 0;
    Input input;
  };
  Input answered_by(const FrameTimes& times, int64_t now_us) REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::deque<Entry> frames_ GUARDED_BY(mutex_);
  std::deque<Input> inputs_ GUARDED_BY(mutex_);
  Answer answer_ GUARDED_BY(mutex_);  // the newest: a frame goes by both ways while they race
  OwedContent owed_[2] GUARDED_BY(mutex_);
  int64_t measured_us_[2] GUARDED_BY(mutex_) = {0, 0};
  uint32_t last_id_ GUARDED_BY(mutex_) = 0;
};

}  // namespace vitrine
