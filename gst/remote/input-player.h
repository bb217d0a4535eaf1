// SPDX-License-Identifier: LGPL-2.1-or-later
// Turns input records into what an Injector does. Pure: knows what is held, keeps scroll remainders, chooses between scancode and keysym.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "protocol/input-record.h"
#include "remote/injector.h"

namespace vitrine {

/// What is made of keys that say `automatic` themselves.
enum class KeyMode { automatic, scancode, keysym };

struct InputStatistics {
  uint64_t records = 0;
  uint64_t events = 0;        // handed to the injector
  uint64_t unknown_keys = 0;  // no keycode known, and the keysym could not be bound
  uint64_t clamped = 0;       // positions off the screen, absurd scrolling, buttons that the display has not
};

/// Not thread-safe.
class InputPlayer {
 public:
  /// Notches that one scroll record may cause at most.
  static constexpr int kNotchesMax = 32;

  /// `follow_repeats`: records repeated by the viewer's keyboard become repeats here; else they are dropped.
  explicit InputPlayer(Injector& injector, KeyMode mode = KeyMode::automatic, bool follow_repeats = true)
      : injector_(injector), mode_(mode), follow_repeats_(follow_repeats) {}

  /// Plays the records of one batch in order and flushes once.
  void play(std::span<const InputRecord> records);
  /// Everything that is down goes up, and remainders are forgotten.
  void release_all();
  bool holds_anything() const { return !keys_.empty() || !buttons_.empty(); }
  size_t keys_held() const { return keys_.size(); }
  const InputStatistics& statistics() const { return statistics_; }

 private:
  void play(const KeyInput& key);
  void play(const PointerInput& pointer) { move(pointer.position); }
  void play(const MotionInput& motion);
  void play(const ButtonInput& button);
  void play(const ScrollInput& scroll);
  void play(const ReleaseInput&) { release_all(); }
  void play(const AliveInput&) {}
  // Gamepads are virtualgamepads' business.
  void play(const PadInput&) {}
  void play(const PadAxesInput&) {}
  void play(const PadButtonsInput&) {}

  KeyMode mode_of(const KeyInput& key) const;
  void inject(uint8_t keycode, bool down);
  void follow_lock(Lock lock, bool wanted);
  std::optional<KeyPlan> plan_for(const KeyInput& key);
  std::optional<KeyPlan> plan_on_spare(uint32_t keysym);
  bool wants_spare(const KeyInput& key) const;
  void press(const KeyPlan& plan, const KeyInput& key);
  void repeat(uint8_t keycode, const KeyInput& key);
  uint8_t levels_down();
  void move(const PicturePosition& position);
  void settle_motion();
  void scroll(int& remainder, int32_t delta, uint8_t back, uint8_t forward);

  Injector& injector_;
  const KeyMode mode_;
  const bool follow_repeats_;
  std::span<const InputRecord> ahead_;  // the records of the batch that come after the one being played
  // What the viewer holds: evdev code, or keysym for keys without one, to the keycode that was pressed for it.
  std::map<uint64_t, uint8_t> keys_;
  KeycodeSet down_;  // the same as keycodes
  std::set<uint8_t> buttons_;
  int motion_dx_ = 0, motion_dy_ = 0;
  int scroll_x_ = 0, scroll_y_ = 0;  // 120ths of a notch
  InputStatistics statistics_;
};

}  // namespace vitrine
