// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting a backend, playing, serving.
#include "remote/gamepad/gamepad-body.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <bit>

#include "common/text.h"
#include "remote/gamepad/gamepad-message.h"
#include "remote/gamepad/pad-sockets.h"
#include "remote/gamepad/pad-uinput.h"

GST_DEBUG_CATEGORY_EXTERN(virtualgamepads_debug);
#define GST_CAT_DEFAULT virtualgamepads_debug

namespace vitrine {
namespace {

int64_t now_ms() { return g_get_monotonic_time() / 1000; }

std::unique_ptr<PadBackend> open_backend(const GamepadSettings& settings, std::string& error) {
  std::string why;
  if (settings.backend != GamepadBackend::preload) {
    if (auto uinput = PadUInput::open(error))
      return uinput;
    if (settings.backend == GamepadBackend::uinput)
      return nullptr;
  }
  const std::string folder =
      settings.folder.empty() ? std::string(g_get_user_runtime_dir()) + "/vitrine-gamepads" : settings.folder;
  auto sockets = PadSockets::open(folder, why);
  error += error.empty() ? why : "; " + why;
  return sockets;
}

}  // namespace

GamepadBody::GamepadBody(GstElement* element, Send send)
    : element_(element), send_(std::move(send)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool GamepadBody::start(const GamepadSettings& settings) {
  std::string error;
  auto backend = open_backend(settings, error);
  if (!backend) {
    GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ_WRITE, (_("No gamepads can be made here: %s"), error.c_str()), (nullptr));
    return false;
  }
  MutexLock lock(mutex_);
  backend_ = std::move(backend);
  const auto warn = [this](const std::string& text) { GST_WARNING_OBJECT(element_, "a gamepad is not there: %s", text.c_str()); };
  player_ = std::make_unique<PadPlayer>(*backend_, PadPlayer::Settings{settings.release_timeout_ms, settings.unplug_delay_ms}, warn);
  stream_.clear();
  stopping_ = false;
  refused_ = 0;
  announce_ = true;
  thread_ = std::thread([this] { serve(); });
  return true;
}

void GamepadBody::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake();
  if (thread_.joinable())
    thread_.join();
  MutexLock lock(mutex_);
  if (player_)
    last_run_ = player_->statistics();
  player_.reset();
  backend_.reset();
}

void GamepadBody::wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void GamepadBody::take_records(std::span<const uint8_t> bytes) {
  std::vector<InputRecord> records;
  InputError error;
  const size_t lost = stream_.take(bytes, records, error);
  if (lost > 0 && std::has_single_bit(++refused_))
    GST_WARNING_OBJECT(element_, "refused %zu bytes of input: %s (%" G_GUINT64_FORMAT " times so far)", lost, to_string(error), refused_);
  if (!records.empty())
    player_->play(records, now_ms());
}

void GamepadBody::take(std::span<const uint8_t> bytes) {
  MutexLock lock(mutex_);
  if (!player_)
    return;
  if (stream_.at_start() && !bytes.empty() && bytes[0] == '{') {
    const auto holder = holder_of_session({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!holder)
      return;
    player_->set_holder(*holder, now_ms());
    // Among the viewers may be one that does not know yet.
    announce_ = true;
  } else {
    const uint64_t before = player_->statistics().records;
    take_records(bytes);
    // Other input changes nothing here but how long the viewer has been silent.
    if (player_->statistics().records == before)
      return;
  }
  lock.unlock();
  wake();
}

void GamepadBody::release_all() {
  MutexLock lock(mutex_);
  stream_.clear();
  if (player_)
    player_->rest(now_ms());
}

void GamepadBody::serve() {
  for (;;) {
    std::vector<std::string> messages;
    MutexLock lock(mutex_);
    if (stopping_)
      return;
    player_->set_now(now_ms());
    backend_->serve(*player_);
    std::vector<PadPlayer::Order> orders;
    const int64_t now = now_ms();
    const auto next = player_->tick(now, orders);
    if (announce_)
      messages.push_back(gamepads_message());
    announce_ = false;
    for (const auto& order : orders)
      if (!player_->holder().empty())
        messages.push_back(rumble_message(player_->holder(), order));
    const int backend_fd = backend_->fd();
    lock.unlock();
    for (const auto& message : messages)
      send_(message);
    pollfd waiting[] = {{wake_.get(), POLLIN, 0}, {backend_fd, POLLIN, 0}};
    const int64_t wait = next ? std::max<int64_t>(*next - now_ms(), 0) : -1;
    poll(waiting, 2, static_cast<int>(std::min<int64_t>(wait, 60000)));
    uint64_t count;
    if (waiting[0].revents)
      [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
  }
}

GstStructure* GamepadBody::stats() {
  MutexLock lock(mutex_);
  const PadStatistics s = player_ ? player_->statistics() : last_run_;
  return gst_structure_new("application/x-vitrine-gamepad-stats", "records", G_TYPE_UINT64, s.records, "events", G_TYPE_UINT64, s.events,
                           "plugged", G_TYPE_UINT64, s.plugged, "refused", G_TYPE_UINT64, s.refused + refused_, "release-timeouts",
                           G_TYPE_UINT64, s.timeouts, "rumbles", G_TYPE_UINT64, s.rumbles, "gamepads", G_TYPE_UINT,
                           static_cast<guint>(player_ ? player_->plugged() : 0), nullptr);
}

}  // namespace vitrine
