// SPDX-License-Identifier: LGPL-2.1-or-later
// Windows by id or name, and their pixmaps by Composite.
#include "capture/capture-target.h"

#include <X11/Xutil.h>
#include <X11/extensions/Xcomposite.h>

#include <cstdio>
#include <vector>

namespace vitrine {
namespace {

/// The first window of that name in the tree under `top`, breadth first; 0 if there is none.
Window find_by_name(Display* display, Window top, const std::string& name) {
  std::vector<Window> level{top};
  while (!level.empty()) {
    std::vector<Window> next;
    for (Window window : level) {
      char* title = nullptr;
      const bool match = XFetchName(display, window, &title) && title && name == title;
      if (title)
        XFree(title);
      if (match)
        return window;
      Window root;
      Window parent;
      Window* children = nullptr;
      unsigned int count = 0;
      if (XQueryTree(display, window, &root, &parent, &children, &count) && children) {
        next.insert(next.end(), children, children + count);
        XFree(children);
      }
    }
    level = std::move(next);
  }
  return 0;
}

std::string hex(Window window) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%lx", window);
  return text;
}

}  // namespace

std::unique_ptr<CaptureTarget> CaptureTarget::find(X11Connection& connection, Window xid,
                                                   const std::string& name, std::string* error) {
  Display* display = connection.display();
  Window window = xid;
  std::string what = "window " + hex(xid);
  if (!window && !name.empty()) {
    window = find_by_name(display, connection.root(), name);
    what = "window named \"" + name + "\"";
    if (!window) {
      *error = "there is no " + what;
      return nullptr;
    }
  }
  if (!window)
    window = connection.root();
  std::unique_ptr<CaptureTarget> target(new CaptureTarget(connection, window));
  connection.take_error();
  int event_base;
  int error_base;
  int major = 0;
  int minor = 4;
  if (!target->is_root() && XCompositeQueryExtension(display, &event_base, &error_base) &&
      XCompositeQueryVersion(display, &major, &minor) && (major > 0 || minor >= 2)) {
    XCompositeRedirectWindow(display, window, CompositeRedirectAutomatic);
    XSync(display, False);
    target->redirected_ = connection.take_error() == 0;
  }
  if (!target->refresh()) {
    *error = "there is no " + what + " on the screen";
    return nullptr;
  }
  return target;
}

CaptureTarget::~CaptureTarget() {
  if (!connection_.alive())
    return;
  if (pixmap_)
    XFreePixmap(connection_.display(), pixmap_);
  if (redirected_)
    XCompositeUnredirectWindow(connection_.display(), window_, CompositeRedirectAutomatic);
  XSync(connection_.display(), False);  // a window that is gone: its error belongs here
  connection_.take_error();
}

bool CaptureTarget::refresh() {
  Display* display = connection_.display();
  XWindowAttributes attributes;
  connection_.take_error();
  if (!XGetWindowAttributes(display, window_, &attributes)) {
    connection_.take_error();
    return false;
  }
  if (redirected_) {
    const Pixmap named =
        attributes.map_state == IsViewable ? XCompositeNameWindowPixmap(display, window_) : 0;
    XSync(display, False);
    if (named && connection_.take_error() == 0) {
      if (pixmap_)
        XFreePixmap(display, pixmap_);
      pixmap_ = named;
      offset_ = attributes.border_width;
    } else {
      return pixmap_ != 0;  // hidden: the last pixmap stays as it was, in its old size
    }
  } else if (attributes.map_state != IsViewable) {
    return !size_.empty();
  }
  size_ = {attributes.width, attributes.height};
  return true;
}

}  // namespace vitrine
