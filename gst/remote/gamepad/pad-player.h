// SPDX-License-Identifier: LGPL-2.1-or-later
// From records to gamepads: which are plugged in, in what state, and for how long. Pure but for the backend behind it.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/input-record.h"
#include "remote/gamepad/pad-backend.h"

namespace vitrine {

struct PadStatistics {
  uint64_t records = 0;    // about gamepads
  uint64_t events = 0;     // of buttons and axes
  uint64_t plugged = 0;    // times
  uint64_t refused = 0;    // gamepads that could not be plugged in
  uint64_t timeouts = 0;   // times that a silent viewer's gamepads were put at rest
  uint64_t rumbles = 0;    // orders to the viewer
};

/// Not thread-safe: the caller holds a lock around it, and says what time it is.
class PadPlayer final : public PadFeedback {
 public:
  struct Settings {
    int64_t release_timeout_ms = 2000;  // 0: never
    int64_t unplug_delay_ms = 5000;
  };
  /// What the viewer's gamepad is to do for `duration_ms`, unless something newer comes.
  struct Order {
    uint8_t pad = 0;
    Rumble rumble;
    int64_t duration_ms = 0;
  };
  using Warn = std::function<void(const std::string&)>;

  PadPlayer(PadBackend& backend, Settings settings, Warn warn) : backend_(backend), settings_(settings), warn_(std::move(warn)) {}
  ~PadPlayer() override;

  void play(std::span<const InputRecord> records, int64_t now_ms);
  /// Who has control; empty: nobody. Gamepads of another go to rest at once and are unplugged after a while, unless the new one has the
  /// same: so a page that is loaded anew unplugs nothing.
  void set_holder(const std::string& holder, int64_t now_ms);
  const std::string& holder() const { return holder_; }
  /// Buttons up, axes where they rest.
  void rest(int64_t now_ms);
  /// Does what is due and returns when there is something to do again, nothing if never. `orders` gets what the viewer is to be told.
  std::optional<int64_t> tick(int64_t now_ms, std::vector<Order>& orders);

  const PadStatistics& statistics() const { return statistics_; }
  size_t plugged() const;

  void upload(uint8_t pad, RumbleMixer::Client client, int effect, const RumbleEffect& what) override;
  void erase(uint8_t pad, RumbleMixer::Client client, int effect) override;
  void play_effect(uint8_t pad, RumbleMixer::Client client, int effect, int32_t count) override;
  void set_gain(uint8_t pad, uint16_t gain) override;
  void drop(uint8_t pad, RumbleMixer::Client client) override;
  /// What time it is for what programs do next.
  void set_now(int64_t now_ms) { now_ms_ = now_ms; }

 private:
  struct Slot {
    PadInput announced;  // gone: nothing is plugged in
    PadShape shape;
    PadValues values, rest;
    bool rest_known = false;  // its first state has come
    RumbleMixer mixer;
    Rumble told;
    std::optional<int64_t> told_ms, orphan_ms;  // since when nobody has it
  };

  void take(const PadInput& pad, int64_t now_ms);
  void take(const PadState& state);
  void set(uint8_t pad, PadValues values);
  void unplug(uint8_t pad);
  bool may_plug(int64_t now_ms);
  bool at_rest() const;
  std::optional<int64_t> tick_rumble(uint8_t pad, int64_t now_ms, std::vector<Order>& orders);

  PadBackend& backend_;
  const Settings settings_;
  const Warn warn_;
  std::array<Slot, kPadsMost> slots_;
  std::string holder_;
  int64_t last_record_ms_ = 0, now_ms_ = 0;
  int64_t window_ms_ = 0;  // since when `recent_plugs_` counts
  int recent_plugs_ = 0;
  PadStatistics statistics_;
};

}  // namespace vitrine
