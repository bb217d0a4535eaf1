// SPDX-License-Identifier: LGPL-2.1-or-later
// One JSON object out of a text that is not trusted, by json-glib.
#pragma once

#include <json-glib/json-glib.h>

#include <memory>
#include <string>
#include <string_view>

namespace vitrine {

struct JsonParserUnref {
  void operator()(JsonParser* parser) const { g_object_unref(parser); }
};
using JsonParserPtr = std::unique_ptr<JsonParser, JsonParserUnref>;

/// The text's object, owned by `parser` and immutable; null if the text is not exactly one JSON object in UTF-8, or one that is nested
/// deeper than 16. json-glib alone would take more than JSON, and recurse as deep as a text goes.
JsonObject* parse_json_object(std::string_view text, JsonParserPtr& parser);

/// A JSON string literal; invalid UTF-8 becomes U+FFFD.
std::string json_string(std::string_view value);

}  // namespace vitrine
