// SPDX-License-Identifier: LGPL-2.1-or-later
// RandR (the X Resize, Rotate and Reflect Extension, 1.2).
#include "remote/display-size.h"

#include <X11/Xatom.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace vitrine {
namespace {

constexpr ScreenSize kLeast{200, 150};
constexpr char kModePrefix[] = "vitrine-";
constexpr double kMmPerInch = 25.4, kDpi = 96, kCursorSize = 24;
constexpr char kDpiName[] = "Xft.dpi", kCursorName[] = "Xcursor.size";

/// Outputs without a monitor: Xvfb, the dummy driver, VNC servers, virtual machines.
bool is_virtual(const std::string& output) {
  for (const char* name : {"screen", "DUMMY", "default", "VNC", "Virtual", "XVFB"})
    if (output.starts_with(name))
      return true;
  return false;
}

struct FreeResources {
  void operator()(XRRScreenResources* resources) const { XRRFreeScreenResources(resources); }
};
struct FreeOutput {
  void operator()(XRROutputInfo* output) const { XRRFreeOutputInfo(output); }
};
struct FreeCrtc {
  void operator()(XRRCrtcInfo* crtc) const { XRRFreeCrtcInfo(crtc); }
};

}  // namespace

/// The one output that shows something, with its CRTC.
struct DisplaySize::Screen {
  std::unique_ptr<XRRScreenResources, FreeResources> resources;
  std::unique_ptr<XRROutputInfo, FreeOutput> output;
  std::unique_ptr<XRRCrtcInfo, FreeCrtc> crtc;
  RROutput output_id = None;
  int shown = 0;  // outputs that show something

  explicit Screen(X11Connection& connection) {
    Display* display = connection.display();
    resources.reset(XRRGetScreenResourcesCurrent(display, connection.root()));
    for (int i = 0; resources && i < resources->noutput; ++i) {
      std::unique_ptr<XRROutputInfo, FreeOutput> found(XRRGetOutputInfo(display, resources.get(), resources->outputs[i]));
      if (!found || found->crtc == None || shown++ > 0)
        continue;
      crtc.reset(XRRGetCrtcInfo(display, resources.get(), found->crtc));
      output = std::move(found);
      output_id = resources->outputs[i];
    }
  }
  const XRRModeInfo* mode(RRMode id) const {
    for (int i = 0; i < resources->nmode; ++i)
      if (resources->modes[i].id == id)
        return &resources->modes[i];
    return nullptr;
  }
};

DisplaySize::DisplaySize(X11Connection& connection, ResizePolicy policy, ScreenSize most)
    : connection_(connection), display_(connection.display()), least_(kLeast), most_(most) {
  examine(policy);
}

DisplaySize::~DisplaySize() {
  if (connection_.alive())
    restore();
}

void DisplaySize::examine(ResizePolicy policy) {
  int error_base, major = 0, minor = 0;
  if (!XRRQueryExtension(display_, &randr_event_, &error_base) || !XRRQueryVersion(display_, &major, &minor) ||
      major * 100 + minor < 102) {
    randr_event_ = -1;
    why_not_ = "the X server has no RandR 1.2";
    return;
  }
  XRRSelectInput(display_, connection_.root(), RRScreenChangeNotifyMask);
  first_ = current();
  if (const int mm = DisplayWidthMM(display_, DefaultScreen(display_)); mm > 0)
    first_dpi_ = first_.width * kMmPerInch / mm;
  if (policy == ResizePolicy::off) {
    why_not_ = "it is switched off";
    return;
  }
  const Screen screen(connection_);
  int least_width, least_height, most_width, most_height;
  if (!screen.crtc || !screen.output)
    why_not_ = "no output of the X server shows anything";
  else if (screen.shown > 1)
    why_not_ = "the X server has several monitors";
  else if (policy == ResizePolicy::automatic && !is_virtual(screen.output->name))
    why_not_ = "it has a monitor; resizing has to be asked for";
  else if (!XRRGetScreenSizeRange(display_, connection_.root(), &least_width, &least_height, &most_width, &most_height))
    why_not_ = "the X server tells no range of sizes";
  if (!why_not_.empty())
    return;
  least_ = {std::max(least_.width, least_width), std::max(least_.height, least_height)};
  most_ = {std::min(most_.width, most_width), std::min(most_.height, most_height)};
  first_mode_ = screen.crtc->mode;
}

ScreenSize DisplaySize::current() const {
  return {DisplayWidth(display_, DefaultScreen(display_)), DisplayHeight(display_, DefaultScreen(display_))};
}

bool DisplaySize::handle(XEvent& event) {
  if (randr_event_ < 0 || event.type != randr_event_ + RRScreenChangeNotify)
    return false;
  XRRUpdateConfiguration(&event);
  return true;
}

RRMode DisplaySize::find_mode(const Screen& screen, ScreenSize size) const {
  for (int i = 0; i < screen.output->nmode; ++i) {
    const XRRModeInfo* mode = screen.mode(screen.output->modes[i]);
    if (mode && ScreenSize{static_cast<int>(mode->width), static_cast<int>(mode->height)} == size)
      return mode->id;
  }
  return None;
}

RRMode DisplaySize::make_mode(Screen& screen, ScreenSize size) {
  const std::string name = kModePrefix + std::to_string(size.width) + "x" + std::to_string(size.height);
  // One that an earlier run left behind.
  for (int i = 0; i < screen.resources->nmode; ++i)
    if (name == screen.resources->modes[i].name)
      forget_mode(screen, screen.resources->modes[i].id);
  XRRModeInfo info = mode_for(size);
  info.name = const_cast<char*>(name.c_str());
  info.nameLength = static_cast<unsigned>(name.size());
  XSync(display_, False);
  connection_.take_error();
  const RRMode mode = XRRCreateMode(display_, connection_.root(), &info);
  if (mode != None)
    XRRAddOutputMode(display_, screen.output_id, mode);
  XSync(display_, False);
  if (connection_.take_error() == 0)
    return mode;
  if (mode != None)
    forget_mode(screen, mode);
  return None;
}

void DisplaySize::forget_mode(Screen& screen, RRMode mode) {
  XRRDeleteOutputMode(display_, screen.output_id, mode);
  XRRDestroyMode(display_, mode);
  XSync(display_, False);
  connection_.take_error();
}

/// The largest that fits, else the smallest there is.
RRMode DisplaySize::nearest_mode(const Screen& screen, ScreenSize size, ScreenSize& found) const {
  RRMode best = None;
  const auto area = [](ScreenSize one) { return static_cast<long>(one.width) * one.height; };
  bool best_fits = false;
  for (int i = 0; i < screen.output->nmode; ++i) {
    const XRRModeInfo* mode = screen.mode(screen.output->modes[i]);
    if (!mode)
      continue;
    const ScreenSize one{static_cast<int>(mode->width), static_cast<int>(mode->height)};
    const bool fits = one.width <= size.width && one.height <= size.height;
    const bool better = best == None || (fits && !best_fits) || (fits == best_fits && (area(one) > area(found)) == fits && area(one) != area(found));
    if (better) {
      best = mode->id;
      best_fits = fits;
      found = one;
    }
  }
  return best;
}

bool DisplaySize::apply(Screen& screen, RRMode mode, ScreenSize size) {
  const double dpi = scale_ == 1 ? first_dpi_ : kDpi * scale_;
  const auto mm = [dpi](int pixels) { return static_cast<int>(std::lround(pixels * kMmPerInch / dpi)); };
  RROutput output = screen.output_id;
  const auto set_crtc = [&](RRMode to, int outputs) {
    return XRRSetCrtcConfig(display_, screen.resources.get(), screen.output->crtc, CurrentTime, 0, 0, to, RR_Rotate_0, &output, outputs) ==
           RRSetConfigSuccess;
  };
  XSync(display_, False);
  connection_.take_error();
  // Programs see the new size at once, not what is between.
  XGrabServer(display_);
  const bool shrinks = static_cast<int>(screen.crtc->width) > size.width || static_cast<int>(screen.crtc->height) > size.height;
  if (shrinks)
    set_crtc(None, 0);
  XRRSetScreenSize(display_, connection_.root(), size.width, size.height, mm(size.width), mm(size.height));
  const bool set = set_crtc(mode, 1);
  XSync(display_, False);
  const bool good = connection_.take_error() == 0 && set;
  if (!good) {
    XRRSetScreenSize(display_, connection_.root(), current().width, current().height, mm(current().width), mm(current().height));
    set_crtc(screen.crtc->mode, 1);
  }
  XUngrabServer(display_);
  XSync(display_, False);
  connection_.take_error();
  return good;
}

DisplaySize::Outcome DisplaySize::set(ScreenSize wish) {
  if (!usable())
    return Outcome::refused;
  ScreenSize size = fitted_size(wish, least_, most_);
  if (size == current())
    return Outcome::unchanged;
  Screen screen(connection_);
  if (!screen.crtc || !screen.output || screen.shown > 1)
    return Outcome::refused;
  Outcome outcome = Outcome::changed;
  const RRMode old = std::exchange(made_mode_, None);
  RRMode mode = find_mode(screen, size);
  if (mode == None)
    mode = made_mode_ = make_mode(screen, size);
  if (mode == None || !apply(screen, mode, size)) {
    outcome = Outcome::nearest;
    ScreenSize near;
    mode = nearest_mode(screen, size, near);
    if (mode == None || near == current() || !apply(screen, mode, near))
      outcome = Outcome::refused;
    if (made_mode_ != None)
      forget_mode(screen, std::exchange(made_mode_, None));
  }
  if (outcome == Outcome::refused) {
    made_mode_ = old;
    return outcome;
  }
  resized_ = true;
  if (old != None && old != made_mode_ && old != mode)
    forget_mode(screen, old);
  return outcome;
}

std::string DisplaySize::resources() const {
  Atom type;
  int format;
  unsigned long count = 0, left;
  unsigned char* data = nullptr;
  std::string text;
  if (XGetWindowProperty(display_, RootWindow(display_, 0), XA_RESOURCE_MANAGER, 0, 1L << 20, False, XA_STRING, &type, &format, &count, &left,
                         &data) == Success &&
      data && format == 8)
    text.assign(reinterpret_cast<const char*>(data), count);
  if (data)
    XFree(data);
  return text;
}

void DisplaySize::set_resources(const std::string& text) {
  XChangeProperty(display_, RootWindow(display_, 0), XA_RESOURCE_MANAGER, XA_STRING, 8, PropModeReplace,
                  reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  XFlush(display_);
}

void DisplaySize::set_scale(double scale) {
  if (scale == scale_ || !usable())
    return;
  scale_ = scale;
  const std::string now = resources();
  if (!first_resources_)
    first_resources_ = {resource_of(now, kDpiName), resource_of(now, kCursorName)};
  set_resources(with_resource(with_resource(now, kDpiName, std::to_string(std::lround(kDpi * scale))), kCursorName,
                              std::to_string(std::lround(kCursorSize * scale))));
}

void DisplaySize::restore() {
  // Others may have changed other lines meanwhile.
  if (const auto first = std::exchange(first_resources_, std::nullopt))
    set_resources(with_resource(with_resource(resources(), kDpiName, first->first), kCursorName, first->second));
  scale_ = 1;
  if (!std::exchange(resized_, false))
    return;
  Screen screen(connection_);
  if (screen.crtc && screen.output && first_mode_ != None)
    apply(screen, first_mode_, first_);
  if (made_mode_ != None)
    forget_mode(screen, std::exchange(made_mode_, None));
}

}  // namespace vitrine
