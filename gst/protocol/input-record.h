// SPDX-License-Identifier: LGPL-2.1-or-later
// Input records: the binary part of the wire (docs/protocol.md, section 4). Pure: no I/O, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vitrine {

inline constexpr uint8_t kInputVersion = 1;
inline constexpr size_t kInputHeaderSize = 16;
inline constexpr size_t kInputMessageMax = 4096;

enum class InputType : uint8_t { key = 1, pointer = 2, motion = 3, button = 4, scroll = 5, release = 6, alive = 7, pad = 8, pad_axes = 9, pad_buttons = 10 };

/// A pixel in the picture that the viewer saw, with the size of that picture.
struct PicturePosition {
  uint16_t x = 0, y = 0, width = 0, height = 0;
  bool operator==(const PicturePosition&) const = default;
};

/// What the viewer means by a key: where it is (games, shortcuts), what it prints (text), or whichever fits.
enum class KeyMeaning : uint8_t { automatic = 0, position = 1, text = 2 };

struct KeyInput {
  bool down = false;
  bool repeat = false;
  uint16_t code = 0;       // Linux evdev key code, 0 if unknown
  uint32_t keysym = 0;     // X11 keysym, 0 if none
  uint16_t modifiers = 0;  // Modifier bits after the event
  KeyMeaning meaning = KeyMeaning::automatic;
  bool operator==(const KeyInput&) const = default;
};
struct PointerInput {
  PicturePosition position;
  bool operator==(const PointerInput&) const = default;
};
struct MotionInput {
  int16_t dx = 0, dy = 0;
  bool operator==(const MotionInput&) const = default;
};
struct ButtonInput {
  uint8_t button = 0;
  bool down = false;
  std::optional<PicturePosition> position;
  bool operator==(const ButtonInput&) const = default;
};
struct ScrollInput {
  int32_t dx = 0, dy = 0;  // 120 per notch; right and down are positive
  bool operator==(const ScrollInput&) const = default;
};
struct ReleaseInput {
  bool operator==(const ReleaseInput&) const = default;
};
struct AliveInput {
  bool operator==(const AliveInput&) const = default;
};

inline constexpr uint8_t kPadsMost = 4;         // gamepads of one viewer
inline constexpr uint8_t kPadButtonsMost = 32;  // of one gamepad
inline constexpr uint8_t kPadAxesMost = 8;

/// How the browser numbers a gamepad's buttons and axes; gone: the gamepad was unplugged.
enum class PadKind : uint8_t { gone = 0, standard = 1, raw = 2 };

struct PadInput {
  uint8_t pad = 0;
  PadKind kind = PadKind::gone;
  uint8_t buttons = 0, axes = 0;  // how many there are
  bool operator==(const PadInput&) const = default;
};
/// All of a gamepad at one moment.
struct PadState {
  uint8_t pad = 0;
  uint32_t buttons = 0;  // bit n: button n is pressed
  std::array<int16_t, kPadAxesMost> axes{};  // of the standard mapping: left x, y, right x, y, left trigger, right trigger
  bool operator==(const PadState&) const = default;
};
/// Only axes have moved: the newest is enough.
struct PadAxesInput {
  PadState state;
  bool operator==(const PadAxesInput&) const = default;
};
/// Buttons have changed.
struct PadButtonsInput {
  PadState state;
  bool operator==(const PadButtonsInput&) const = default;
};

enum ModifierBit : uint16_t {
  kModifierShift = 1,
  kModifierControl = 2,
  kModifierAlt = 4,
  kModifierMeta = 8,
  kModifierAltGr = 16,
  kModifierCapsLock = 32,
  kModifierNumLock = 64,
};

using InputBody = std::variant<KeyInput, PointerInput, MotionInput, ButtonInput, ScrollInput, ReleaseInput, AliveInput, PadInput,
                               PadAxesInput, PadButtonsInput>;

struct InputRecord {
  uint32_t sequence = 0;
  uint32_t after = 0;
  uint32_t time = 0;
  InputBody body;
  bool operator==(const InputRecord&) const = default;

  InputType type() const;
  /// Ordered records are applied exactly once and in order; the others may be lost or overtaken.
  bool ordered() const;
  /// The gamepad that it is about, nothing for other records.
  std::optional<uint8_t> pad() const;
};

/// Why bytes were refused; kept short and free of the bytes themselves, since input is secret.
enum class InputError {
  none,
  truncated,     // ends inside a header or a body
  version,       // not version 1
  length,        // body length is not the type's
  sequence,      // sequence 0, or after >= sequence
  value,         // a field out of its range
  oversize,      // message larger than kInputMessageMax
};
const char* to_string(InputError error);

struct InputDecoded {
  std::vector<InputRecord> records;
  InputError error = InputError::none;
};

/// Decodes a whole message. On an error no record of the message is returned. Records of unknown type are skipped.
InputDecoded decode_input(std::span<const uint8_t> message);

/// Decodes the record at the start of `bytes`, for streams that may end anywhere. Returns its size in bytes, 0 if more bytes are
/// needed, or nothing on an error. `record` stays empty for an unknown type.
std::optional<size_t> decode_input_at(std::span<const uint8_t> bytes, std::optional<InputRecord>& record,
                                      InputError& error);

/// Appends the record's bytes to `out`.
void encode_input(const InputRecord& record, std::vector<uint8_t>& out);

}  // namespace vitrine
