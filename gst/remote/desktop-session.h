// SPDX-License-Identifier: LGPL-2.1-or-later
// x11desktop's thread: one X connection, messages in, messages out.
#pragma once

#include <glib.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/unique-fd.h"
#include "common/x11.h"
#include "remote/clipboard-owner.h"
#include "remote/clipboard-reader.h"
#include "remote/clipboard-transfer.h"
#include "remote/cursor-watcher.h"
#include "remote/desktop-message.h"
#include "remote/display-size.h"

namespace vitrine {

/// Which way contents of the clipboard go. `in` is from the viewer to the desktop.
enum class ClipboardWays { off, in, out, both };

struct DesktopSettings {
  std::string display_name;
  ClipboardWays clipboard = ClipboardWays::both;
  uint64_t clipboard_limit = 0;  // bytes
  bool primary = false;
  bool cursor = true;
  ResizePolicy resize = ResizePolicy::automatic;
  ScreenSize most, first;  // `first` 0: as it is
};

struct DesktopCounters {
  std::atomic<uint64_t> messages{0}, refused{0}, overflows{0};
  std::atomic<uint64_t> clipboard_in{0}, clipboard_out{0}, clipboard_refused{0}, clipboard_timeouts{0};
  std::atomic<uint64_t> cursor_shapes{0}, cursor_changes{0}, resizes{0}, resizes_refused{0};
};

class DesktopSession {
 public:
  enum class OpenError { none, display, xfixes };
  struct Host {
    std::function<void(std::string message)> send;
    std::function<void()> display_lost;
    /// For the log: a refusal, with what and why.
    std::function<void(const std::string& text)> warn;
  };

  /// Null, with `error`, if the display cannot be used. Host's functions are called on the session's own thread.
  static std::unique_ptr<DesktopSession> open(const DesktopSettings& settings, DesktopCounters& counters, Host host, OpenError& error);
  ~DesktopSession();
  DesktopSession(const DesktopSession&) = delete;
  DesktopSession& operator=(const DesktopSession&) = delete;

  /// Takes one JSON message; any thread, never waits. What does not fit into the queue is refused.
  void push(std::string message);
  ScreenSize size() const { return {width_, height_}; }

 private:
  static constexpr int64_t kResizeUs = 100'000;  // between two changes of the size

  DesktopSession(std::unique_ptr<X11Connection> connection, int fixes_event, const DesktopSettings& settings, DesktopCounters& counters,
                 Host host);
  void run();
  int wait_ms(int64_t now_us) const;
  bool take_messages(int64_t now_us);
  void take_events(int64_t now_us);
  void handle(XEvent& event, int64_t now_us);
  void handle(const ParsedDesktopMessage& parsed, int64_t now_us);
  void handle(const SessionState& state);
  void handle(const ClipboardBegin& begin, int64_t now_us);
  void handle(const ClipboardData& data, int64_t now_us);
  void due(int64_t now_us);
  void send_cursor(int64_t now_us);
  void send_pointer(int64_t now_us);
  void send_state();
  void tell_size();
  void send_clipboard(int64_t now_us);
  void send_chunks(int64_t now_us);
  void refuse_clipboard(uint32_t id, const char* reason);
  void clipboard_result(TransferReceiver::Result result, uint32_t id);
  void resize(int64_t now_us);
  void schedule_read(int64_t now_us);
  void refuse(const std::string& what);
  bool gives() const { return settings_.clipboard == ClipboardWays::out || settings_.clipboard == ClipboardWays::both; }
  bool takes() const { return settings_.clipboard == ClipboardWays::in || settings_.clipboard == ClipboardWays::both; }
  bool watched() const { return viewers_.size() > (holder_.empty() ? 0 : 1); }
  void to_holder(const std::string& type, const std::string& members);

  const DesktopSettings settings_;
  DesktopCounters& counters_;
  const Host host_;
  const UniqueFd wake_;
  const uint32_t run_ = g_random_int();  // tells one start of the display from another
  std::atomic<int> width_{0}, height_{0};

  Mutex mutex_;
  std::deque<std::string> inbox_ GUARDED_BY(mutex_);
  size_t inbox_bytes_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;

  // Of the thread alone.
  std::unique_ptr<X11Connection> connection_;
  const int fixes_event_;
  const SelectionAtoms atoms_;
  std::string holder_;
  std::vector<std::string> viewers_;
  std::unique_ptr<ClipboardOwner> owner_;
  std::unique_ptr<ClipboardReader> reader_;
  TransferReceiver receiver_;
  std::unique_ptr<TransferSender> sender_;
  std::shared_ptr<const ClipboardContent> content_;  // what the clipboard holds, as far as it was read
  uint32_t next_id_ = 1;
  Atom changed_selection_ = None;  // to be read at read_us_
  Time changed_time_ = CurrentTime;
  int64_t read_us_ = INT64_MAX, last_read_us_ = 0;
  std::unique_ptr<CursorWatcher> cursor_;
  CursorCache cursor_cache_;
  int64_t cursor_sent_us_ = 0, pointer_sent_us_ = 0;
  std::optional<PointerShape> shape_;
  std::unique_ptr<DisplaySize> display_size_;
  std::optional<SizeWish> wish_;
  int64_t resized_us_ = 0;
  uint64_t warned_ = 0;

  std::thread thread_;
};

}  // namespace vitrine
