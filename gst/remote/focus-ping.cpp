// SPDX-License-Identifier: LGPL-2.1-or-later
// The ping goes to the focused window or the nearest one above it that takes pings; the answer comes to the root window.
#include "remote/focus-ping.h"

#include <X11/Xatom.h>
#include <poll.h>

#include <algorithm>

namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;

struct Expected {
  Atom protocols, ping;
  Window root;
  long stamp;
};

Bool is_answer(Display*, XEvent* event, XPointer data) {
  const auto& expected = *reinterpret_cast<const Expected*>(data);
  return event->type == ClientMessage && event->xclient.message_type == expected.protocols && event->xclient.format == 32 &&
         event->xclient.window == expected.root && static_cast<Atom>(event->xclient.data.l[0]) == expected.ping &&
         event->xclient.data.l[1] == expected.stamp;
}

}  // namespace

FocusPing::FocusPing(Display* display)
    : display_(display),
      protocols_(XInternAtom(display, "WM_PROTOCOLS", False)),
      ping_(XInternAtom(display, "_NET_WM_PING", False)) {}

bool FocusPing::takes_pings(Window window) const {
  Atom type = 0L;
  int format = 0;
  unsigned long count = 0, rest = 0;
  unsigned char* data = nullptr;
  if (XGetWindowProperty(display_, window, protocols_, 0, 64, False, XA_ATOM, &type, &format, &count, &rest, &data) != Success)
    return false;
  const auto* atoms = reinterpret_cast<const Atom*>(data);
  const bool found = data && type == XA_ATOM && format == 32 && std::find(atoms, atoms + count, ping_) != atoms + count;
  if (data)
    XFree(data);
  return found;
}

Window FocusPing::find_target() const {
  Window window = 0L;
  int revert;
  XGetInputFocus(display_, &window, &revert);
  const Window root = DefaultRootWindow(display_);
  if (window == static_cast<Window>(PointerRoot)) {
    Window ignored;
    int x, y;
    unsigned mask;
    if (!XQueryPointer(display_, root, &ignored, &window, &x, &y, &x, &y, &mask))
      return 0;
  }
  constexpr int kDeepest = 32;
  for (int depth = 0; depth < kDeepest && window && window != root; ++depth) {
    if (takes_pings(window))
      return window;
    Window above = 0L, ignored, *children = nullptr;
    unsigned count;
    if (!XQueryTree(display_, window, &ignored, &above, &children, &count))
      return 0;
    if (children)
      XFree(children);
    window = above;
  }
  return 0;
}

FocusPing::Answer FocusPing::ask(std::chrono::milliseconds patience) {
  const Window target = find_target();
  if (!target)
    return Answer::cannot;
  const Window root = DefaultRootWindow(display_);
  XWindowAttributes attributes;
  if (!XGetWindowAttributes(display_, root, &attributes))
    return Answer::cannot;
  XSelectInput(display_, root, attributes.your_event_mask | SubstructureNotifyMask);
  // The stamp tells this ping's answer from a window manager's; it is a time for others.
  const Expected expected{protocols_, ping_, root, static_cast<long>(0x7f000000u | (++count_ & 0xffffffu))};
  XEvent event{};
  event.xclient.type = ClientMessage;
  event.xclient.window = target;
  event.xclient.message_type = protocols_;
  event.xclient.format = 32;
  event.xclient.data.l[0] = static_cast<long>(ping_);
  event.xclient.data.l[1] = expected.stamp;
  event.xclient.data.l[2] = static_cast<long>(target);
  XSendEvent(display_, target, False, NoEventMask, &event);
  XFlush(display_);
  Answer answer = Answer::silent;
  for (const auto end = Clock::now() + patience; answer == Answer::silent;) {
    XEvent found;
    if (XCheckIfEvent(display_, &found, is_answer, reinterpret_cast<XPointer>(const_cast<Expected*>(&expected)))) {
      answer = Answer::answered;
      break;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd waiting{ConnectionNumber(display_), POLLIN, 0};
    if (left <= 0 || (poll(&waiting, 1, static_cast<int>(left)) > 0 && waiting.revents & (POLLERR | POLLHUP)))
      break;
  }
  XSelectInput(display_, root, attributes.your_event_mask);
  return answer;
}

}  // namespace vitrine
