// SPDX-License-Identifier: LGPL-2.1-or-later
// Choice of the backend, following of sizes, drawing with a second look for tears.
#include "capture/capture-session.h"

#include <X11/Xutil.h>
#include <poll.h>

#include <utility>

#include "capture/capture-fb.h"
#include "capture/capture-getimage.h"
#include "capture/capture-shm.h"

namespace vitrine {
namespace {

bool is_bgrx(Display* display, Window window, std::string* why_not) {
  XWindowAttributes attributes;
  if (!XGetWindowAttributes(display, window, &attributes)) {
    *why_not = "the window is gone";
    return false;
  }
  int bits = 0;
  int count = 0;
  XPixmapFormatValues* formats = XListPixmapFormats(display, &count);
  for (int i = 0; formats && i < count; i++) {
    if (formats[i].depth == attributes.depth)
      bits = formats[i].bits_per_pixel;
  }
  if (formats)
    XFree(formats);
  const Visual* visual = attributes.visual;
  if (bits == 32 && ImageByteOrder(display) == LSBFirst && visual->red_mask == 0xff0000 &&
      visual->green_mask == 0xff00 && visual->blue_mask == 0xff)
    return true;
  *why_not = "its colour depth is " + std::to_string(attributes.depth) +
             "; only 24 bits of colour in 32 bits per pixel can be captured";
  return false;
}

}  // namespace

std::unique_ptr<CaptureSession> CaptureSession::open(const CaptureSettings& settings, std::string* error) {
  std::unique_ptr<CaptureSession> session(new CaptureSession(settings));
  if (!session->connect(error))
    return nullptr;
  return session;
}

bool CaptureSession::connect(std::string* error) {
  const std::string name = X11Connection::display_name_for(settings_.display_name);
  connection_ = X11Connection::open(settings_.display_name);
  if (!connection_) {
    *error = name.empty() ? "Cannot open an X display: neither display-name nor $DISPLAY is set"
                          : "Cannot open X display \"" + name + "\"";
    return false;
  }
  std::string reason;
  target_ = CaptureTarget::find(*connection_, settings_.xid, settings_.xname, &reason);
  if (!target_ || !is_bgrx(connection_->display(), target_->window(), &reason)) {
    *error = "Cannot capture from X display \"" + name + "\": " + reason;
    return false;
  }
  watcher_ = std::make_unique<X11Watcher>(*connection_, target_->window(),
                                          X11Watcher::Options{settings_.use_damage, settings_.show_pointer});
  if (settings_.use_damage && !watcher_->has_damage()) {
    notes_.push_back("no damage events: the X server has no XDamage");
    settings_.use_damage = false;
  }
  // Sizes that change from here on are reported; what was seen before may be old.
  if (!target_->refresh() || !update_region(&reason) || !open_source(&reason)) {
    *error =
        "Cannot capture from X display \"" + name + "\": " + (reason.empty() ? "the window is gone" : reason);
    return false;
  }
  return true;
}

bool CaptureSession::update_region(std::string* error) {
  const Size size = target_->size();
  const int right = settings_.end_x > 0 ? std::min(settings_.end_x + 1, size.width) : size.width;
  const int bottom = settings_.end_y > 0 ? std::min(settings_.end_y + 1, size.height) : size.height;
  const Rect rect{settings_.start_x, settings_.start_y, right - settings_.start_x,
                  bottom - settings_.start_y};
  if (rect.empty()) {
    *error = "startx, starty, endx and endy leave nothing of its " + std::to_string(size.width) + "x" +
             std::to_string(size.height) + " pixels";
    return false;
  }
  region_.rect = rect;
  return true;
}

std::vector<CaptureMode> CaptureSession::modes_to_try() const {
  if (settings_.remote)
    return {CaptureMode::kGetImage};
  std::vector<CaptureMode> modes{CaptureMode::kFramebuffer, CaptureMode::kNvFbc, CaptureMode::kShm,
                                 CaptureMode::kGetImage};
  if (settings_.mode == CaptureMode::kNvFbc)
    std::swap(modes[0], modes[1]);
  while (settings_.mode != CaptureMode::kAuto && modes.front() != settings_.mode)
    modes.erase(modes.begin());
  if (settings_.mode != CaptureMode::kAuto && settings_.mode != CaptureMode::kNvFbc)
    std::erase(modes, CaptureMode::kNvFbc);
  if (!settings_.device_source)
    std::erase(modes, CaptureMode::kNvFbc);
  return modes;
}

bool CaptureSession::open_source(std::string* error) {
  source_.reset();
  std::string reason;
  for (CaptureMode mode : modes_to_try()) {
    switch (mode) {
      case CaptureMode::kFramebuffer:
        if (target_->is_root())
          source_ = open_fb_source(*connection_, settings_.writable_memory, &reason);
        else
          reason = "a window is captured, not the screen";
        if (!source_)
          notes_.push_back("no direct framebuffer: " + reason);
        break;
      case CaptureMode::kNvFbc:
        if (target_->is_root())
          source_ = settings_.device_source({*connection_, settings_.show_pointer, settings_.mode == CaptureMode::kNvFbc},
                                            &reason);
        else
          reason = "a window is captured, not the screen";
        if (!source_)
          notes_.push_back("no NvFBC: " + reason);
        break;
      case CaptureMode::kShm:
        source_ = open_shm_source(*connection_, target_->drawable(), region_.size(), &reason);
        if (!source_)
          notes_.push_back("no shared memory: " + reason);
        break;
      default:
        source_ = open_getimage_source(*connection_, target_->drawable());
        break;
    }
    if (source_ || !connection_->alive())
      break;
  }
  if (!source_ && error)
    *error = "its pixels cannot be read: " + reason;
  return source_ != nullptr;
}

CaptureSession::News CaptureSession::wait(std::optional<Clock::time_point> deadline, const WakeEvent& wake,
                                          bool watch) {
  const News before = dispatch();  // also flushes, and empties Xlib's own queue, which poll() cannot see
  if (before != News::kOk || (watch && changed()))
    return before;
  pollfd fds[2] = {{wake.fd(), POLLIN, 0}, {connection_->fd(), POLLIN, 0}};
  timespec timeout{};
  if (deadline) {
    const auto left =
        std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(*deadline - Clock::now()));
    timeout.tv_sec = left.count() / 1000000000;
    timeout.tv_nsec = left.count() % 1000000000;
  }
  ppoll(fds, watch ? 2 : 1, deadline ? &timeout : nullptr, nullptr);
  return dispatch();
}

CaptureSession::News CaptureSession::dispatch() {
  watcher_->dispatch();
  if (!connection_->alive())
    return News::kServerGone;
  if (watcher_->window_gone())
    return News::kWindowClosed;
  if (!watcher_->take_geometry_change())
    return News::kOk;
  const Rect region_before = region_.rect;
  const Drawable drawable_before = target_->drawable();
  if (!target_->refresh())
    return connection_->alive() ? News::kWindowClosed : News::kServerGone;
  std::string error;
  if (!update_region(&error)) {
    notes_.push_back("the new size is not captured: " + error);
    region_.rect = intersect(region_before, whole(target_->size()));
    return region_.rect.empty() ? News::kWindowClosed : News::kResized;
  }
  if (region_.rect == region_before && target_->drawable() == drawable_before)
    return News::kOk;
  // The framebuffer stays where it is when the screen gets another size within it; shared memory is cut to
  // size.
  std::vector<PixelView> view;
  const bool keeps = source_->is_live_memory() && source_->read({region_.rect}, view);
  if (!keeps && !open_source(&error))
    return News::kServerGone;
  return News::kResized;
}

bool CaptureSession::changed() const {
  if (!settings_.use_damage || watcher_->damaged() || look_again_)
    return true;
  return settings_.show_pointer && (watcher_->pointer_moved() || watcher_->cursor_changed());
}

Point CaptureSession::canvas_origin() {
  watcher_->renew_pointer();
  canvas_is_new_ = true;
  const int offset = target_->offset();
  return {region_.rect.x + offset, region_.rect.y + offset};
}

/// False when nothing was announced.
bool CaptureSession::fetch(Canvas& canvas) {
  if (!settings_.use_damage) {
    canvas.damage_all();
    return false;
  }
  const std::vector<Rect> damage = watcher_->fetch_damage();
  for (const Rect& rect : damage)
    canvas.add_damage(rect.moved(-region_.rect.x, -region_.rect.y));
  return !damage.empty();
}

bool CaptureSession::place_pointer(Canvas& canvas) {
  if (!settings_.show_pointer || !(watcher_->take_pointer_motion() || watcher_->cursor_changed()))
    return false;
  CursorSprite cursor{watcher_->cursor_image(), 0, 0};
  if (source_->is_device_memory())
    return true;  // it is in the picture already
  if (!watcher_->query_pointer(&cursor.x, &cursor.y))
    cursor.image = nullptr;
  cursor.x -= region_.rect.x;
  cursor.y -= region_.rect.y;
  canvas.set_cursor(cursor);
  return true;
}

CaptureSession::Draw CaptureSession::draw_device_picture(Canvas& canvas, bool announced,
                                                         Clock::time_point* captured_at) {
  look_again_ = false;
  *captured_at = Clock::now();
  switch (source_->refresh(announced || canvas_is_new_)) {
    case Freshness::kFailed:
      // What is left is slower, but works.
      notes_.push_back("NvFBC fails: " + source_->failure());
      settings_.device_source = nullptr;
      if (settings_.mode == CaptureMode::kNvFbc)
        settings_.mode = CaptureMode::kAuto;
      watcher_->renew_pointer();
      canvas.damage_all();
      return connection_->alive() && open_source(nullptr) ? Draw::kNothing : Draw::kFailed;
    case Freshness::kSame:
      if (!canvas_is_new_)
        return Draw::kNothing;
      break;
    default:
      look_again_ = true;
      break;
  }
  canvas.damage_all();
  if (!canvas.draw(*source_))
    return Draw::kFailed;
  canvas_is_new_ = false;
  return connection_->alive() ? Draw::kFrame : Draw::kFailed;
}

CaptureSession::Draw CaptureSession::draw(Canvas& canvas, Clock::time_point* captured_at) {
  const bool painted = fetch(canvas);
  const bool moved = place_pointer(canvas);
  if (source_->is_device_memory())
    return draw_device_picture(canvas, painted || moved, captured_at);
  if (!canvas.pending())
    return connection_->alive() ? Draw::kNothing : Draw::kFailed;
  *captured_at = Clock::now();
  if (!canvas.draw(*source_))
    return Draw::kFailed;
  // The server may have painted while we read its memory: look again, once. What comes later still is the
  // next frame's.
  if (source_->is_live_memory() && settings_.use_damage) {
    const auto again = Clock::now();
    fetch(canvas);
    if (canvas.pending()) {
      retries_++;
      *captured_at = again;
      if (!canvas.draw(*source_))
        return Draw::kFailed;
    }
  }
  return connection_->alive() ? Draw::kFrame : Draw::kFailed;
}

std::shared_ptr<const CursorImage> CaptureSession::take_cursor_change(int* x, int* y) {
  if (settings_.show_pointer || !watcher_->has_cursor() || !watcher_->cursor_changed())
    return nullptr;
  std::shared_ptr<const CursorImage> image = watcher_->cursor_image();
  if (!image || (told_cursor_ && told_cursor_->serial == image->serial) || !watcher_->query_pointer(x, y))
    return nullptr;
  told_cursor_ = image;
  *x -= region_.rect.x;
  *y -= region_.rect.y;
  return image;
}

}  // namespace vitrine
