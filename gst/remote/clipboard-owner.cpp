// SPDX-License-Identifier: LGPL-2.1-or-later
// A selection's owner (ICCCM 2.0, sections 2.1 to 2.7).
#include "remote/clipboard-owner.h"

#include <X11/Xatom.h>

#include <algorithm>

namespace vitrine {
namespace {

constexpr int64_t kPatienceUs = 10'000'000;
constexpr size_t kOutgoingMax = 16;
constexpr unsigned long kPairsMax = 32;

const unsigned char* bytes_of(const std::string& data) { return reinterpret_cast<const unsigned char*>(data.data()); }

}  // namespace

ClipboardOwner::ClipboardOwner(X11Connection& connection, const SelectionAtoms& atoms, bool primary)
    : connection_(connection), display_(connection.display()), atoms_(atoms), primary_(primary) {
  XSetWindowAttributes attributes{};
  attributes.event_mask = PropertyChangeMask;
  window_ = XCreateWindow(display_, connection.root(), -10, -10, 1, 1, 0, 0, InputOnly, CopyFromParent, CWEventMask, &attributes);
}

ClipboardOwner::~ClipboardOwner() {
  if (connection_.alive())
    XDestroyWindow(display_, window_);
}

void ClipboardOwner::offer(std::shared_ptr<const ClipboardContent> content) {
  content_ = std::move(content);
  // The server's time comes with the event that this makes.
  XChangeProperty(display_, window_, atoms_.timestamp, XA_INTEGER, 32, PropModeReplace, nullptr, 0);
  XFlush(display_);
}

const std::string* ClipboardOwner::find(const char* type) const {
  for (const auto& item : *content_)
    if (item.type == type)
      return &item.data;
  return nullptr;
}

std::vector<Atom> ClipboardOwner::targets() const {
  std::vector<Atom> list = {atoms_.targets, atoms_.timestamp, atoms_.multiple};
  if (find(kPngType))
    list.push_back(atoms_.image_png);
  if (find(kHtmlType))
    list.push_back(atoms_.text_html);
  if (find(kTextType))
    list.insert(list.end(), {atoms_.utf8_string, atoms_.text_plain_utf8, atoms_.text_plain, atoms_.text, atoms_.string});
  return list;
}

std::optional<ClipboardOwner::Answer> ClipboardOwner::answer(Atom target) const {
  const auto whole = [this](const char* type, Atom as) -> std::optional<Answer> {
    if (const std::string* data = find(type))
      return Answer{as, std::shared_ptr<const std::string>(content_, data)};
    return std::nullopt;
  };
  if (target == atoms_.image_png)
    return whole(kPngType, target);
  if (target == atoms_.text_html)
    return whole(kHtmlType, target);
  if (target == atoms_.utf8_string || target == atoms_.text_plain_utf8 || target == atoms_.text_plain)
    return whole(kTextType, target);
  if (target == atoms_.text)
    return whole(kTextType, atoms_.utf8_string);
  if (const std::string* text = target == atoms_.string ? find(kTextType) : nullptr)
    return Answer{target, std::make_shared<const std::string>(latin1_from_utf8(*text))};
  return std::nullopt;
}

bool ClipboardOwner::serve(Window requestor, Atom property, Atom target, int64_t now_us) {
  if (target == atoms_.targets) {
    const auto list = targets();
    XChangeProperty(display_, requestor, property, XA_ATOM, 32, PropModeReplace, reinterpret_cast<const unsigned char*>(list.data()),
                    static_cast<int>(list.size()));
    return true;
  }
  if (target == atoms_.timestamp) {
    const long time = static_cast<long>(since_);
    XChangeProperty(display_, requestor, property, XA_INTEGER, 32, PropModeReplace, reinterpret_cast<const unsigned char*>(&time), 1);
    return true;
  }
  const auto given = answer(target);
  if (!given)
    return false;
  if (given->data->size() <= kSelectionPiece) {
    XChangeProperty(display_, requestor, property, given->type, 8, PropModeReplace, bytes_of(*given->data),
                    static_cast<int>(given->data->size()));
    return true;
  }
  if (outgoing_.size() >= kOutgoingMax)
    return false;
  std::erase_if(outgoing_, [&](const Outgoing& one) { return one.requestor == requestor && one.property == property; });
  outgoing_.push_back({requestor, property, given->type, content_, given->data, 0, now_us});
  XSelectInput(display_, requestor, PropertyChangeMask | StructureNotifyMask);
  const long size = static_cast<long>(given->data->size());
  XChangeProperty(display_, requestor, property, atoms_.incr, 32, PropModeReplace, reinterpret_cast<const unsigned char*>(&size), 1);
  return true;
}

/// Pairs of target and property; of those that cannot be served the property becomes None.
void ClipboardOwner::serve_multiple(const XSelectionRequestEvent& request, Atom property, int64_t now_us) {
  Atom type;
  int format;
  unsigned long count, left;
  unsigned char* data = nullptr;
  if (XGetWindowProperty(display_, request.requestor, property, 0, 2 * kPairsMax, False, AnyPropertyType, &type, &format, &count, &left,
                         &data) != Success ||
      !data)
    return;
  const std::unique_ptr<unsigned char, decltype(&XFree)> owned(data, XFree);
  if (format != 32)
    return;
  auto* pairs = reinterpret_cast<unsigned long*>(data);
  for (unsigned long i = 0; i + 1 < count; i += 2)
    if (pairs[i] == atoms_.multiple || pairs[i + 1] == None || !serve(request.requestor, pairs[i + 1], pairs[i], now_us))
      pairs[i + 1] = None;
  XChangeProperty(display_, request.requestor, property, atoms_.atom_pair, 32, PropModeReplace, data, static_cast<int>(count));
}

void ClipboardOwner::on_request(const XSelectionRequestEvent& request, int64_t now_us) {
  XSelectionEvent reply{};
  reply.type = SelectionNotify;
  reply.requestor = request.requestor;
  reply.selection = request.selection;
  reply.target = request.target;
  reply.time = request.time;
  // Obsolete clients name no property.
  const Atom property = request.property ? request.property : request.target;
  if (content_ && request.requestor != window_) {
    if (request.target == atoms_.multiple && request.property) {
      serve_multiple(request, property, now_us);
      reply.property = property;
    } else if (serve(request.requestor, property, request.target, now_us)) {
      reply.property = property;
    }
  }
  XEvent event{};
  event.xselection = reply;
  XSendEvent(display_, request.requestor, False, NoEventMask, &event);
  XFlush(display_);
}

void ClipboardOwner::unwatch(Window requestor) {
  const bool used = std::any_of(outgoing_.begin(), outgoing_.end(), [&](const Outgoing& one) { return one.requestor == requestor; });
  if (!used)
    XSelectInput(display_, requestor, NoEventMask);
}

/// The requestor took a piece: the next one, or an empty one at the end.
bool ClipboardOwner::on_deleted(const XPropertyEvent& event, int64_t now_us) {
  const auto found = std::find_if(outgoing_.begin(), outgoing_.end(), [&](const Outgoing& one) {
    return one.requestor == event.window && one.property == event.atom;
  });
  if (found == outgoing_.end())
    return false;
  const size_t size = std::min(kSelectionPiece, found->data->size() - found->sent);
  XChangeProperty(display_, found->requestor, found->property, found->type, 8, PropModeReplace, bytes_of(*found->data) + found->sent,
                  static_cast<int>(size));
  found->sent += size;
  found->last_us = now_us;
  if (size == 0) {
    const Window requestor = found->requestor;
    outgoing_.erase(found);
    unwatch(requestor);
  }
  XFlush(display_);
  return true;
}

bool ClipboardOwner::handle(const XEvent& event, int64_t now_us) {
  switch (event.type) {
    case SelectionRequest:
      if (event.xselectionrequest.owner != window_)
        return false;
      on_request(event.xselectionrequest, now_us);
      return true;
    case SelectionClear:
      return event.xselectionclear.window == window_;
    case PropertyNotify:
      if (event.xproperty.window == window_ && event.xproperty.atom == atoms_.timestamp) {
        since_ = event.xproperty.time;
        XSetSelectionOwner(display_, atoms_.clipboard, window_, since_);
        if (primary_)
          XSetSelectionOwner(display_, XA_PRIMARY, window_, since_);
        XFlush(display_);
        return true;
      }
      return event.xproperty.state == PropertyDelete && on_deleted(event.xproperty, now_us);
    case DestroyNotify:
      return std::erase_if(outgoing_, [&](const Outgoing& one) { return one.requestor == event.xdestroywindow.window; }) > 0;
    default:
      return false;
  }
}

int64_t ClipboardOwner::deadline_us() const {
  int64_t first = INT64_MAX;
  for (const auto& one : outgoing_)
    first = std::min(first, one.last_us + kPatienceUs);
  return first;
}

void ClipboardOwner::tick(int64_t now_us) {
  std::vector<Window> dropped;
  std::erase_if(outgoing_, [&](const Outgoing& one) {
    const bool late = now_us - one.last_us >= kPatienceUs;
    if (late)
      dropped.push_back(one.requestor);
    return late;
  });
  timeouts_ += dropped.size();
  for (const Window requestor : dropped)
    unwatch(requestor);
}

}  // namespace vitrine
