// SPDX-License-Identifier: LGPL-2.1-or-later
// One capture from an X server: connection, events, target and backend together.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/canvas.h"
#include "capture/capture-target.h"
#include "capture/frame-source.h"
#include "capture/wake-event.h"
#include "capture/x11-watcher.h"
#include "common/x11.h"

namespace vitrine {

enum class CaptureMode { kAuto, kFramebuffer, kShm, kGetImage, kNvFbc };

struct DeviceSourceRequest {
  X11Connection& connection;
  bool with_pointer;
  bool demanded;  // by the user, not one of several that are tried
};
/// Null, with the reason, when there is none.
using DeviceSourceFactory = std::function<std::unique_ptr<FrameSource>(const DeviceSourceRequest&, std::string* why_not)>;

struct CaptureSettings {
  std::string display_name;  // empty: $DISPLAY
  unsigned long xid = 0;
  std::string xname;
  int start_x = 0, start_y = 0;
  int end_x = 0, end_y = 0;  // included; zero: up to the edge
  bool show_pointer = true;
  bool use_damage = true;
  bool remote = false;
  bool writable_memory = false;  // map the framebuffer for writing too, as CUDA wants it
  CaptureMode mode = CaptureMode::kAuto;
  DeviceSourceFactory device_source;  // for outputs that read device memory
};

/// Opened on any thread, then bound to one.
class CaptureSession {
 public:
  using Clock = std::chrono::steady_clock;
  enum class News { kOk, kResized, kWindowClosed, kServerGone };
  enum class Draw { kFrame, kNothing, kFailed };

  /// Null, with a sentence for the user in `error`, when there is nothing to capture.
  static std::unique_ptr<CaptureSession> open(const CaptureSettings& settings, std::string* error);

  /// Of the captured region.
  Size size() const { return region_.size(); }
  Rect region() const { return region_.rect; }
  const char* mode_used() const { return source_->name(); }
  std::string display_name() const { return connection_->name(); }
  /// Which backends were tried in vain and why; for the log, then forgotten.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

  /// Sleeps until `deadline` or `wake`, and if `watch`, until the X server has news. Then takes the news in.
  News wait(std::optional<Clock::time_point> deadline, const WakeEvent& wake, bool watch);
  /// Takes in what has arrived without sleeping.
  News dispatch();
  /// The screen, or the pointer if it is shown, is not as it was drawn last.
  bool changed() const;

  /// Where the region begins in the coordinates of the frame source, and so every canvas for it. From here on
  /// the pointer counts as not drawn yet.
  Point canvas_origin();
  /// Draws what changed; on kFrame the caller finishes the canvas's frame. `captured_at` is a time at which
  /// all of the picture was as it is drawn. kFailed: the pixels could not be read; dispatch() tells why.
  Draw draw(Canvas& canvas, Clock::time_point* captured_at);

  /// The pointer's picture, if it has changed since the last call and is not drawn into the picture.
  std::shared_ptr<const CursorImage> take_cursor_change(int* x, int* y);
  /// How often something was painted while it was being read, so that it was read once more.
  unsigned retries() const { return retries_; }

 private:
  struct Region {
    Rect rect;  // in the coordinates of the window
    Size size() const { return {rect.width, rect.height}; }
  };

  explicit CaptureSession(const CaptureSettings& settings) : settings_(settings) {}
  bool connect(std::string* error);
  bool update_region(std::string* error);
  bool open_source(std::string* error);
  std::vector<CaptureMode> modes_to_try() const;
  bool fetch(Canvas& canvas);
  bool place_pointer(Canvas& canvas);
  Draw draw_device_picture(Canvas& canvas, bool announced, Clock::time_point* captured_at);

  CaptureSettings settings_;
  std::unique_ptr<X11Connection> connection_;
  // These use the connection, so they are declared after it and end before it.
  std::unique_ptr<CaptureTarget> target_;
  std::unique_ptr<X11Watcher> watcher_;
  std::unique_ptr<FrameSource> source_;
  Region region_;
  std::vector<std::string> notes_;
  std::shared_ptr<const CursorImage> told_cursor_;
  unsigned retries_ = 0;
  bool canvas_is_new_ = false;
  // A source that makes whole pictures may have taken one just before what was announced was in it.
  bool look_again_ = false;
};

}  // namespace vitrine
