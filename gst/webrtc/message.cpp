// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading and writing session messages with json-glib.
#include "webrtc/message.h"

#include <json-glib/json-glib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace vitrine {
namespace {

/// Reads members of one message; remembers the first that is missing or of the wrong kind.
class Members {
 public:
  explicit Members(JsonObject* object) : object_(object) {}

  std::string text(const char* name, size_t max, bool must) {
    JsonNode* node = value(name, must, G_TYPE_STRING);
    if (!node)
      return "";
    std::string text = json_node_get_string(node);
    if (text.size() > max) {
      if (must)
        fail(name, "is too long");
      return "";
    }
    return text;
  }
  double number(const char* name, bool must) {
    JsonNode* node = json_object_get_member(object_, name);
    if (node && JSON_NODE_HOLDS_VALUE(node)) {
      const GType type = json_node_get_value_type(node);
      if (type == G_TYPE_INT64)
        return static_cast<double>(json_node_get_int(node));
      if (type == G_TYPE_DOUBLE && std::isfinite(json_node_get_double(node)))
        return json_node_get_double(node);
    }
    if (must)
      fail(name, node ? "must be a number" : "is missing");
    return 0;
  }
  bool boolean(const char* name) {
    JsonNode* node = value(name, true, G_TYPE_BOOLEAN);
    return node && json_node_get_boolean(node);
  }
  bool has(const char* name) { return json_object_has_member(object_, name); }
  std::vector<std::string> texts(const char* name, size_t max_count, size_t max, bool must = true) {
    std::vector<std::string> result;
    JsonNode* node = json_object_get_member(object_, name);
    if (!node && !must)
      return result;
    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
      fail(name, node ? "must be an array" : "is missing");
      return result;
    }
    JsonArray* array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array) && i < max_count; ++i) {
      JsonNode* element = json_array_get_element(array, i);
      if (!JSON_NODE_HOLDS_VALUE(element) || json_node_get_value_type(element) != G_TYPE_STRING) {
        fail(name, "must hold strings");
        break;
      }
      std::string text = json_node_get_string(element);
      if (text.size() <= max)
        result.push_back(std::move(text));
    }
    return result;
  }
  /// Rows of whole numbers; each has `least` to `most` of them.
  std::vector<std::vector<int64_t>> rows(const char* name, size_t max_count, size_t least, size_t most) {
    std::vector<std::vector<int64_t>> result;
    JsonNode* node = json_object_get_member(object_, name);
    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
      fail(name, node ? "must be an array" : "is missing");
      return result;
    }
    JsonArray* array = json_node_get_array(node);
    if (json_array_get_length(array) > max_count)
      fail(name, "is too long");
    for (guint i = 0; i < json_array_get_length(array) && error_.empty(); ++i) {
      JsonNode* row = json_array_get_element(array, i);
      const guint length = JSON_NODE_HOLDS_ARRAY(row) ? json_array_get_length(json_node_get_array(row)) : 0;
      if (length < least || length > most) {
        fail(name, "holds a row of another length");
        break;
      }
      auto& numbers = result.emplace_back();
      for (guint j = 0; j < length; ++j) {
        JsonNode* number = json_array_get_element(json_node_get_array(row), j);
        if (!JSON_NODE_HOLDS_VALUE(number) || json_node_get_value_type(number) != G_TYPE_INT64) {
          fail(name, "must hold whole numbers");
          break;
        }
        numbers.push_back(json_node_get_int(number));
      }
    }
    return result;
  }
  void fail(const char* name, const char* what) {
    if (error_.empty())
      error_ = std::string("member '") + name + "' " + what;
  }
  const std::string& error() const { return error_; }

 private:
  JsonNode* value(const char* name, bool must, GType type) {
    JsonNode* node = json_object_get_member(object_, name);
    if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type)
      return node;
    if (must)
      fail(name, node ? "has the wrong kind" : "is missing");
    return nullptr;
  }

  JsonObject* object_;
  std::string error_;
};

LatencyMessage read_latency(Members& members) {
  LatencyMessage message;
  message.report.sure = members.boolean("sure");
  message.report.uncertainty_us = static_cast<int64_t>(std::clamp(members.number("uncertainty", true), 0.0, 1e12));
  for (const auto& row : members.rows("frames", LatencyMeter::kReportFramesMax, 4, 5)) {
    if (!members.error().empty())
      break;
    // What lies beyond is absurd; where exactly does not matter.
    const auto time = [&](size_t index) { return std::clamp<int64_t>(row[index], -1, 2 * LatencyMeter::kMostUs); };
    const bool known = row[0] > 0 && row[0] <= UINT32_MAX;
    message.report.frames.push_back({known ? static_cast<uint32_t>(row[0]) : 0, time(1), time(2), time(3), row.size() > 4 ? time(4) : 0});
  }
  return message;
}

InputMessage read_input(Members& members) {
  InputMessage message;
  const std::string text = members.text("records", (InputMessage::kMax + 2) / 3 * 4, true);
  gsize size = 0;
  guchar* bytes = g_base64_decode(text.c_str(), &size);
  message.records.assign(bytes, bytes + size);
  g_free(bytes);
  if (message.records.empty() || message.records.size() > InputMessage::kMax)
    members.fail("records", "is not base64 of 1 to 4096 bytes");
  return message;
}

int64_t read_id(Members& members) { return static_cast<int64_t>(std::clamp(members.number("id", true), -1.0, 1e15)); }

ViewerMessage read_message(const std::string& type, Members& members) {
  if (type == "hello") {
    HelloMessage hello;
    if (members.number("version", true) != 1)
      members.fail("version", "must be 1");
    hello.codecs = members.texts("codecs", 16, 16);
    hello.decodes = members.texts("decodes", 16, 16, false);
    if (members.has("transports")) {
      const auto transports = members.texts("transports", 8, 16, false);
      hello.webrtc = std::find(transports.begin(), transports.end(), "webrtc") != transports.end();
      hello.websocket = std::find(transports.begin(), transports.end(), "websocket") != transports.end();
    }
    hello.frames = members.has("frames") && members.boolean("frames");
    hello.client = members.text("client", 128, false);
    hello.name = members.text("name", 64, false);
    hello.resume = members.text("resume", 64, false);
    if (members.has("offer"))
      hello.offer = members.text("offer", kMessageMax, true);
    hello.renegotiates = hello.offer.empty() && (!members.has("renegotiates") || members.boolean("renegotiates"));
    return hello;
  }
  if (type == "answer") {
    AnswerMessage answer;
    answer.id = read_id(members);
    answer.sdp = members.text("sdp", kMessageMax, true);
    return answer;
  }
  if (type == "candidate")
    return CandidateMessage{members.text("candidate", 1024, true), members.text("mid", 32, false)};
  if (type == "ping")
    return PingMessage{members.number("t", true)};
  if (type == "keyframe")
    return KeyframeMessage{};
  if (type == "visible")
    return VisibleMessage{members.boolean("value")};
  if (type == "renegotiate")
    return RenegotiateMessage{members.has("id") ? std::optional(read_id(members)) : std::nullopt};
  if (type == "control-request")
    return ControlRequestMessage{};
  if (type == "control-release")
    return ControlReleaseMessage{};
  if (type == "control-answer")
    return ControlAnswerMessage{members.text("peer", 64, true), members.boolean("granted")};
  if (type == "microphone")
    return MicrophoneMessage{members.boolean("on")};
  if (type == "input")
    return read_input(members);
  if (type == "bye")
    return ByeMessage{};
  if (type == "attach")
    return AttachMessage{members.text("token", 64, true)};
  if (type == "media-shown")
    return MediaShownMessage{read_id(members)};
  if (type == "latency")
    return read_latency(members);
  return UnknownMessage{};
}

}  // namespace

std::optional<ViewerMessage> parse_viewer_message(std::string_view text, std::string& error) {
  error.clear();
  if (text.size() > kMessageMax) {
    error = "message is too large";
    return std::nullopt;
  }
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(text, parser);
  if (!object) {
    error = "message is not a JSON object";
    return std::nullopt;
  }
  Members members(object);
  const std::string type = members.text("type", 64, true);
  if (members.error().empty() && type.starts_with("desktop/"))
    return DesktopMessage{std::string(text)};
  ViewerMessage message = read_message(type, members);
  if (!members.error().empty()) {
    error = members.error() + (type.empty() ? "" : " in '" + json_string(type) + "'");
    return std::nullopt;
  }
  return message;
}

std::optional<std::string> edit_desktop_message(std::string_view text, const char* name, const char* value,
                                                std::string* former) {
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(text, parser);
  if (!object)
    return std::nullopt;
  Members members(object);
  if (!members.text("type", 64, true).starts_with("desktop/"))
    return std::nullopt;
  if (former)
    *former = members.text(name, 64, false);
  // The parsed object is immutable: copy its members, all but `name`.
  JsonObject* edited = json_object_new();
  JsonObjectIter iter;
  const char* member;
  JsonNode* node;
  json_object_iter_init(&iter, object);
  while (json_object_iter_next(&iter, &member, &node))
    if (g_strcmp0(member, name) != 0)
      json_object_set_member(edited, member, json_node_copy(node));
  if (value)
    json_object_set_string_member(edited, name, value);
  JsonNode* root = json_node_new(JSON_NODE_OBJECT);
  json_node_take_object(root, edited);
  char* out = json_to_string(root, FALSE);
  std::string result = out;
  g_free(out);
  json_node_unref(root);
  return result;
}

MessageWriter::MessageWriter(const char* type) : out_("{\"type\":") { out_ += json_string(type); }

void MessageWriter::member(const char* name) {
  out_ += ',';
  out_ += json_string(name);
  out_ += ':';
}

MessageWriter& MessageWriter::text(const char* name, std::string_view value) {
  member(name);
  out_ += json_string(value);
  return *this;
}

MessageWriter& MessageWriter::number(const char* name, double value) {
  member(name);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  // 17 digits keep any double; whole numbers print without a point.
  out_ += std::isfinite(value) ? g_ascii_formatd(text, sizeof text, "%.17g", value) : "null";
  return *this;
}

MessageWriter& MessageWriter::boolean(const char* name, bool value) { return raw(name, value ? "true" : "false"); }
MessageWriter& MessageWriter::null(const char* name) { return raw(name, "null"); }

MessageWriter& MessageWriter::raw(const char* name, std::string_view json) {
  member(name);
  out_ += json;
  return *this;
}

std::string MessageWriter::finish() { return out_ + "}"; }

}  // namespace vitrine
