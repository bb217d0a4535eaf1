// SPDX-License-Identifier: LGPL-2.1-or-later
// Playing what comes, refusing what is malformed, watching.
#include "remote/input-sink-body.h"
#include "common/text.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <bit>
#include <utility>

GST_DEBUG_CATEGORY_EXTERN(x11inputsink_debug);
#define GST_CAT_DEFAULT x11inputsink_debug

namespace vitrine {

InputSinkBody::InputSinkBody(GstElement* element) : element_(element), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void InputSinkBody::report_unusable(XTestInjector::OpenError error, const std::string& name) {
  const std::string shown = X11Connection::display_name_for(name);
  switch (error) {
    case XTestInjector::OpenError::none:
      break;
    case XTestInjector::OpenError::display:
      if (shown.empty())
        GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND,
                          (_("No X display to send input to: set $DISPLAY or the property display-name")), (nullptr));
      else
        GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_WRITE,
                          (_("Cannot open X display \"%s\": is its server running, and may this user connect to it?"), shown.c_str()),
                          ("display-name is %s", name.empty() ? "not set, $DISPLAY is used" : "set"));
      break;
    case XTestInjector::OpenError::xtest:
      GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND,
                        (_("X display \"%s\" takes no input: start its server with the XTEST extension"), shown.c_str()), (nullptr));
      break;
    case XTestInjector::OpenError::xkb:
      GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND,
                        (_("X display \"%s\" tells no keymap: start its server with the XKEYBOARD extension"), shown.c_str()),
                        (nullptr));
      break;
  }
}

bool InputSinkBody::start(const InputSinkSettings& settings) {
  XTestInjector::OpenError error;
  auto injector = XTestInjector::open(settings.display_name, error);
  if (!injector) {
    report_unusable(error, settings.display_name);
    return false;
  }
  if (settings.repeat != Repeat::server)
    injector->take_over_repeat();
  layout_ = std::make_unique<LayoutSetter>(injector->display());
  GST_INFO_OBJECT(element_, "input goes to X display %s, %dx%d, room for %zu more characters", injector->display_name().c_str(),
                  injector->width(), injector->height(), injector->keymap().spares().size());
  MutexLock lock(mutex_);
  player_ = std::make_unique<InputPlayer>(*injector, settings.key_mode, settings.repeat == Repeat::sink);
  injector_ = std::move(injector);
  release_timeout_ = std::chrono::milliseconds(settings.release_timeout_ms);
  follow_layout_ = settings.follow_layout;
  stream_.clear();
  keyboard_.reset();
  stopping_ = false;
  batches_ = refused_ = timeouts_ = layouts_ = 0;
  watcher_ = std::thread([this] { watch(); });
  return true;
}

void InputSinkBody::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake();
  if (watcher_.joinable())
    watcher_.join();
  MutexLock lock(mutex_);
  if (!injector_)
    return;
  injector_->update();
  if (injector_->alive())
    player_->release_all();
  const bool alive = injector_->alive();
  last_run_ = player_->statistics();
  player_.reset();
  injector_.reset();
  if (alive)
    layout_->restore();
}

void InputSinkBody::wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

/// Called after each use of the display, on the thread that used it: only that one may close a display that was lost.
std::optional<std::string> InputSinkBody::drop_lost_display() {
  if (!injector_ || injector_->alive())
    return std::nullopt;
  std::string name = injector_->display_name();
  last_run_ = player_->statistics();
  player_.reset();
  injector_.reset();
  return name;
}

void InputSinkBody::report_lost(const std::string& name) {
  GST_ELEMENT_ERROR(element_, RESOURCE, WRITE, (_("Lost the connection to X display \"%s\""), name.c_str()),
                    ("its server has ended or has closed the connection"));
}

/// Returns how many milliseconds to wait before it should be asked again, -1 for ever.
int InputSinkBody::release_if_silent() {
  if (!player_->holds_anything() || release_timeout_.count() == 0)
    return -1;
  const auto left = last_record_ + release_timeout_ - Clock::now();
  if (left > Clock::duration::zero()) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::min<int64_t>(ms, G_MAXINT));
  }
  GST_INFO_OBJECT(element_, "the viewer fell silent: releasing what it holds");
  ++timeouts_;
  player_->release_all();
  return -1;
}

void InputSinkBody::watch() {
  for (;;) {
    MutexLock lock(mutex_);
    if (stopping_)
      return;
    int timeout = -1, display_fd = -1;
    if (injector_) {
      injector_->update();
      if (injector_->alive())
        timeout = release_if_silent();
      if (const auto lost = drop_lost_display()) {
        lock.unlock();
        report_lost(*lost);
        continue;
      }
      display_fd = injector_->fd();
    }
    if (keyboard_ && injector_) {
      const KeyboardMessage message = *std::exchange(keyboard_, std::nullopt);
      const size_t matches = count_matches(injector_->keymap(), message.keys);
      lock.unlock();
      follow(message, matches);
      continue;
    }
    lock.unlock();
    pollfd waiting[] = {{wake_.get(), POLLIN, 0}, {display_fd, POLLIN, 0}};
    poll(waiting, 2, timeout);
    uint64_t count;
    if (waiting[0].revents)
      [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
  }
}

/// `matches_now`: how many of the viewer's keys print the same on the display already.
void InputSinkBody::follow(const KeyboardMessage& message, size_t matches_now) {
  auto wanted = message.layout;
  if (!wanted) {
    if (matches_now == message.keys.size())
      return;
    wanted = match_layout(message.keys);
    if (!wanted)
      return;
    auto keymap = keymap_by_name(wanted->layout, wanted->variant);
    if (!keymap || count_matches(Keymap(std::move(keymap)), message.keys) <= matches_now)
      return;
  }
  std::string error;
  if (!layout_->set(*wanted, error)) {
    GST_WARNING_OBJECT(element_, "cannot set the keyboard layout \"%s\" \"%s\": %s", wanted->layout.c_str(),
                       wanted->variant.c_str(), error.c_str());
    MutexLock lock(mutex_);
    ++refused_;
    return;
  }
  GST_INFO_OBJECT(element_, "set the viewer's keyboard layout, \"%s\" \"%s\"", wanted->layout.c_str(), wanted->variant.c_str());
  MutexLock lock(mutex_);
  ++layouts_;
}

void InputSinkBody::release_all() {
  MutexLock lock(mutex_);
  if (!injector_)
    return;
  injector_->update();
  if (injector_->alive())
    player_->release_all();
  if (const auto lost = drop_lost_display()) {
    lock.unlock();
    report_lost(*lost);
  }
}

void InputSinkBody::forget_pending() {
  MutexLock lock(mutex_);
  stream_.clear();
}

void InputSinkBody::refuse(size_t bytes, const char* why) {
  stream_.clear();
  ++refused_;
  if (std::has_single_bit(refused_))
    GST_WARNING_OBJECT(element_, "refused %zu bytes of input: %s (%" G_GUINT64_FORMAT " times so far)", bytes, why,
                       refused_);
  else
    GST_DEBUG_OBJECT(element_, "refused %zu bytes of input: %s", bytes, why);
}

void InputSinkBody::take(std::span<const uint8_t> bytes, std::vector<InputRecord>& records) {
  InputError error;
  if (const size_t lost = stream_.take(bytes, records, error))
    refuse(lost, to_string(error));
}

/// Messages on the same stream are for x11desktop, but for those about the keyboard.
void InputSinkBody::take_message(std::string_view text) {
  KeyboardMessage message;
  switch (parse_keyboard_message(text, message)) {
    case MessageKind::not_ours:
      break;
    case MessageKind::malformed:
      refuse(text.size(), "a message that is malformed");
      break;
    case MessageKind::ours:
      if (follow_layout_) {
        keyboard_ = std::move(message);
        wake();
      }
      break;
  }
}

GstFlowReturn InputSinkBody::render(GstBuffer* buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR(element_, RESOURCE, READ, (_("Cannot read a buffer of input")), (nullptr));
    return GST_FLOW_ERROR;
  }
  MutexLock lock(mutex_);
  std::optional<std::string> lost;
  bool wake_watcher = false;
  const bool is_message = stream_.at_start() && map.size > 0 && map.data[0] == '{';
  if (player_ && is_message) {
    take_message({reinterpret_cast<const char*>(map.data), map.size});
  } else if (player_) {
    std::vector<InputRecord> records;
    take({map.data, map.size}, records);
    injector_->update();
    if (injector_->alive() && !records.empty()) {
      const bool held = player_->holds_anything();
      last_record_ = Clock::now();
      ++batches_;
      player_->play(records);
      GST_LOG_OBJECT(element_, "played %zu records", records.size());
      // While something is held, its deadline only moves away: the watcher looks again when the old one has passed.
      wake_watcher = !held && player_->holds_anything();
    }
    lost = drop_lost_display();
  }
  const bool usable = player_ != nullptr;
  lock.unlock();
  gst_buffer_unmap(buffer, &map);
  if (wake_watcher)
    wake();
  if (lost)
    report_lost(*lost);
  return usable ? GST_FLOW_OK : GST_FLOW_EOS;  // GST_FLOW_ERROR would make a source post an error of its own on top
}

GstStructure* InputSinkBody::stats() {
  MutexLock lock(mutex_);
  const InputStatistics s = player_ ? player_->statistics() : last_run_;
  return gst_structure_new("application/x-vitrine-input-stats", "records", G_TYPE_UINT64, s.records, "events", G_TYPE_UINT64,
                           s.events, "batches", G_TYPE_UINT64, batches_, "refused", G_TYPE_UINT64, refused_, "unknown-keys",
                           G_TYPE_UINT64, s.unknown_keys, "clamped", G_TYPE_UINT64, s.clamped, "release-timeouts",
                           G_TYPE_UINT64, timeouts_, "layouts", G_TYPE_UINT64, layouts_, "keys-held", G_TYPE_UINT,
                           static_cast<guint>(player_ ? player_->keys_held() : 0), nullptr);
}

}  // namespace vitrine
