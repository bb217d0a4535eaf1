// SPDX-License-Identifier: LGPL-2.1-or-later
// The body of x11inputsink: bytes in, records out to InputPlayer, and a watcher that looks after the viewer and the display.
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/unique-fd.h"
#include "protocol/input-stream.h"
#include "remote/injector-xtest.h"
#include "remote/input-player.h"
#include "remote/keyboard-message.h"
#include "remote/layout-setter.h"

namespace vitrine {

/// Who repeats a key that is held.
enum class Repeat { sink, server, off };

struct InputSinkSettings {
  std::string display_name;  // empty: $DISPLAY
  KeyMode key_mode = KeyMode::automatic;
  Repeat repeat = Repeat::sink;
  guint release_timeout_ms = 2000;  // 0: never
  bool follow_layout = true;
};

/// Thread-safe. No lock is held while an error is posted. Records are played on the streaming thread. The watcher, a thread of its
/// own, lets go when the viewer falls silent, takes in changes of the display's keymap, locks and size, notices a display that is
/// lost, and sets the display's layout to the viewer's.
class InputSinkBody {
 public:
  explicit InputSinkBody(GstElement* element);

  /// Posts an error and returns false when the display cannot be used.
  bool start(const InputSinkSettings& settings);
  void stop();
  GstFlowReturn render(GstBuffer* buffer);
  void release_all();
  /// Forgets the start of a record whose rest was flushed.
  void forget_pending();
  GstStructure* stats();

 private:
  using Clock = std::chrono::steady_clock;

  void report_unusable(XTestInjector::OpenError error, const std::string& name);
  void take(std::span<const uint8_t> bytes, std::vector<InputRecord>& records) REQUIRES(mutex_);
  void take_message(std::string_view text) REQUIRES(mutex_);
  void refuse(size_t bytes, const char* why) REQUIRES(mutex_);
  std::optional<std::string> drop_lost_display() REQUIRES(mutex_);
  void report_lost(const std::string& name);
  int release_if_silent() REQUIRES(mutex_);
  void watch();
  void follow(const KeyboardMessage& message, size_t matches_now);
  void wake() const;

  GstElement* const element_;
  const UniqueFd wake_;  // ends the watcher's poll()
  std::unique_ptr<LayoutSetter> layout_;  // the watcher's while it runs
  Mutex mutex_;
  std::unique_ptr<XTestInjector> injector_ GUARDED_BY(mutex_);  // null when stopped, and when the display is lost
  std::unique_ptr<InputPlayer> player_ GUARDED_BY(mutex_);      // null when injector_ is
  InputStream stream_ GUARDED_BY(mutex_);
  std::optional<KeyboardMessage> keyboard_ GUARDED_BY(mutex_);  // the newest that the watcher has not followed yet
  bool follow_layout_ GUARDED_BY(mutex_) = true;
  bool stopping_ GUARDED_BY(mutex_) = false;
  InputStatistics last_run_ GUARDED_BY(mutex_);  // of the player that is gone
  uint64_t batches_ GUARDED_BY(mutex_) = 0, refused_ GUARDED_BY(mutex_) = 0, timeouts_ GUARDED_BY(mutex_) = 0,
           layouts_ GUARDED_BY(mutex_) = 0;
  Clock::time_point last_record_ GUARDED_BY(mutex_);
  std::chrono::milliseconds release_timeout_ GUARDED_BY(mutex_){0};  // 0: never
  std::thread watcher_;
};

}  // namespace vitrine
