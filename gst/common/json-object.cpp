// SPDX-License-Identifier: LGPL-2.1-or-later
// What json-glib is too lenient about, in front of it.
#include "common/json-object.h"

#include <cstring>

namespace vitrine {
namespace {

constexpr int kNestingMax = 16;

/// True if the text holds the tokens of one JSON object and nothing else, not nested deeper than real messages are. json-glib takes
/// more than JSON (comments, 'strings', assignments, several values) and recurses into nested values as deep as they go.
bool is_plain_json(std::string_view text) {
  int depth = 0;
  bool ended = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
      continue;
    if (ended || (depth == 0 && c != '{'))
      return false;
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i)
        i += text[i] == '\\';
    } else if (c == '{' || c == '[') {
      if (++depth > kNestingMax)
        return false;
    } else if (c == '}' || c == ']') {
      ended = --depth == 0;
    } else if (c == 't' || c == 'f' || c == 'n') {
      const std::string_view word = c == 't' ? "true" : c == 'f' ? "false" : "null";
      if (!text.substr(i).starts_with(word))
        return false;
      i += word.size() - 1;
    } else if (!g_ascii_isdigit(c) && !std::strchr("+-.eE:,", c)) {
      return false;
    }
  }
  return ended;
}

}  // namespace

JsonObject* parse_json_object(std::string_view text, JsonParserPtr& parser) {
  if (!g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) || !is_plain_json(text))
    return nullptr;
  parser.reset(json_parser_new_immutable());
  if (!json_parser_load_from_data(parser.get(), text.data(), static_cast<gssize>(text.size()), nullptr))
    return nullptr;
  JsonNode* root = json_parser_get_root(parser.get());
  return root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : nullptr;
}

std::string json_string(std::string_view value) {
  char* valid = g_utf8_make_valid(value.data(), static_cast<gssize>(value.size()));
  std::string out = "\"";
  for (const char* p = valid; *p; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += *p;
    } else if (c < 0x20 || c == 0x7f) {
      char escape[8];
      g_snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += *p;
    }
  }
  g_free(valid);
  return out + '"';
}

}  // namespace vitrine
