// SPDX-License-Identifier: LGPL-2.1-or-later
// Mixing effects.
#include "remote/gamepad/pad-rumble.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace vitrine {
namespace {

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

}  // namespace

void RumbleMixer::upload(Client client, int id, const RumbleEffect& effect) {
  if (id < 0 || id >= kEffectsMost)
    return;
  Slot& slot = clients_[client][static_cast<size_t>(id)];
  slot.effect = effect;
  slot.uploaded = true;
}

void RumbleMixer::erase(Client client, int id) {
  const auto found = clients_.find(client);
  if (found != clients_.end() && id >= 0 && id < kEffectsMost)
    found->second[static_cast<size_t>(id)] = {};
}

void RumbleMixer::play(Client client, int id, int32_t count, int64_t now_ms) {
  const auto found = clients_.find(client);
  if (found == clients_.end() || id < 0 || id >= kEffectsMost)
    return;
  Slot& slot = found->second[static_cast<size_t>(id)];
  if (!slot.uploaded)
    return;
  const int64_t once = int64_t{slot.effect.delay_ms} + slot.effect.length_ms;
  slot.start_ms = now_ms;
  slot.end_ms = count <= 0 ? now_ms : slot.effect.length_ms == 0 ? kForever : now_ms + once * count;
}

void RumbleMixer::drop(Client client) { clients_.erase(client); }

bool RumbleMixer::sounds(const Slot& slot, int64_t now_ms) const {
  if (!slot.uploaded || now_ms >= slot.end_ms)
    return false;
  const int64_t since = now_ms - slot.start_ms, once = int64_t{slot.effect.delay_ms} + slot.effect.length_ms;
  return slot.effect.length_ms == 0 ? since >= slot.effect.delay_ms : since % once >= slot.effect.delay_ms;
}

Rumble RumbleMixer::at(int64_t now_ms) const {
  uint64_t strong = 0, weak = 0;
  for (const auto& [client, slots] : clients_)
    for (const auto& slot : slots)
      if (sounds(slot, now_ms)) {
        strong += slot.effect.rumble.strong;
        weak += slot.effect.rumble.weak;
      }
  const auto limited = [this](uint64_t sum) { return static_cast<uint16_t>(std::min<uint64_t>(sum, 0xffff) * gain_ / 0xffff); };
  return {limited(strong), limited(weak)};
}

std::optional<int64_t> RumbleMixer::next_change(int64_t now_ms) const {
  std::optional<int64_t> next;
  for (const auto& [client, slots] : clients_)
    for (const auto& slot : slots) {
      if (!slot.uploaded || now_ms >= slot.end_ms)
        continue;
      const int64_t delay = slot.effect.delay_ms, once = delay + slot.effect.length_ms, since = now_ms - slot.start_ms;
      int64_t change = slot.end_ms;
      if (slot.effect.length_ms == 0)
        change = since < delay ? slot.start_ms + delay : kForever;
      else if (delay > 0)
        change = now_ms - since % once + (since % once < delay ? delay : once);
      if (change != kForever)
        next = std::min(next.value_or(change), change);
    }
  return next;
}

std::optional<RumbleEffect> rumble_effect_of(const ff_effect& effect) {
  RumbleEffect made;
  made.length_ms = effect.replay.length;
  made.delay_ms = effect.replay.delay;
  if (effect.type == FF_RUMBLE) {
    made.rumble = {effect.u.rumble.strong_magnitude, effect.u.rumble.weak_magnitude};
  } else if (effect.type == FF_PERIODIC) {
    // As the kernel does for pads without periodic motors.
    const auto strength = static_cast<uint16_t>(std::min(2 * std::abs(int{effect.u.periodic.magnitude}), 0xffff));
    made.rumble = {strength, strength};
  } else {
    return std::nullopt;
  }
  return made;
}

}  // namespace vitrine
