// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread of x11desktop: events, messages and deadlines.
#include "remote/desktop-session.h"

#include <X11/extensions/Xfixes.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <bit>

#include "common/json-object.h"

namespace vitrine {
namespace {

constexpr size_t kInboxBytes = 4 << 20;


int64_t now() { return g_get_monotonic_time(); }

}  // namespace

std::unique_ptr<DesktopSession> DesktopSession::open(const DesktopSettings& settings, DesktopCounters& counters, Host host,
                                                     OpenError& error) {
  auto connection = X11Connection::open(settings.display_name);
  if (!connection) {
    error = OpenError::display;
    return nullptr;
  }
  int fixes_event, fixes_error, major = 5, minor = 0;
  if (!XFixesQueryExtension(connection->display(), &fixes_event, &fixes_error) ||
      !XFixesQueryVersion(connection->display(), &major, &minor) || major < 2) {
    error = OpenError::xfixes;
    return nullptr;
  }
  error = OpenError::none;
  return std::unique_ptr<DesktopSession>(new DesktopSession(std::move(connection), fixes_event, settings, counters, std::move(host)));
}

DesktopSession::DesktopSession(std::unique_ptr<X11Connection> connection, int fixes_event, const DesktopSettings& settings,
                               DesktopCounters& counters, Host host)
    : settings_(settings),
      counters_(counters),
      host_(std::move(host)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      connection_(std::move(connection)),
      fixes_event_(fixes_event),
      atoms_(connection_->display()) {
  if (takes() || gives())
    owner_ = std::make_unique<ClipboardOwner>(*connection_, atoms_, settings_.primary && takes());
  if (gives()) {
    ClipboardReader::Host reader;
    reader.done = [this](ClipboardContent content) {
      content_ = std::make_shared<const ClipboardContent>(std::move(content));
      send_clipboard(now());
    };
    reader.failed = [this](ClipboardReader::Failure failure) {
      if (failure == ClipboardReader::Failure::timeout)
        ++counters_.clipboard_timeouts;
      const char* reason = failure == ClipboardReader::Failure::timeout     ? "timeout"
                           : failure == ClipboardReader::Failure::too_large ? "too-large"
                                                                            : "format";
      refuse_clipboard(0, reason);
    };
    reader_ = std::make_unique<ClipboardReader>(*connection_, atoms_, settings_.clipboard_limit, std::move(reader));
    const unsigned long mask = XFixesSetSelectionOwnerNotifyMask;
    XFixesSelectSelectionInput(connection_->display(), owner_->window(), atoms_.clipboard, mask);
    if (settings_.primary)
      XFixesSelectSelectionInput(connection_->display(), owner_->window(), XInternAtom(connection_->display(), "PRIMARY", False), mask);
  }
  if (settings_.cursor)
    cursor_ = std::make_unique<CursorWatcher>(*connection_, fixes_event);
  display_size_ = std::make_unique<DisplaySize>(*connection_, settings_.resize, settings_.most);
  if (!display_size_->usable() && settings_.resize == ResizePolicy::on)
    host_.warn("the size of the screen stays: " + display_size_->why_not());
  if (settings_.first.width > 0 && settings_.first.height > 0 && display_size_->usable() &&
      display_size_->set(settings_.first) == DisplaySize::Outcome::refused)
    refuse("the X server refused the size to start with");
  width_ = display_size_->current().width;
  height_ = display_size_->current().height;
  XFlush(connection_->display());
  thread_ = std::thread([this] { run(); });
}

DesktopSession::~DesktopSession() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

void DesktopSession::push(std::string message) {
  {
    MutexLock lock(mutex_);
    if (inbox_bytes_ + message.size() > kInboxBytes) {
      ++counters_.overflows;
      return;
    }
    inbox_bytes_ += message.size();
    inbox_.push_back(std::move(message));
  }
  eventfd_write(wake_.get(), 1);
}

void DesktopSession::refuse(const std::string& what) {
  ++counters_.refused;
  // Whoever sends nonsense does not fill the log.
  if (std::has_single_bit(++warned_))
    host_.warn(what + " (" + std::to_string(warned_) + " refusals so far)");
}

void DesktopSession::run() {
  host_.send(R"({"type":"desktop/ready"})");
  send_state();
  while (connection_->alive()) {
    take_events(now());
    if (!take_messages(now()))
      break;
    due(now());
    if (!connection_->alive())
      break;
    XFlush(connection_->display());
    // Replies above may have read events into Xlib's queue.
    if (XEventsQueued(connection_->display(), QueuedAlready) > 0)
      continue;
    pollfd waiting[] = {{wake_.get(), POLLIN, 0}, {connection_->fd(), POLLIN, 0}};
    poll(waiting, 2, wait_ms(now()));
    eventfd_t count;
    eventfd_read(wake_.get(), &count);
  }
  const bool lost = !connection_->alive();
  // Before the connection goes, on the thread that used it.
  display_size_.reset();
  reader_.reset();
  owner_.reset();
  cursor_.reset();
  connection_.reset();
  if (lost)
    host_.display_lost();
}

void DesktopSession::take_events(int64_t now_us) {
  while (connection_->alive() && XPending(connection_->display()) > 0) {
    XEvent event;
    XNextEvent(connection_->display(), &event);
    handle(event, now_us);
  }
  connection_->take_error();
}

/// False when it is time to stop.
bool DesktopSession::take_messages(int64_t now_us) {
  std::deque<std::string> messages;
  {
    MutexLock lock(mutex_);
    if (stopping_)
      return false;
    messages.swap(inbox_);
    inbox_bytes_ = 0;
  }
  for (const auto& text : messages) {
    ++counters_.messages;
    std::string error;
    const auto parsed = parse_desktop_message(text, error);
    if (parsed)
      handle(*parsed, now_us);
    else
      refuse("refused a message: " + error);
  }
  return true;
}

void DesktopSession::handle(XEvent& event, int64_t now_us) {
  if (event.type == fixes_event_ + XFixesSelectionNotify) {
    const auto& notify = reinterpret_cast<XFixesSelectionNotifyEvent&>(event);
    // What we own ourselves came from the viewer and does not go back.
    if (reader_ && notify.owner != None && notify.owner != owner_->window()) {
      changed_selection_ = notify.selection;
      changed_time_ = notify.selection_timestamp;
      schedule_read(now_us);
    } else if (reader_) {
      reader_->cancel();
      read_us_ = INT64_MAX;
    }
  } else if (display_size_->handle(event)) {
    tell_size();
  } else if (!(cursor_ && cursor_->handle(event)) && !(reader_ && reader_->handle(event, now_us)) && owner_) {
    owner_->handle(event, now_us);
  }
}

void DesktopSession::handle(const ParsedDesktopMessage& parsed, int64_t now_us) {
  if (const auto* state = std::get_if<SessionState>(&parsed.message)) {
    handle(*state);
    return;
  }
  // Only the holder's messages come through; this one may have been on its way when control passed on.
  if (parsed.from.empty() || parsed.from != holder_)
    return;
  if (const auto* wish = std::get_if<SizeWish>(&parsed.message))
    wish_ = *wish;
  else if (const auto* begin = std::get_if<ClipboardBegin>(&parsed.message))
    handle(*begin, now_us);
  else if (const auto* data = std::get_if<ClipboardData>(&parsed.message))
    handle(*data, now_us);
  else if (const auto* ack = std::get_if<ClipboardAck>(&parsed.message)) {
    if (sender_ && ack->id == sender_->id() && !sender_->ack(ack->received, now_us))
      refuse("refused an acknowledgement of what was not sent");
  } else if (const auto* refused = std::get_if<ClipboardRefused>(&parsed.message)) {
    if (sender_ && refused->id == sender_->id())
      sender_.reset();
  } else if (std::holds_alternative<ClipboardGet>(parsed.message)) {
    if (gives())
      send_clipboard(now_us);
  }
}

void DesktopSession::handle(const SessionState& state) {
  if (state.holder != holder_) {
    holder_ = state.holder;
    receiver_.drop();
    sender_.reset();
    wish_.reset();
  }
  const bool newcomers = std::any_of(state.viewers.begin(), state.viewers.end(), [this](const std::string& viewer) {
    return std::find(viewers_.begin(), viewers_.end(), viewer) == viewers_.end();
  });
  const bool was_watched = watched();
  viewers_ = state.viewers;
  if (cursor_ && watched() != was_watched)
    cursor_->follow_motion(watched());
  if (!newcomers)
    return;
  // All get it again: that is cheaper than to remember who has what.
  send_state();
  cursor_cache_.forget();
  if (shape_)
    host_.send(cursor_message(*shape_, cursor_cache_.must_send(shape_->id())));
}

void DesktopSession::to_holder(const std::string& type, const std::string& members) {
  if (!holder_.empty())
    host_.send("{\"type\":\"" + type + "\",\"to\":" + json_string(holder_) + members + "}");
}

void DesktopSession::send_state() {
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  constexpr const char* kWays[] = {"off", "in", "out", "both"};
  const ScreenSize size = display_size_->current(), most = display_size_->usable() ? display_size_->most() : size;
  host_.send("{\"type\":\"desktop/state\",\"clipboard\":\"" + std::string(kWays[static_cast<int>(settings_.clipboard)]) +
             "\",\"clipboardLimit\":" + std::to_string(settings_.clipboard_limit) + ",\"cursor\":" + flag(settings_.cursor) + ",\"resize\":" + flag(display_size_->usable()) + ",\"run\":" + std::to_string(run_) + ",\"width\":" + std::to_string(size.width) + ",\"height\":" +
             std::to_string(size.height) + ",\"maxWidth\":" + std::to_string(most.width) + ",\"maxHeight\":" + std::to_string(most.height) + "}");
}

void DesktopSession::tell_size() {
  const ScreenSize size = display_size_->current();
  const bool changed = width_.exchange(size.width) != size.width;
  if (height_.exchange(size.height) != size.height || changed)
    send_state();
}

void DesktopSession::resize(int64_t now_us) {
  const SizeWish wish = *wish_;
  wish_.reset();
  resized_us_ = now_us;
  display_size_->set_scale(wish.scale);
  const auto outcome = display_size_->set({wish.width, wish.height});
  if (outcome == DisplaySize::Outcome::changed)
    ++counters_.resizes;
  if (outcome != DisplaySize::Outcome::refused && outcome != DisplaySize::Outcome::nearest)
    return;
  ++counters_.resizes_refused;
  refuse("the X server refused the size " + std::to_string(wish.width) + "x" + std::to_string(wish.height) +
         (display_size_->usable() ? "" : ": " + display_size_->why_not()));
  send_state();
}

}  // namespace vitrine
