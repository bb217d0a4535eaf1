// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading and writing lines.
#include "webrtc/signalling/demo-line.h"

#include <json-glib/json-glib.h>

#include <algorithm>

#include "common/json-object.h"

namespace vitrine {
namespace {

JsonObject* object_member(JsonObject* object, const char* name) {
  JsonNode* node = json_object_get_member(object, name);
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : nullptr;
}

const char* text_member(JsonObject* object, const char* name) {
  JsonNode* node = json_object_get_member(object, name);
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : nullptr;
}

SignallingLine parse_json(std::string_view text) {
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(text, parser);
  if (!object)
    return line::Unknown{};
  if (JsonObject* description = object_member(object, "sdp")) {
    const char* type = text_member(description, "type");
    const char* sdp = text_member(description, "sdp");
    if (!type || !sdp || (std::string_view(type) != "offer" && std::string_view(type) != "answer"))
      return line::Unknown{};
    return line::Description{std::string_view(type) == "offer", sdp};
  }
  if (JsonObject* ice = object_member(object, "ice")) {
    const char* candidate = text_member(ice, "candidate");
    const char* mid = text_member(ice, "sdpMid");
    JsonNode* index = json_object_get_member(ice, "sdpMLineIndex");
    if (!candidate)
      return line::Unknown{};
    const bool number = index && JSON_NODE_HOLDS_VALUE(index) && json_node_get_value_type(index) == G_TYPE_INT64;
    return line::Candidate{candidate, mid ? mid : "", number ? static_cast<int>(std::clamp<gint64>(json_node_get_int(index), 0, 16)) : 0};
  }
  return text_member(object, "type") ? SignallingLine(line::Session{}) : SignallingLine(line::Unknown{});
}

}  // namespace

bool is_peer_id(std::string_view id) {
  return !id.empty() && id.size() <= kPeerIdMax && std::all_of(id.begin(), id.end(), [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

SignallingLine parse_signalling_line(std::string_view text) {
  if (text.size() > kSignallingLineMax)
    return line::Unknown{};
  if (text == "HELLO")
    return line::Hello{};
  // What the peer said of itself may follow.
  if (text == "SESSION_OK" || text.starts_with("SESSION_OK "))
    return line::SessionOk{};
  if (text == "OFFER_REQUEST")
    return line::OfferRequest{};
  if (text.starts_with("ERROR"))
    return line::Error{std::string(text.substr(std::min<size_t>(text.size(), 6), 256))};
  return text.starts_with("{") ? parse_json(text) : line::Unknown{};
}

std::string description_line(bool offer, std::string_view sdp) {
  return std::string(R"({"sdp":{"type":")") + (offer ? "offer" : "answer") + R"(","sdp":)" + json_string(sdp) + "}}";
}

std::string candidate_line(std::string_view candidate, std::string_view mid, size_t index) {
  return R"({"ice":{"candidate":)" + json_string(candidate) + R"(,"sdpMLineIndex":)" + std::to_string(index) +
         (mid.empty() ? "" : R"(,"sdpMid":)" + json_string(mid)) + "}}";
}

}  // namespace vitrine
