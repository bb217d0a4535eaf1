// SPDX-License-Identifier: LGPL-2.1-or-later
// The body of virtualgamepads: records in, messages out, and a thread that serves programs and looks at the clock.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/unique-fd.h"
#include "protocol/input-stream.h"
#include "remote/gamepad/pad-player.h"

namespace vitrine {

enum class GamepadBackend { automatic, uinput, preload };

struct GamepadSettings {
  GamepadBackend backend = GamepadBackend::automatic;
  std::string folder;  // empty: in the user's runtime folder
  guint release_timeout_ms = 2000, unplug_delay_ms = 5000;
};

/// Thread-safe. Records are played on the streaming thread; messages are sent on the body's own thread, without a lock.
class GamepadBody {
 public:
  using Send = std::function<void(const std::string& message)>;

  GamepadBody(GstElement* element, Send send);
  ~GamepadBody() { stop(); }
  GamepadBody(const GamepadBody&) = delete;
  GamepadBody& operator=(const GamepadBody&) = delete;

  /// Posts an error and returns false when gamepads cannot be made at all.
  bool start(const GamepadSettings& settings);
  void stop();
  /// A buffer of records or a message.
  void take(std::span<const uint8_t> bytes);
  /// Everything at rest.
  void release_all();
  GstStructure* stats();

 private:
  void serve();
  void take_records(std::span<const uint8_t> bytes) REQUIRES(mutex_);
  void wake() const;

  GstElement* const element_;
  const Send send_;
  const UniqueFd wake_;
  Mutex mutex_;
  std::unique_ptr<PadBackend> backend_ GUARDED_BY(mutex_);
  std::unique_ptr<PadPlayer> player_ GUARDED_BY(mutex_);  // null when stopped
  InputStream stream_ GUARDED_BY(mutex_);
  bool announce_ GUARDED_BY(mutex_) = false;              // viewers are to be told that gamepads are taken
  bool stopping_ GUARDED_BY(mutex_) = false;
  uint64_t refused_ GUARDED_BY(mutex_) = 0;
  PadStatistics last_run_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace vitrine
