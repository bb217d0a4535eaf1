// SPDX-License-Identifier: LGPL-2.1-or-later
// Encoding and decoding of input records over bounded spans.
#include "protocol/input-record.h"

namespace vitrine {
namespace {

/// Reads big-endian integers; the caller has checked the length.
class Reader {
 public:
  explicit Reader(const uint8_t* data) : data_(data) {}
  uint8_t u8() { return *data_++; }
  uint16_t u16() {
    const uint16_t high = u8();
    return static_cast<uint16_t>(high << 8 | u8());
  }
  uint32_t u32() {
    const uint32_t high = u16();
    return high << 16 | u16();
  }

 private:
  const uint8_t* data_;
};

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>& out) : out_(out) {}
  void u8(uint8_t value) { out_.push_back(value); }
  void u16(uint16_t value) {
    u8(static_cast<uint8_t>(value >> 8));
    u8(static_cast<uint8_t>(value));
  }
  void u32(uint32_t value) {
    u16(static_cast<uint16_t>(value >> 16));
    u16(static_cast<uint16_t>(value));
  }

 private:
  std::vector<uint8_t>& out_;
};

/// Body length of a known type, nothing for an unknown one.
std::optional<size_t> body_length(uint8_t type) {
  switch (static_cast<InputType>(type)) {
    case InputType::key:
    case InputType::button:
      return 12;
    case InputType::pointer:
    case InputType::scroll:
      return 8;
    case InputType::motion:
    case InputType::pad:
      return 4;
    case InputType::pad_axes:
    case InputType::pad_buttons:
      return 24;
    case InputType::release:
    case InputType::alive:
      return 0;
  }
  return std::nullopt;
}

std::optional<bool> read_down(uint8_t value) {
  if (value > 1)
    return std::nullopt;
  return value == 1;
}

std::optional<PicturePosition> read_position(Reader& reader) {
  PicturePosition position;
  position.x = reader.u16();
  position.y = reader.u16();
  position.width = reader.u16();
  position.height = reader.u16();
  if (position.width == 0 || position.height == 0)
    return std::nullopt;
  return position;
}

std::optional<InputBody> read_key(Reader& reader) {
  KeyInput key;
  const auto down = read_down(reader.u8());
  if (!down)
    return std::nullopt;
  key.down = *down;
  const uint8_t flags = reader.u8();
  const uint8_t meaning = flags >> 1 & 3;
  if (meaning > static_cast<uint8_t>(KeyMeaning::text))
    return std::nullopt;
  key.repeat = flags & 1;
  key.meaning = static_cast<KeyMeaning>(meaning);
  key.code = reader.u16();
  key.keysym = reader.u32();
  key.modifiers = reader.u16();
  return key;
}

std::optional<InputBody> read_button(Reader& reader) {
  ButtonInput button;
  button.button = reader.u8();
  const auto down = read_down(reader.u8());
  const uint8_t flags = reader.u8();
  reader.u8();
  if (!down || button.button == 0 || (button.button >= 4 && button.button <= 7))
    return std::nullopt;
  button.down = *down;
  if (flags & 1) {
    button.position = read_position(reader);
    if (!button.position)
      return std::nullopt;
  }
  return button;
}

std::optional<InputBody> read_pad(Reader& reader) {
  PadInput pad;
  pad.pad = reader.u8();
  const uint8_t kind = reader.u8();
  pad.buttons = reader.u8();
  pad.axes = reader.u8();
  if (pad.pad >= kPadsMost || kind > static_cast<uint8_t>(PadKind::raw) || pad.buttons > kPadButtonsMost || pad.axes > kPadAxesMost)
    return std::nullopt;
  pad.kind = static_cast<PadKind>(kind);
  return pad;
}

std::optional<PadState> read_pad_state(Reader& reader) {
  PadState state;
  state.pad = reader.u8();
  reader.u8();
  reader.u16();
  state.buttons = reader.u32();
  for (auto& axis : state.axes)
    axis = static_cast<int16_t>(reader.u16());
  if (state.pad >= kPadsMost)
    return std::nullopt;
  return state;
}

std::optional<InputBody> read_body(InputType type, Reader reader) {
  switch (type) {
    case InputType::key:
      return read_key(reader);
    case InputType::pointer: {
      const auto position = read_position(reader);
      if (!position)
        return std::nullopt;
      return PointerInput{*position};
    }
    case InputType::motion: {
      MotionInput motion;
      motion.dx = static_cast<int16_t>(reader.u16());
      motion.dy = static_cast<int16_t>(reader.u16());
      return motion;
    }
    case InputType::button:
      return read_button(reader);
    case InputType::scroll: {
      ScrollInput scroll;
      scroll.dx = static_cast<int32_t>(reader.u32());
      scroll.dy = static_cast<int32_t>(reader.u32());
      return scroll;
    }
    case InputType::release:
      return ReleaseInput{};
    case InputType::alive:
      return AliveInput{};
    case InputType::pad:
      return read_pad(reader);
    case InputType::pad_axes:
    case InputType::pad_buttons: {
      const auto state = read_pad_state(reader);
      if (!state)
        return std::nullopt;
      if (type == InputType::pad_axes)
        return PadAxesInput{*state};
      return PadButtonsInput{*state};
    }
  }
  return std::nullopt;
}

void write_position(Writer& writer, const PicturePosition& position) {
  writer.u16(position.x);
  writer.u16(position.y);
  writer.u16(position.width);
  writer.u16(position.height);
}

void write_pad_state(Writer& writer, const PadState& state) {
  writer.u8(state.pad);
  writer.u8(0);
  writer.u16(0);
  writer.u32(state.buttons);
  for (const int16_t axis : state.axes)
    writer.u16(static_cast<uint16_t>(axis));
}

struct BodyWriter {
  Writer& writer;
  void operator()(const KeyInput& key) {
    writer.u8(key.down);
    writer.u8(static_cast<uint8_t>((key.repeat ? 1 : 0) | static_cast<uint8_t>(key.meaning) << 1));
    writer.u16(key.code);
    writer.u32(key.keysym);
    writer.u16(key.modifiers);
    writer.u16(0);
  }
  void operator()(const PointerInput& pointer) { write_position(writer, pointer.position); }
  void operator()(const MotionInput& motion) {
    writer.u16(static_cast<uint16_t>(motion.dx));
    writer.u16(static_cast<uint16_t>(motion.dy));
  }
  void operator()(const ButtonInput& button) {
    writer.u8(button.button);
    writer.u8(button.down);
    writer.u8(button.position ? 1 : 0);
    writer.u8(0);
    write_position(writer, button.position.value_or(PicturePosition{}));
  }
  void operator()(const ScrollInput& scroll) {
    writer.u32(static_cast<uint32_t>(scroll.dx));
    writer.u32(static_cast<uint32_t>(scroll.dy));
  }
  void operator()(const ReleaseInput&) {}
  void operator()(const AliveInput&) {}
  void operator()(const PadInput& pad) {
    writer.u8(pad.pad);
    writer.u8(static_cast<uint8_t>(pad.kind));
    writer.u8(pad.buttons);
    writer.u8(pad.axes);
  }
  void operator()(const PadAxesInput& axes) { write_pad_state(writer, axes.state); }
  void operator()(const PadButtonsInput& buttons) { write_pad_state(writer, buttons.state); }
};

}  // namespace

InputType InputRecord::type() const {
  // The variant's alternatives are in the order of the types' numbers.
  return static_cast<InputType>(body.index() + 1);
}

bool InputRecord::ordered() const {
  return type() != InputType::pointer && type() != InputType::alive && type() != InputType::pad_axes;
}

std::optional<uint8_t> InputRecord::pad() const {
  if (const auto* pad = std::get_if<PadInput>(&body))
    return pad->pad;
  if (const auto* axes = std::get_if<PadAxesInput>(&body))
    return axes->state.pad;
  if (const auto* buttons = std::get_if<PadButtonsInput>(&body))
    return buttons->state.pad;
  return std::nullopt;
}

const char* to_string(InputError error) {
  switch (error) {
    case InputError::none:
      return "no error";
    case InputError::truncated:
      return "message ends inside a record";
    case InputError::version:
      return "unknown version";
    case InputError::length:
      return "body length does not fit the type";
    case InputError::sequence:
      return "sequence is 0 or not greater than after";
    case InputError::value:
      return "a field is out of range";
    case InputError::oversize:
      return "message is too large";
  }
  return "unknown error";
}

std::optional<size_t> decode_input_at(std::span<const uint8_t> bytes, std::optional<InputRecord>& record,
                                      InputError& error) {
  record.reset();
  error = InputError::none;
  if (!bytes.empty() && bytes[0] != kInputVersion) {
    error = InputError::version;
    return std::nullopt;
  }
  if (bytes.size() < kInputHeaderSize)
    return 0;
  Reader reader(bytes.data() + 1);
  const uint8_t type = reader.u8();
  const size_t length = reader.u16();
  InputRecord found;
  found.sequence = reader.u32();
  found.after = reader.u32();
  found.time = reader.u32();
  const auto expected = body_length(type);
  if ((expected && length != *expected) || kInputHeaderSize + length > kInputMessageMax) {
    error = InputError::length;
    return std::nullopt;
  }
  if (found.sequence == 0 || found.after >= found.sequence) {
    error = InputError::sequence;
    return std::nullopt;
  }
  if (bytes.size() < kInputHeaderSize + length)
    return 0;
  if (expected) {
    auto body = read_body(static_cast<InputType>(type), Reader(bytes.data() + kInputHeaderSize));
    if (!body) {
      error = InputError::value;
      return std::nullopt;
    }
    found.body = std::move(*body);
    record = std::move(found);
  }
  return kInputHeaderSize + length;
}

InputDecoded decode_input(std::span<const uint8_t> message) {
  InputDecoded result;
  if (message.size() > kInputMessageMax) {
    result.error = InputError::oversize;
    return result;
  }
  while (!message.empty()) {
    std::optional<InputRecord> record;
    const auto size = decode_input_at(message, record, result.error);
    if (size && *size == 0)
      result.error = InputError::truncated;
    if (result.error != InputError::none) {
      result.records.clear();
      return result;
    }
    if (record)
      result.records.push_back(std::move(*record));
    message = message.subspan(*size);
  }
  return result;
}

void encode_input(const InputRecord& record, std::vector<uint8_t>& out) {
  Writer writer(out);
  writer.u8(kInputVersion);
  writer.u8(static_cast<uint8_t>(record.type()));
  writer.u16(static_cast<uint16_t>(*body_length(static_cast<uint8_t>(record.type()))));
  writer.u32(record.sequence);
  writer.u32(record.after);
  writer.u32(record.time);
  std::visit(BodyWriter{writer}, record.body);
}

}  // namespace vitrine
