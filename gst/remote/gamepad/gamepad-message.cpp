// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading and writing messages about gamepads.
#include "remote/gamepad/gamepad-message.h"

#include <cmath>

#include "common/json-object.h"

namespace vitrine {
namespace {

constexpr char kSession[] = "\"desktop/session\"";

/// From 0 to 1 with three decimals, whatever the locale.
std::string strength(uint16_t value) {
  const long thousandths = std::lround(value * 1000.0 / 65535);
  const std::string digits = std::to_string(thousandths % 1000);
  return std::to_string(thousandths / 1000) + "." + std::string(3 - digits.size(), '0') + digits;
}

}  // namespace

std::optional<std::string> holder_of_session(std::string_view text) {
  // Most messages carry clipboards: they are not parsed here too.
  if (text.size() > 65536 || text.find(kSession) == std::string_view::npos)
    return std::nullopt;
  JsonParserPtr parser;
  JsonObject* object = parse_json_object(text, parser);
  if (!object || json_object_has_member(object, "from"))
    return std::nullopt;
  const auto text_of = [object](const char* member) -> const char* {
    JsonNode* node = json_object_get_member(object, member);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : nullptr;
  };
  const char* type = text_of("type");
  if (!type || std::string_view(type) != "desktop/session")
    return std::nullopt;
  const char* holder = text_of("holder");
  return holder ? holder : "";
}

std::string gamepads_message() { return R"({"type":"desktop/gamepads","most":)" + std::to_string(kPadsMost) + "}"; }

std::string rumble_message(const std::string& viewer, const PadPlayer::Order& order) {
  return R"({"type":"desktop/gamepad-rumble","to":)" + json_string(viewer) + R"(,"pad":)" + std::to_string(order.pad) + R"(,"strong":)" +
         strength(order.rumble.strong) + R"(,"weak":)" + strength(order.rumble.weak) + R"(,"duration":)" + std::to_string(order.duration_ms) + "}";
}

}  // namespace vitrine
