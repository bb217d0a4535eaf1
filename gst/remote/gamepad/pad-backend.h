// SPDX-License-Identifier: LGPL-2.1-or-later
// Where gamepads appear to programs: the kernel's uinput, the sockets of the preload library, or a fake in tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "remote/gamepad/pad-rumble.h"
#include "remote/gamepad/pad-shape.h"

namespace vitrine {

/// What programs do to gamepads.
class PadFeedback {
 public:
  virtual ~PadFeedback() = default;
  virtual void upload(uint8_t pad, RumbleMixer::Client client, int effect, const RumbleEffect& what) = 0;
  virtual void erase(uint8_t pad, RumbleMixer::Client client, int effect) = 0;
  virtual void play_effect(uint8_t pad, RumbleMixer::Client client, int effect, int32_t count) = 0;
  virtual void set_gain(uint8_t pad, uint16_t gain) = 0;
  /// A program has closed the gamepad.
  virtual void drop(uint8_t pad, RumbleMixer::Client client) = 0;
};

/// Not thread-safe: the caller holds a lock around it. Nothing blocks.
class PadBackend {
 public:
  virtual ~PadBackend() = default;
  /// At rest. False, with `error`, if that cannot be done now.
  virtual bool plug(uint8_t pad, const PadShape& shape, std::string& error) = 0;
  virtual void unplug(uint8_t pad) = 0;
  /// What has changed, and the state that came of it.
  virtual void report(uint8_t pad, std::span<const PadEvent> events, const PadValues& now) = 0;

  /// Readable when serve() has something to do; -1: never.
  virtual int fd() const = 0;
  virtual void serve(PadFeedback& feedback) = 0;
};

}  // namespace vitrine
