// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading desktop/keyboard.
#include "remote/keyboard-message.h"

#include <cstdlib>

#include "common/json-object.h"

namespace vitrine {
namespace {

constexpr guint kKeysMax = 256;
constexpr long kCodeMax = 247;  // X keycode 255

const char* text_of(JsonNode* node) {
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : nullptr;
}

bool read_keys(JsonNode* node, KeyTexts& keys) {
  if (!JSON_NODE_HOLDS_OBJECT(node) || json_object_get_size(json_node_get_object(node)) > kKeysMax)
    return false;
  JsonObjectIter iter;
  const char* name;
  JsonNode* value;
  json_object_iter_init(&iter, json_node_get_object(node));
  while (json_object_iter_next(&iter, &name, &value)) {
    char* end = nullptr;
    const long code = std::strtol(name, &end, 10);
    const char* text = text_of(value);
    if (*end || end == name || code < 1 || code > kCodeMax || !text || g_utf8_strlen(text, -1) != 1)
      return false;
    keys[static_cast<uint16_t>(code)] = g_utf8_get_char(text);
  }
  return true;
}

}  // namespace

MessageKind parse_keyboard_message(std::string_view text, KeyboardMessage& message) {
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(text, parser);
  if (!object)
    return MessageKind::malformed;
  const char* type = text_of(json_object_get_member(object, "type"));
  if (!type)
    return MessageKind::malformed;
  if (std::string_view(type) != "desktop/keyboard")
    return MessageKind::not_ours;
  if (JsonNode* layout = json_object_get_member(object, "layout")) {
    const char* name = text_of(layout);
    message.layout = name ? parse_layout_name(name) : std::nullopt;
    return message.layout ? MessageKind::ours : MessageKind::malformed;
  }
  JsonNode* keys = json_object_get_member(object, "keys");
  return keys && read_keys(keys, message.keys) ? MessageKind::ours : MessageKind::malformed;
}

}  // namespace vitrine
