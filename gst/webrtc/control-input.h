// SPDX-License-Identifier: LGPL-2.1-or-later
// The way of input from all viewers to the one that holds control's: decode, put in order, pass on as buffers for control_src.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "common/mutex.h"
#include "common/ref.h"
#include "protocol/input-sequencer.h"
#include "webrtc/latency/frame-log.h"
#include "webrtc/token-bucket.h"

namespace vitrine {

/// Where the holder's input goes. Thread-safe: input arrives on data channel threads and on the session's thread.
class ControlOutput {
 public:
  /// `push` gets whole records or one JSON message; it must not block.
  explicit ControlOutput(std::function<void(Ref<GstBuffer>)> push) : push_(std::move(push)) {}

  /// Input of `viewer` is passed on from now on, nobody's if empty. Emits a release record when somebody held control before.
  void set_holder(const std::string& viewer);
  /// Drops what does not come from the holder.
  bool push(const std::string& viewer, std::span<const InputRecord> records);
  bool push_message(const std::string& viewer, const std::string& json);
  /// Tells the desktop elements something of the server's own.
  void announce(const std::string& json);
  /// Monotonic µs of the holder's last input.
  int64_t last_input_us() const { return last_input_us_; }

 private:
  void emit(std::span<const InputRecord> records) REQUIRES(mutex_);

  const std::function<void(Ref<GstBuffer>)> push_;
  Mutex mutex_;
  std::string holder_ GUARDED_BY(mutex_);
  std::atomic<int64_t> last_input_us_{0};
};

/// One viewer's input, from both of its channels. Thread-safe.
class ViewerInput {
 public:
  static constexpr double kRecordsPerSecond = 4000, kRecordsBurst = 8000;

  /// `log`, if given, is told of input that may change the picture.
  ViewerInput(std::string viewer, std::shared_ptr<ControlOutput> output, std::shared_ptr<FrameLog> log = nullptr)
      : viewer_(std::move(viewer)), output_(std::move(output)), log_(std::move(log)) {}

  /// Takes one binary message. Returns why the viewer has to be closed, null if all is well.
  const char* message(std::span<const uint8_t> bytes);
  uint64_t records() const { return records_; }

 private:
  const std::string viewer_;
  const std::shared_ptr<ControlOutput> output_;
  const std::shared_ptr<FrameLog> log_;
  // Held while the output is fed, so that records of two channels cannot overtake each other.
  Mutex mutex_;
  InputSequencer sequencer_ GUARDED_BY(mutex_);
  TokenBucket rate_ GUARDED_BY(mutex_){kRecordsPerSecond, kRecordsBurst};
  std::atomic<uint64_t> records_{0};
};

}  // namespace vitrine
