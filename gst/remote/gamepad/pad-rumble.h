// SPDX-License-Identifier: LGPL-2.1-or-later
// What a gamepad's motors do while programs play force-feedback effects on it. Pure: the caller says what time it is.
#pragma once

#include <array>
#include <cstdint>
#include <linux/input.h>
#include <map>
#include <optional>

namespace vitrine {

/// Strengths from 0 to 65535.
struct Rumble {
  uint16_t strong = 0, weak = 0;
  bool operator==(const Rumble&) const = default;
  bool off() const { return strong == 0 && weak == 0; }
};

/// Every kind of effect comes down to this. A length of 0 lasts until it is stopped.
struct RumbleEffect {
  Rumble rumble;
  uint16_t length_ms = 0, delay_ms = 0;
  bool operator==(const RumbleEffect&) const = default;
};

/// The effects of all programs that have one gamepad open. Not thread-safe.
class RumbleMixer {
 public:
  using Client = uint64_t;
  static constexpr int kEffectsMost = 16;  // of one client

  /// An effect that is playing goes on with what is new. Ids beyond kEffectsMost are ignored.
  void upload(Client client, int id, const RumbleEffect& effect);
  void erase(Client client, int id);
  /// Plays an effect `count` times from now on, 0 stops it.
  void play(Client client, int id, int32_t count, int64_t now_ms);
  /// From 0 to 65535.
  void set_gain(uint16_t gain) { gain_ = gain; }
  /// A program has closed the gamepad.
  void drop(Client client);

  /// What the motors do now: all that play, added up.
  Rumble at(int64_t now_ms) const;
  /// When that changes by itself.
  std::optional<int64_t> next_change(int64_t now_ms) const;

 private:
  struct Slot {
    RumbleEffect effect;
    bool uploaded = false;
    int64_t start_ms = 0, end_ms = 0;  // of all repetitions; playing if now is before the end
  };
  bool sounds(const Slot& slot, int64_t now_ms) const;

  std::map<Client, std::array<Slot, kEffectsMost>> clients_;
  uint16_t gain_ = 0xffff;
};

/// Nothing for kinds that no gamepad of ours plays: FF_RUMBLE and FF_PERIODIC are played.
std::optional<RumbleEffect> rumble_effect_of(const ff_effect& effect);

}  // namespace vitrine
