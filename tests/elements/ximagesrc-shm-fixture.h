// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of ximagesrc-shm share: a painter on the screen, a pipeline under test, and the picture it
// should show.
#pragma once

#include <gtest/gtest.h>  // before Xlib, whose macro None it cannot bear

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "capture/geometry.h"
#include "capture/picture-layout.h"
#include "ximagesrc-shm-xserver.h"

namespace vitrine {

/// A client that paints on the root window.
class Painter {
 public:
  explicit Painter(const std::string& display);
  ~Painter();
  Painter(const Painter&) = delete;
  Painter& operator=(const Painter&) = delete;

  Display* display() const { return display_; }
  Window root() const { return DefaultRootWindow(display_); }
  Size screen() const;
  Window make_window(const Rect& rect, unsigned long color);
  void fill(Window window, const Rect& rect, unsigned long color);
  void fill(const Rect& rect, unsigned long color) { fill(root(), rect, color); }
  /// A few random drawings: areas, lines, text, copies, pictures, windows that move.
  void paint_randomly(std::mt19937& random);
  void sync() { XSync(display_, False); }
  bool resize_screen(Size size);

 private:
  Display* display_;
  GC gc_;
  std::vector<Window> windows_;
};

/// A buffer that came out of the element.
struct Picture {
  PictureLayout layout;
  std::vector<uint8_t> bytes;
  GstClockTime pts = 0;
  int64_t captured_ns = 0;  // CLOCK_MONOTONIC
  int64_t arrived_ns = 0;
  std::vector<Rect> damage;
  bool opaque = false;  // BGRx with 255 in the fourth byte
};

int64_t monotonic_ns();

/// `ELEMENT OPTIONS ! CAPS ! appsink`.
class Capture {
 public:
  Capture(const std::string& options, const std::string& caps, const std::string& element = "ximagesrc-shm");
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  GstElement* pipeline() const { return pipeline_; }
  GstElement* source() const { return source_; }
  bool play();
  void stop() { gst_element_set_state(pipeline_, GST_STATE_NULL); }
  GstSample* pull_sample(std::chrono::milliseconds timeout = std::chrono::milliseconds(3000));
  std::optional<Picture> pull(std::chrono::milliseconds timeout = std::chrono::milliseconds(3000));
  /// How many buffers come within a time.
  int count(std::chrono::milliseconds time);
  /// Waits until nothing comes any more.
  void settle();
  std::string mode_used() const;
  /// The text of the next message of `type`; empty if none comes in time.
  std::string message(GstMessageType type,
                      std::chrono::milliseconds timeout = std::chrono::milliseconds(3000));
  bool send_upstream(GstEvent* event);

 private:
  GstElement* pipeline_;
  GstElement* source_;
  GstElement* sink_;
};

/// The picture of `region` of a drawable by XGetImage and one conversion of the whole.
std::vector<uint8_t> expected_picture(Display* display, Drawable drawable, const Rect& region,
                                      const PictureLayout& layout);

/// Pulls pictures until one has the bytes that the screen has; false if none does in time.
bool shows_the_screen(Capture& capture, Painter& painter, const Rect& region,
                      std::chrono::milliseconds timeout = std::chrono::milliseconds(3000));

/// Runs the tests, or ends with 77 where there is no Xvfb.
int run_with_xvfb(int argc, char** argv);

}  // namespace vitrine
