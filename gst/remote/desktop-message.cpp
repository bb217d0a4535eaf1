// SPDX-License-Identifier: LGPL-2.1-or-later
// Parsing of what viewers say to the desktop.
#include "remote/desktop-message.h"

#include <cmath>

#include "common/json-object.h"

namespace vitrine {
namespace {

constexpr size_t kTypeMax = 64, kPeerMax = 64, kItemsMax = 3, kViewersMax = 1000;
constexpr size_t kDataMax = 49152;  // base64 of 36 KiB
constexpr double kBytesMax = 1e12;

/// Members of one object; the first that is wrong is remembered.
class Members {
 public:
  explicit Members(JsonObject* object) : object_(object) {}

  std::string text(const char* name, size_t most) {
    JsonNode* node = find(name, G_TYPE_STRING);
    const char* value = node ? json_node_get_string(node) : "";
    if (std::string_view(value).size() <= most)
      return value;
    wrong(name);
    return "";
  }
  std::string optional_text(const char* name, size_t most) {
    JsonNode* node = json_object_get_member(object_, name);
    return !node || JSON_NODE_HOLDS_NULL(node) ? "" : text(name, most);
  }
  double number(const char* name, double least, double most) {
    JsonNode* node = json_object_get_member(object_, name);
    const bool good = node && JSON_NODE_HOLDS_VALUE(node) &&
                      (json_node_get_value_type(node) == G_TYPE_INT64 || json_node_get_value_type(node) == G_TYPE_DOUBLE);
    const double value = good ? json_node_get_double(node) : NAN;
    if (value >= least && value <= most)
      return value;
    wrong(name);
    return least;
  }
  uint32_t id() { return static_cast<uint32_t>(number("id", 1, 4294967295.0)); }
  uint64_t count(const char* name) { return static_cast<uint64_t>(number(name, 0, kBytesMax)); }
  JsonArray* array(const char* name, size_t most) {
    JsonNode* node = json_object_get_member(object_, name);
    if (node && JSON_NODE_HOLDS_ARRAY(node) && json_array_get_length(json_node_get_array(node)) <= most)
      return json_node_get_array(node);
    wrong(name);
    return nullptr;
  }
  void wrong(const char* name) {
    if (error_.empty())
      error_ = std::string("'") + name + "' is missing or wrong";
  }
  const std::string& error() const { return error_; }

 private:
  JsonNode* find(const char* name, GType type) {
    JsonNode* node = json_object_get_member(object_, name);
    if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type)
      return node;
    wrong(name);
    return nullptr;
  }
  JsonObject* const object_;
  std::string error_;
};

SessionState read_session(Members& members) {
  SessionState state;
  state.holder = members.optional_text("holder", kPeerMax);
  JsonArray* viewers = members.array("viewers", kViewersMax);
  for (guint i = 0; viewers && i < json_array_get_length(viewers); ++i) {
    JsonNode* node = json_array_get_element(viewers, i);
    const char* name = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : nullptr;
    if (name && *name && std::string_view(name).size() <= kPeerMax)
      state.viewers.emplace_back(name);
    else
      members.wrong("viewers");
  }
  return state;
}

ClipboardBegin read_begin(Members& members) {
  ClipboardBegin begin;
  begin.id = members.id();
  JsonArray* items = members.array("items", kItemsMax);
  for (guint i = 0; items && i < json_array_get_length(items); ++i) {
    JsonNode* node = json_array_get_element(items, i);
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
      members.wrong("items");
      break;
    }
    Members item(json_node_get_object(node));
    const std::string type = item.text("type", kTypeMax);
    const uint64_t size = item.count("size");
    if (!item.error().empty())
      members.wrong("items");
    begin.items.emplace_back(type, size);
  }
  if (begin.items.empty())
    members.wrong("items");
  return begin;
}

ClipboardData read_data(Members& members) {
  ClipboardData data{members.id(), members.count("offset"), {}};
  const std::string text = members.text("data", kDataMax);
  // glib's decoder passes over what is no base64: all of it must be.
  const size_t end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  const bool padded = end != std::string::npos && text.size() - end <= 2 && text.find_first_not_of('=', end) == std::string::npos;
  if (text.empty() || text.size() % 4 != 0 || (end != std::string::npos && !padded)) {
    members.wrong("data");
    return data;
  }
  gsize size = 0;
  guchar* bytes = g_base64_decode(text.c_str(), &size);
  data.bytes.assign(reinterpret_cast<const char*>(bytes), size);
  g_free(bytes);
  return data;
}

}  // namespace

std::optional<ParsedDesktopMessage> parse_desktop_message(std::string_view text, std::string& error) {
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(text, parser);
  if (!object) {
    error = "it is not a JSON object";
    return std::nullopt;
  }
  Members members(object);
  ParsedDesktopMessage parsed;
  const std::string type = members.text("type", kTypeMax);
  parsed.from = members.optional_text("from", kPeerMax);
  if (type == "desktop/session") {
    // A viewer cannot say this: what it sends has its name in it.
    if (parsed.from.empty())
      parsed.message = read_session(members);
  } else if (type == "desktop/size") {
    parsed.message = SizeWish{static_cast<int>(members.number("width", 1, 65535)), static_cast<int>(members.number("height", 1, 65535)),
                              members.number("scale", 0.25, 8)};
  } else if (type == "desktop/clipboard") {
    parsed.message = read_begin(members);
  } else if (type == "desktop/clipboard-data") {
    parsed.message = read_data(members);
  } else if (type == "desktop/clipboard-ack") {
    parsed.message = ClipboardAck{members.id(), members.count("received")};
  } else if (type == "desktop/clipboard-refused") {
    parsed.message = ClipboardRefused{members.id()};
  } else if (type == "desktop/clipboard-get") {
    parsed.message = ClipboardGet{};
  }
  if (members.error().empty())
    return parsed;
  error = type + ": " + members.error();
  return std::nullopt;
}

}  // namespace vitrine
