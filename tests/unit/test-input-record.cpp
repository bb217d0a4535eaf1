// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the same vectors as web/src/core/input-record.test.ts.
#include "protocol/input-record.h"

#include <gtest/gtest.h>
#include <json-glib/json-glib.h>

#include <cstdlib>
#include <random>

namespace vitrine {
namespace {

std::vector<uint8_t> from_hex(const std::string& hex) {
  std::string digits;
  for (char c : hex)
    if (c != ' ')
      digits += c;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

int64_t number(JsonObject* object, const char* name) {
  return json_object_has_member(object, name) ? json_object_get_int_member(object, name) : 0;
}

template <typename T>
T field(JsonObject* object, const char* name) {
  return static_cast<T>(number(object, name));
}

PicturePosition position(JsonObject* object) {
  return {field<uint16_t>(object, "x"), field<uint16_t>(object, "y"), field<uint16_t>(object, "width"),
          field<uint16_t>(object, "height")};
}

PadState pad_state(JsonObject* object) {
  PadState state{field<uint8_t>(object, "pad"), field<uint32_t>(object, "buttons"), {}};
  JsonArray* axes = json_object_get_array_member(object, "axes");
  for (guint i = 0; i < state.axes.size(); ++i)
    state.axes[i] = static_cast<int16_t>(json_array_get_int_element(axes, i));
  return state;
}

InputBody body(JsonObject* object) {
  const std::string type = json_object_get_string_member(object, "type");
  if (type == "key")
    return KeyInput{number(object, "down") != 0, number(object, "repeat") != 0, field<uint16_t>(object, "code"),
                    field<uint32_t>(object, "keysym"), field<uint16_t>(object, "modifiers"),
                    static_cast<KeyMeaning>(number(object, "meaning"))};
  if (type == "pointer")
    return PointerInput{position(object)};
  if (type == "motion")
    return MotionInput{field<int16_t>(object, "dx"), field<int16_t>(object, "dy")};
  if (type == "button") {
    ButtonInput button{field<uint8_t>(object, "button"), number(object, "down") != 0, {}};
    if (json_object_has_member(object, "x"))
      button.position = position(object);
    return button;
  }
  if (type == "scroll")
    return ScrollInput{field<int32_t>(object, "dx"), field<int32_t>(object, "dy")};
  if (type == "release")
    return ReleaseInput{};
  if (type == "pad")
    return PadInput{field<uint8_t>(object, "pad"), static_cast<PadKind>(number(object, "kind")), field<uint8_t>(object, "buttons"),
                    field<uint8_t>(object, "axes")};
  if (type == "padAxes")
    return PadAxesInput{pad_state(object)};
  if (type == "padButtons")
    return PadButtonsInput{pad_state(object)};
  EXPECT_EQ(type, "alive");
  return AliveInput{};
}

const char* error_name(InputError error) {
  switch (error) {
    case InputError::none: return "none";
    case InputError::truncated: return "truncated";
    case InputError::version: return "version";
    case InputError::length: return "length";
    case InputError::sequence: return "sequence";
    case InputError::value: return "value";
    case InputError::oversize: return "oversize";
  }
  return "?";
}

class InputVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* dir = std::getenv("VITRINE_VECTORS_DIR");
    ASSERT_NE(dir, nullptr) << "run by `meson test`, which sets VITRINE_VECTORS_DIR";
    parser_ = json_parser_new();
    GError* error = nullptr;
    ASSERT_TRUE(json_parser_load_from_file(parser_, (std::string(dir) + "/input-records.json").c_str(), &error))
        << error->message;
    root_ = json_node_get_object(json_parser_get_root(parser_));
  }
  void TearDown() override { g_clear_object(&parser_); }
  JsonArray* array(const char* name) { return json_object_get_array_member(root_, name); }

  JsonParser* parser_ = nullptr;
  JsonObject* root_ = nullptr;
};

TEST_F(InputVectors, ValidMessagesDecodeAndEncodeBack) {
  JsonArray* vectors = array("valid");
  ASSERT_GT(json_array_get_length(vectors), 8u);
  for (guint i = 0; i < json_array_get_length(vectors); ++i) {
    JsonObject* vector = json_array_get_object_element(vectors, i);
    SCOPED_TRACE(json_object_get_string_member(vector, "name"));
    const auto bytes = from_hex(json_object_get_string_member(vector, "hex"));
    const auto decoded = decode_input(bytes);
    EXPECT_EQ(decoded.error, InputError::none);
    std::vector<InputRecord> expected;
    JsonArray* records = json_object_get_array_member(vector, "records");
    for (guint k = 0; k < json_array_get_length(records); ++k) {
      JsonObject* record = json_array_get_object_element(records, k);
      expected.push_back({field<uint32_t>(record, "sequence"), field<uint32_t>(record, "after"),
                          field<uint32_t>(record, "time"), body(record)});
    }
    EXPECT_TRUE(decoded.records == expected);
    if (json_object_has_member(vector, "reencode") && !json_object_get_boolean_member(vector, "reencode"))
      continue;
    std::vector<uint8_t> encoded;
    for (const auto& record : decoded.records)
      encode_input(record, encoded);
    EXPECT_EQ(encoded, bytes);
  }
}

TEST_F(InputVectors, InvalidMessagesAreRefusedAsAWhole) {
  JsonArray* vectors = array("invalid");
  ASSERT_GT(json_array_get_length(vectors), 8u);
  for (guint i = 0; i < json_array_get_length(vectors); ++i) {
    JsonObject* vector = json_array_get_object_element(vectors, i);
    SCOPED_TRACE(json_object_get_string_member(vector, "name"));
    const auto decoded = decode_input(from_hex(json_object_get_string_member(vector, "hex")));
    EXPECT_STREQ(error_name(decoded.error), json_object_get_string_member(vector, "error"));
    EXPECT_TRUE(decoded.records.empty());
  }
}

TEST(InputRecord, AnOversizeMessageIsRefused) {
  EXPECT_EQ(decode_input(std::vector<uint8_t>(kInputMessageMax + 1, 1)).error, InputError::oversize);
}

TEST(InputRecord, RandomBytesNeverDecodeBeyondTheirEnd) {
  std::mt19937 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes(random() % 96);
    for (auto& byte : bytes)
      byte = static_cast<uint8_t>(random());
    if (!bytes.empty())
      bytes[0] = kInputVersion;
    if (bytes.size() > 4) {
      bytes[1] = static_cast<uint8_t>(random() % 12);
      bytes[2] = 0;
      bytes[3] = static_cast<uint8_t>(random() % 26);
    }
    const auto decoded = decode_input(bytes);
    EXPECT_TRUE(decoded.error != InputError::none || decoded.records.size() <= bytes.size() / kInputHeaderSize);
  }
}

}  // namespace
}  // namespace vitrine
