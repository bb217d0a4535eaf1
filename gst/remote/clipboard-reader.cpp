// SPDX-License-Identifier: LGPL-2.1-or-later
// A selection's requestor (ICCCM 2.0, sections 2.4 to 2.7).
#include "remote/clipboard-reader.h"

#include <X11/Xatom.h>
#include <glib.h>

#include <algorithm>
#include <utility>

namespace vitrine {
namespace {

/// Without a word from the owner.
constexpr int64_t kPatienceUs = 3'000'000;
/// In all: an owner may also answer for ever.
constexpr int64_t kLongestUs = 60'000'000;
constexpr uint64_t kTargetsMax = 4096;

}  // namespace

ClipboardReader::ClipboardReader(X11Connection& connection, const SelectionAtoms& atoms, uint64_t limit, Host host)
    : connection_(connection), display_(connection.display()), atoms_(atoms), limit_(limit), host_(std::move(host)) {}

ClipboardReader::~ClipboardReader() { cancel(); }

void ClipboardReader::cancel() {
  if (window_ != None && connection_.alive())
    XDestroyWindow(display_, window_);
  window_ = None;
  content_.clear();
  piece_.clear();
  wanted_.clear();
}

void ClipboardReader::start(Atom selection, Time time, int64_t now_us) {
  cancel();
  XSetWindowAttributes attributes{};
  attributes.event_mask = PropertyChangeMask;
  window_ = XCreateWindow(display_, connection_.root(), -10, -10, 1, 1, 0, 0, InputOnly, CopyFromParent, CWEventMask, &attributes);
  selection_ = selection;
  time_ = time;
  too_large_ = false;
  began_us_ = now_us;
  ask(atoms_.targets, now_us);
}

void ClipboardReader::ask(Atom target, int64_t now_us) {
  target_ = target;
  incremental_ = false;
  piece_.clear();
  last_us_ = now_us;
  XConvertSelection(display_, selection_, target, atoms_.property, window_, time_);
  XFlush(display_);
}

void ClipboardReader::choose(const std::vector<Atom>& offered) {
  const auto has = [&](Atom atom) { return std::find(offered.begin(), offered.end(), atom) != offered.end(); };
  if (has(atoms_.image_png))
    wanted_.push_back(atoms_.image_png);
  if (has(atoms_.text_html))
    wanted_.push_back(atoms_.text_html);
  for (const Atom text : {atoms_.utf8_string, atoms_.text_plain_utf8, atoms_.string, atoms_.text_plain})
    if (has(text)) {
      wanted_.push_back(text);
      break;
    }
}

void ClipboardReader::next(int64_t now_us) {
  if (wanted_.empty()) {
    finish();
    return;
  }
  const Atom target = wanted_.back();
  wanted_.pop_back();
  ask(target, now_us);
}

bool ClipboardReader::take_property(uint64_t most, Atom& type, int& format, std::string& data, bool& too_long) {
  unsigned long count = 0, left = 0;
  unsigned char* bytes = nullptr;
  too_long = false;
  data.clear();
  if (XGetWindowProperty(display_, window_, atoms_.property, 0, static_cast<long>(most / 4 + 1), False, AnyPropertyType, &type, &format,
                         &count, &left, &bytes) != Success)
    return false;
  const bool there = type != None;
  // Longs in memory are wider than on the wire; only lists of atoms and sizes come so, and they are read as they are.
  const uint64_t size = format == 32 ? count * sizeof(long) : format == 16 ? count * sizeof(short) : count;
  too_long = left > 0 || (format == 8 && size > most);
  if (there && !too_long && bytes)
    data.assign(reinterpret_cast<const char*>(bytes), size);
  if (bytes)
    XFree(bytes);
  XDeleteProperty(display_, window_, atoms_.property);
  XFlush(display_);
  return there;
}

void ClipboardReader::on_answer(const XSelectionEvent& event, int64_t now_us) {
  last_us_ = now_us;
  Atom type = None;
  int format = 0;
  bool too_long = false;
  std::string data;
  const uint64_t most = target_ == atoms_.targets ? kTargetsMax : room();
  const bool there = event.property != None && take_property(most, type, format, data, too_long);
  if (target_ == atoms_.targets) {
    std::vector<Atom> offered;
    if (there && format == 32 && !too_long) {
      const auto* atoms = reinterpret_cast<const unsigned long*>(data.data());
      offered.assign(atoms, atoms + data.size() / sizeof(unsigned long));
      choose(offered);
    } else {
      // Old programs give text without saying so.
      wanted_ = {atoms_.string, atoms_.utf8_string};
    }
    next(now_us);
    return;
  }
  if (there && type == atoms_.incr) {
    incremental_ = true;  // deleting the property, done above, begins it
    return;
  }
  if (too_long)
    too_large_ = true;
  if (there && !too_long && format == 8) {
    piece_ = std::move(data);
    finish_item();
  }
  next(now_us);
}

/// One piece of an INCR transfer.
void ClipboardReader::on_piece(int64_t now_us) {
  last_us_ = now_us;
  Atom type = None;
  int format = 0;
  bool too_long = false;
  std::string data;
  if (!take_property(room(), type, format, data, too_long))
    return;
  if (too_long || format != 8) {
    too_large_ = too_large_ || too_long;
    // The owner goes on to nobody: only a new window is sure not to hear it.
    const auto kept = std::exchange(content_, {});
    const auto wanted = std::exchange(wanted_, {});
    const bool too_large = too_large_;
    const int64_t began_us = began_us_;
    start(selection_, time_, now_us);
    content_ = kept;
    wanted_ = wanted;
    too_large_ = too_large;
    began_us_ = began_us;
    next(now_us);
    return;
  }
  if (!data.empty()) {
    piece_ += data;
    return;
  }
  finish_item();
  next(now_us);
}

uint64_t ClipboardReader::room() const { return limit_ - content_size(content_) - piece_.size(); }

/// Text may have grown on its way to UTF-8.
void ClipboardReader::keep(const char* type, std::string data) {
  if (data.size() > limit_ - content_size(content_))
    too_large_ = true;
  else
    content_.push_back({type, std::move(data)});
}

void ClipboardReader::finish_item() {
  if (target_ == atoms_.image_png) {
    if (piece_.starts_with("\x89PNG\r\n\x1a\n"))
      keep(kPngType, std::move(piece_));
  } else if (target_ == atoms_.text_html) {
    keep(kHtmlType, clean_text(std::move(piece_)));
  } else {
    const bool latin1 = target_ == atoms_.string || (target_ == atoms_.text_plain && !g_utf8_validate(piece_.data(), static_cast<gssize>(piece_.size()), nullptr));
    const bool have = std::any_of(content_.begin(), content_.end(), [](const ClipboardItem& item) { return item.type == kTextType; });
    if (!have)
      keep(kTextType, clean_text(latin1 ? utf8_from_latin1(piece_) : std::move(piece_)));
  }
  piece_.clear();
}

void ClipboardReader::fail(Failure failure) {
  cancel();
  host_.failed(failure);
}

void ClipboardReader::finish() {
  ClipboardContent content = std::exchange(content_, {});
  std::erase_if(content, [](const ClipboardItem& item) { return item.data.empty(); });
  if (content.empty()) {
    fail(too_large_ ? Failure::too_large : Failure::unreadable);
    return;
  }
  cancel();
  host_.done(std::move(content));
}

bool ClipboardReader::handle(const XEvent& event, int64_t now_us) {
  if (window_ == None)
    return false;
  if (event.type == SelectionNotify && event.xselection.requestor == window_) {
    if (event.xselection.target == target_ && event.xselection.selection == selection_ && !incremental_)
      on_answer(event.xselection, now_us);
    return true;
  }
  if (event.type == PropertyNotify && event.xproperty.window == window_) {
    if (incremental_ && event.xproperty.state == PropertyNewValue && event.xproperty.atom == atoms_.property)
      on_piece(now_us);
    return true;
  }
  return false;
}

int64_t ClipboardReader::deadline_us() const {
  return reading() ? std::min(last_us_ + kPatienceUs, began_us_ + kLongestUs) : INT64_MAX;
}

void ClipboardReader::tick(int64_t now_us) {
  if (!reading() || now_us < deadline_us())
    return;
  // What has come so far is worth having.
  if (!content_.empty())
    finish();
  else
    fail(Failure::timeout);
}

}  // namespace vitrine
