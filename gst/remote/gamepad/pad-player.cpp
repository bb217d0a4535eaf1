// SPDX-License-Identifier: LGPL-2.1-or-later
// Plugging, moving, letting go.
#include "remote/gamepad/pad-player.h"

#include <algorithm>
#include <utility>

namespace vitrine {
namespace {

/// Motors are told anew while they run, so that they stop soon after we cannot tell them to.
constexpr int64_t kRumbleRepeatMs = 500, kRumbleLastsMs = 1000;
/// And at most so often, whatever a program does.
constexpr int64_t kRumbleIntervalMs = 30;
/// Plugging in is work for programs and the kernel: no honest viewer does it more often.
constexpr int64_t kPlugWindowMs = 10000;
constexpr int kPlugsMost = 32;

void sooner(std::optional<int64_t>& next, std::optional<int64_t> other) {
  if (other)
    next = std::min(next.value_or(*other), *other);
}

}  // namespace

PadPlayer::~PadPlayer() {
  for (uint8_t pad = 0; pad < kPadsMost; ++pad)
    unplug(pad);
}

void PadPlayer::play(std::span<const InputRecord> records, int64_t now_ms) {
  now_ms_ = last_record_ms_ = now_ms;
  for (const auto& record : records) {
    statistics_.records += record.pad().has_value();
    if (const auto* pad = std::get_if<PadInput>(&record.body))
      take(*pad, now_ms);
    else if (const auto* axes = std::get_if<PadAxesInput>(&record.body))
      take(axes->state);
    else if (const auto* buttons = std::get_if<PadButtonsInput>(&record.body))
      take(buttons->state);
    else if (std::holds_alternative<ReleaseInput>(record.body))
      rest(now_ms);
  }
}

void PadPlayer::take(const PadInput& pad, int64_t now_ms) {
  Slot& slot = slots_[pad.pad];
  slot.orphan_ms.reset();
  if (slot.announced == pad) {
    set(pad.pad, slot.rest);
    return;
  }
  unplug(pad.pad);
  if (pad.kind == PadKind::gone)
    return;
  std::string error;
  PadShape shape = shape_of(pad);
  if (!may_plug(now_ms))
    error = "the viewer plugs gamepads in too often";
  else if (backend_.plug(pad.pad, shape, error)) {
    slot.announced = pad;
    slot.values = slot.rest = rest_of(shape);
    slot.shape = std::move(shape);
    ++statistics_.plugged;
    return;
  }
  ++statistics_.refused;
  warn_(error);
}

void PadPlayer::take(const PadState& state) {
  Slot& slot = slots_[state.pad];
  if (slot.announced.kind == PadKind::gone || slot.orphan_ms)
    return;
  PadValues values = values_of(slot.shape, state);
  if (!std::exchange(slot.rest_known, true))
    slot.rest = rest_of(slot.shape, values);
  set(state.pad, std::move(values));
}

void PadPlayer::set(uint8_t pad, PadValues values) {
  Slot& slot = slots_[pad];
  const auto events = events_between(slot.shape, slot.values, values);
  if (events.empty())
    return;
  statistics_.events += events.size();
  slot.values = std::move(values);
  backend_.report(pad, events, slot.values);
}

void PadPlayer::unplug(uint8_t pad) {
  Slot& slot = slots_[pad];
  if (slot.announced.kind != PadKind::gone)
    backend_.unplug(pad);
  slot = {};
}

bool PadPlayer::may_plug(int64_t now_ms) {
  if (now_ms - window_ms_ > kPlugWindowMs) {
    window_ms_ = now_ms;
    recent_plugs_ = 0;
  }
  return ++recent_plugs_ <= kPlugsMost;
}

void PadPlayer::set_holder(const std::string& holder, int64_t now_ms) {
  if (holder == holder_)
    return;
  holder_ = holder;
  rest(now_ms);
  for (auto& slot : slots_)
    if (slot.announced.kind != PadKind::gone)
      slot.orphan_ms = slot.orphan_ms.value_or(now_ms);
}

void PadPlayer::rest(int64_t now_ms) {
  now_ms_ = now_ms;
  for (uint8_t pad = 0; pad < kPadsMost; ++pad)
    if (slots_[pad].announced.kind != PadKind::gone)
      set(pad, slots_[pad].rest);
}

bool PadPlayer::at_rest() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.values == slot.rest; });
}

size_t PadPlayer::plugged() const {
  return static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.announced.kind != PadKind::gone; }));
}

std::optional<int64_t> PadPlayer::tick(int64_t now_ms, std::vector<Order>& orders) {
  now_ms_ = now_ms;
  std::optional<int64_t> next;
  if (settings_.release_timeout_ms > 0 && !at_rest()) {
    const int64_t due = last_record_ms_ + settings_.release_timeout_ms;
    if (now_ms >= due) {
      ++statistics_.timeouts;
      rest(now_ms);
    } else {
      sooner(next, due);
    }
  }
  for (uint8_t pad = 0; pad < kPadsMost; ++pad) {
    Slot& slot = slots_[pad];
    if (slot.orphan_ms && now_ms >= *slot.orphan_ms + settings_.unplug_delay_ms)
      unplug(pad);
    else if (slot.orphan_ms)
      sooner(next, *slot.orphan_ms + settings_.unplug_delay_ms);
    if (slot.announced.kind != PadKind::gone)
      sooner(next, tick_rumble(pad, now_ms, orders));
  }
  return next;
}

std::optional<int64_t> PadPlayer::tick_rumble(uint8_t pad, int64_t now_ms, std::vector<Order>& orders) {
  Slot& slot = slots_[pad];
  // Nobody feels it.
  if (slot.orphan_ms)
    return std::nullopt;
  const Rumble rumble = slot.mixer.at(now_ms);
  std::optional<int64_t> next = slot.mixer.next_change(now_ms);
  if (rumble == slot.told && rumble.off())
    return next;
  const int64_t wait = rumble == slot.told ? kRumbleRepeatMs : kRumbleIntervalMs;
  if (slot.told_ms && now_ms < *slot.told_ms + wait) {
    sooner(next, *slot.told_ms + wait);
    return next;
  }
  orders.push_back({pad, rumble, rumble.off() ? 0 : kRumbleLastsMs});
  slot.told = rumble;
  slot.told_ms = now_ms;
  ++statistics_.rumbles;
  if (!rumble.off())
    sooner(next, now_ms + kRumbleRepeatMs);
  return next;
}

void PadPlayer::upload(uint8_t pad, RumbleMixer::Client client, int effect, const RumbleEffect& what) {
  slots_[pad].mixer.upload(client, effect, what);
}

void PadPlayer::erase(uint8_t pad, RumbleMixer::Client client, int effect) { slots_[pad].mixer.erase(client, effect); }

void PadPlayer::play_effect(uint8_t pad, RumbleMixer::Client client, int effect, int32_t count) {
  slots_[pad].mixer.play(client, effect, count, now_ms_);
}

void PadPlayer::set_gain(uint8_t pad, uint16_t gain) { slots_[pad].mixer.set_gain(gain); }

void PadPlayer::drop(uint8_t pad, RumbleMixer::Client client) { slots_[pad].mixer.drop(client); }

}  // namespace vitrine
