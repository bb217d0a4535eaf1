// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the same vectors as web/src/core/frame-record.test.ts.
#include "protocol/frame-record.h"

#include <gtest/gtest.h>
#include <json-glib/json-glib.h>

#include <cstdlib>
#include <functional>
#include <string>

namespace vitrine {
namespace {

std::vector<uint8_t> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

void each(const char* section, const std::function<void(JsonObject*, const std::string& name, const std::vector<uint8_t>&)>& check) {
  JsonParser* parser = json_parser_new();
  const std::string path = std::string(std::getenv("VITRINE_VECTORS_DIR")) + "/frames.json";
  ASSERT_TRUE(json_parser_load_from_file(parser, path.c_str(), nullptr)) << path;
  JsonArray* cases = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), section);
  ASSERT_GT(json_array_get_length(cases), 0u);
  for (guint i = 0; i < json_array_get_length(cases); ++i) {
    JsonObject* object = json_array_get_object_element(cases, i);
    check(object, json_object_get_string_member(object, "name"), from_hex(json_object_get_string_member(object, "hex")));
  }
  g_object_unref(parser);
}

int64_t number(JsonObject* object, const char* name) { return json_object_get_int_member(object, name); }

TEST(FrameRecord, FramesAreWrittenAndRead) {
  each("frames", [](JsonObject* object, const std::string& name, const std::vector<uint8_t>& bytes) {
    const auto payload = from_hex(json_object_get_string_member(object, "payload"));
    const std::string kind = json_object_get_string_member(object, "kind");
    const FrameHeader header{kind == "video" ? FrameKind::video : FrameKind::audio, number(object, "key") == 1,
                             static_cast<uint32_t>(number(object, "id")), static_cast<uint32_t>(number(object, "nonce")),
                             static_cast<uint32_t>(number(object, "rtp")), static_cast<uint64_t>(number(object, "capture")),
                             static_cast<uint32_t>(payload.size())};
    const auto written = encode_frame_header(header);
    EXPECT_TRUE(std::equal(written.begin(), written.end(), bytes.begin())) << name;
    const auto read = decode_frame(bytes);
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(*read, header) << name;
  });
}

TEST(FrameRecord, OtherFramesAreRefused) {
  each("invalid_frames", [](JsonObject*, const std::string& name, const std::vector<uint8_t>& bytes) {
    EXPECT_FALSE(decode_frame(bytes)) << name;
  });
}

TEST(FrameRecord, AcknowledgementsAreReadAndWritten) {
  each("acks", [](JsonObject* object, const std::string& name, const std::vector<uint8_t>& bytes) {
    std::vector<FrameAck> expected;
    JsonArray* acks = json_object_get_array_member(object, "acks");
    for (guint i = 0; i < json_array_get_length(acks); ++i) {
      JsonObject* ack = json_array_get_object_element(acks, i);
      expected.push_back({static_cast<uint32_t>(number(ack, "id")), static_cast<uint32_t>(number(ack, "nonce")),
                          static_cast<uint32_t>(number(ack, "received")), static_cast<uint16_t>(number(ack, "queue"))});
    }
    const auto read = decode_acks(bytes);
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(*read, expected) << name;
    EXPECT_EQ(encode_acks(expected), bytes) << name;
  });
}

TEST(FrameRecord, OtherAcknowledgementsAreRefused) {
  each("invalid_acks", [](JsonObject*, const std::string& name, const std::vector<uint8_t>& bytes) {
    EXPECT_FALSE(decode_acks(bytes)) << name;
  });
}

TEST(FrameRecord, WhatIsSaidIsRead) {
  each("talk", [](JsonObject* object, const std::string& name, const std::vector<uint8_t>& bytes) {
    const auto packet = decode_talk(bytes);
    ASSERT_TRUE(packet) << name;
    const auto expected = from_hex(json_object_get_string_member(object, "packet"));
    EXPECT_TRUE(std::equal(packet->begin(), packet->end(), expected.begin(), expected.end())) << name;
  });
}

TEST(FrameRecord, OtherTalkIsRefused) {
  each("invalid_talk", [](JsonObject*, const std::string& name, const std::vector<uint8_t>& bytes) {
    EXPECT_FALSE(decode_talk(bytes)) << name;
  });
}

}  // namespace
}  // namespace vitrine
