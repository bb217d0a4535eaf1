// SPDX-License-Identifier: LGPL-2.1-or-later
// What the server and the preload library agree on: a folder of the session's own that stands for /dev/input. Plain data of the same
// layout for 32-bit and 64-bit programs.
//
//   FOLDER/input/event0 js0    empty files: what programs list, watch and ask about in place of /dev/input
//   FOLDER/sockets/event0 js0  Unix sockets: what they read and write when they open one
//   FOLDER/pads/0              PadPage: what the gamepad is and what its state is, for ioctl()
//
// A connection begins with a PadHello of the client, answered by the same bytes. From then on the server sends what the device would:
// input_event or js_event. The client sends input_event: what programs write, and the PadCommands of the library.
#pragma once

#include <linux/input.h>
#include <stdint.h>

namespace vitrine::pad_abi {

inline constexpr char kFolderVariable[] = "VITRINE_GAMEPAD_FOLDER";
inline constexpr char kInputFolder[] = "/input", kSocketFolder[] = "/sockets", kPageFolder[] = "/pads";
inline constexpr char kEventPrefix[] = "event", kJoystickPrefix[] = "js";
inline constexpr int kPadCount = 4;
inline constexpr int kEffectsMost = 16;

/// Device numbers as the kernel gives them to evdev and joystick devices.
inline constexpr unsigned kInputMajor = 13, kEventMinor = 64, kJoystickMinor = 0;

struct PadHello {
  static constexpr uint32_t kMagic = 0x44415056;
  uint32_t magic = kMagic;
  uint8_t version = 1;
  uint8_t event_size = sizeof(input_event);  // of the client, whose time_t may be shorter
  uint16_t reserved = 0;
};
static_assert(sizeof(PadHello) == 8);

struct PadPage {
  static constexpr uint32_t kMagic = 0x31475056;
  uint32_t magic;
  uint32_t sequence;  // odd while the server writes; read before and after
  input_id id;
  char name[80];
  uint8_t keys[KEY_CNT / 8];  // bits: what there is
  uint8_t axes[ABS_CNT / 8];
  uint8_t effects[FF_CNT / 8];
  uint8_t pressed[KEY_CNT / 8];  // bits: the state
  input_absinfo values[ABS_CNT];
};
static_assert(sizeof(PadPage) == 4 + 4 + 8 + 80 + 96 + 8 + 16 + 96 + 24 * 64);

/// Types of input_event that no kernel has. `code` is the effect's id.
enum PadCommand : uint16_t {
  kUploadEffect = 0xff01,  // the time's first 8 bytes are a PadEffect
  kEraseEffect = 0xff02,
  kSetClock = 0xff03,  // value: the clock of timestamps from now on
};

struct PadEffect {
  uint16_t strong, weak, length_ms, delay_ms;
};
static_assert(sizeof(PadEffect) == 8);

/// The end of every input_event, whatever its time's size.
struct EventTail {
  uint16_t type, code;
  int32_t value;
};
static_assert(sizeof(EventTail) == 8);

inline bool bit(const uint8_t* bits, unsigned index) { return bits[index / 8] >> (index % 8) & 1; }

}  // namespace vitrine::pad_abi
