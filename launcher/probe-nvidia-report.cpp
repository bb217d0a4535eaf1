// SPDX-License-Identifier: LGPL-2.1-or-later
// The child's JSON in words.
#include <json-glib/json-glib.h>

#include <memory>

#include "common/ref.h"
#include "probe-nvidia.h"
#include "probe-process.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr gint64 kLimitUs = 10 * G_USEC_PER_SEC;

struct NodeFree {
  void operator()(JsonNode* node) const { json_node_unref(node); }
};

JsonObject* member(JsonObject* object, const char* name) {
  JsonNode* node = object ? json_object_get_member(object, name) : nullptr;
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : nullptr;
}

std::string text(JsonObject* object, const char* name) {
  JsonNode* node = object ? json_object_get_member(object, name) : nullptr;
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : "";
}

int number(JsonObject* object, const char* name) {
  JsonNode* node = object ? json_object_get_member(object, name) : nullptr;
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64 ? static_cast<int>(json_node_get_int(node)) : 0;
}

bool flag(JsonObject* object, const char* name) {
  JsonNode* node = json_object_get_member(object, name);
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN && json_node_get_boolean(node);
}

std::string codec_text(const char* name, JsonObject* codec) {
  std::string out = std::string(name) + " " + _("up to") + " " + std::to_string(number(codec, "width-max")) + "x" +
                    std::to_string(number(codec, "height-max"));
  const std::pair<const char*, const char*> abilities[] = {{"444", "4:4:4"},
                                                          {"10-bit", _("10 bit")},
                                                          {"lossless", _("lossless")},
                                                          {"intra-refresh", _("intra refresh")},
                                                          {"reference-invalidation", _("reference invalidation")}};
  for (const auto& [field, words] : abilities)
    if (flag(codec, field))
      out += std::string(", ") + words;
  return out + ", " + _("engines:") + " " + std::to_string(number(codec, "engines"));
}

}  // namespace

std::vector<std::string> nvidia_lines(const std::string& json) {
  const std::unique_ptr<JsonNode, NodeFree> node(json_from_string(json.c_str(), nullptr));
  if (!node || !JSON_NODE_HOLDS_OBJECT(node.get()))
    return {};
  JsonObject* root = json_node_get_object(node.get());
  JsonObject* nvenc = member(root, "nvenc");
  JsonObject* capture = member(root, "capture");
  std::vector<std::string> lines;
  if (const std::string error = text(nvenc, "error"); !error.empty()) {
    lines.push_back(std::string("  NVENC: ") + _("none:") + " " + error);
  } else if (nvenc) {
    lines.push_back("  NVENC " + text(nvenc, "driver-api") + ": " + text(nvenc, "gpu") + ", " + _("sessions that can be opened:") + " " +
                    std::to_string(number(nvenc, "sessions")));
    JsonObject* codecs = member(nvenc, "codecs");
    for (const auto& [field, name] : {std::pair("h264", "H264"), std::pair("h265", "H265"), std::pair("av1", "AV1")})
      if (JsonObject* codec = member(codecs, field))
        lines.push_back("  NVENC " + codec_text(name, codec));
  }
  if (const std::string error = text(capture, "error"); !error.empty())
    lines.push_back("  ximagesrc-cuda: " + error);
  else if (capture)
    lines.push_back(std::string("  ximagesrc-cuda: ") + _("works, by") + " " + text(capture, "mode"));
  return lines;
}

std::vector<std::string> probe_nvidia(int number) {
  const GCharPtr self(g_file_read_link("/proc/self/exe", nullptr));
  const ProbeOutcome outcome = run_probe_process({self ? self.get() : "vitrine", "probe-nvidia", std::to_string(number)}, kLimitUs);
  auto lines = nvidia_lines(outcome.output);
  if (lines.empty())
    lines.push_back("  NVENC: " + (outcome.problem.empty() ? _("ends without an answer") : outcome.problem));
  return lines;
}

}  // namespace vitrine
