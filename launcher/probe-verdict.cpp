// SPDX-License-Identifier: LGPL-2.1-or-later
// Choosing, and texts.
#include "probe-verdict.h"

#include <json-glib/json-glib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "common/ref.h"
#include "text.h"

namespace vitrine {
namespace {

struct NodeFree {
  void operator()(JsonNode* node) const { json_node_unref(node); }
};
using Node = std::unique_ptr<JsonNode, NodeFree>;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

JsonObject* object_of(const ProbeResult& result) {
  JsonObject* object = json_object_new();
  json_object_set_string_member(object, "profile", result.profile.c_str());
  json_object_set_string_member(object, "codec", result.codec.c_str());
  json_object_set_string_member(object, "encoder", result.encoder.c_str());
  json_object_set_string_member(object, "gpu", result.gpu.c_str());
  json_object_set_string_member(object, "problem", result.problem.c_str());
  json_object_set_boolean_member(object, "missing", result.missing);
  json_object_set_boolean_member(object, "measured", result.measured);
  json_object_set_boolean_member(object, "passed", result.passed());
  json_object_set_double_member(object, "ms-per-frame", rounded(result.ms_per_frame));
  json_object_set_double_member(object, "ms-noise", rounded(result.ms_noise));
  json_object_set_double_member(object, "ms-first", rounded(result.ms_first));
  json_object_set_int_member(object, "frames", result.frames);
  json_object_set_int_member(object, "held", result.held);
  json_object_set_boolean_member(object, "keyframe-first", result.keyframe_first);
  json_object_set_boolean_member(object, "keyframe-on-request", result.keyframe_on_request);
  json_object_set_boolean_member(object, "bitrate-without-keyframe", result.bitrate_without_keyframe);
  json_object_set_double_member(object, "kbit", rounded(result.kbit));
  JsonArray* remarks = json_array_new();
  for (const auto& remark : result.remarks)
    json_array_add_string_element(remarks, remark.c_str());
  json_object_set_array_member(object, "remarks", remarks);
  return object;
}

std::string printed(JsonObject* object, bool pretty) {
  const Node node(json_node_init_object(json_node_alloc(), object));
  json_object_unref(object);
  const GCharPtr text(json_to_string(node.get(), pretty));
  return text.get();
}

Node parsed(const std::string& text) {
  Node node(json_from_string(text.c_str(), nullptr));
  return node && JSON_NODE_HOLDS_OBJECT(node.get()) ? std::move(node) : nullptr;
}

/// Members of a JSON object; what is not there or of another type is empty.
class Members {
 public:
  explicit Members(JsonObject* object) : object_(object) {}
  std::string text(const char* name) const {
    JsonNode* node = value(name);
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : "";
  }
  double number(const char* name) const {
    JsonNode* node = value(name);
    return node && (json_node_get_value_type(node) == G_TYPE_DOUBLE || json_node_get_value_type(node) == G_TYPE_INT64)
               ? json_node_get_double(node)
               : 0;
  }
  unsigned count(const char* name) const { return static_cast<unsigned>(std::clamp(number(name), 0.0, 1e9)); }
  bool flag(const char* name) const {
    JsonNode* node = value(name);
    return node && json_node_get_value_type(node) == G_TYPE_BOOLEAN && json_node_get_boolean(node);
  }
  JsonArray* array(const char* name) const {
    JsonNode* node = json_object_get_member(object_, name);
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : nullptr;
  }
  std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> result;
    JsonArray* items = array(name);
    for (guint i = 0; items && i < json_array_get_length(items); ++i)
      if (JsonNode* node = json_array_get_element(items, i); JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        result.emplace_back(json_node_get_string(node));
    return result;
  }

 private:
  JsonNode* value(const char* name) const {
    JsonNode* node = json_object_get_member(object_, name);
    return node && JSON_NODE_HOLDS_VALUE(node) ? node : nullptr;
  }
  JsonObject* object_;
};

ProbeResult result_of(JsonObject* object) {
  const Members in(object);
  ProbeResult result;
  result.profile = in.text("profile");
  result.codec = in.text("codec");
  result.encoder = in.text("encoder");
  result.gpu = in.text("gpu");
  result.problem = in.text("problem");
  result.missing = in.flag("missing");
  result.measured = in.flag("measured");
  result.ms_per_frame = in.number("ms-per-frame");
  result.ms_noise = in.number("ms-noise");
  result.ms_first = in.number("ms-first");
  result.frames = in.count("frames");
  result.held = in.count("held");
  result.keyframe_first = in.flag("keyframe-first");
  result.keyframe_on_request = in.flag("keyframe-on-request");
  result.bitrate_without_keyframe = in.flag("bitrate-without-keyframe");
  result.kbit = in.number("kbit");
  result.remarks = in.texts("remarks");
  return result;
}

/// -1 if none passed of those that are `wanted`.
template <typename Wanted>
int fastest(const std::vector<ProbeResult>& results, Wanted wanted) {
  int best = -1;
  for (size_t i = 0; i < results.size(); ++i)
    if (results[i].passed() && wanted(results[i]) && (best < 0 || results[i].ms_per_frame < results[static_cast<size_t>(best)].ms_per_frame))
      best = static_cast<int>(i);
  return best;
}

/// The one that won before, in the present results; -1 if it is not there, did not pass, or that was about something else.
int place_of_winner(const ProbeReport& former, const ProbeReport& report) {
  if (former.winner < 0 || former.size != report.size || former.framerate != report.framerate)
    return -1;
  const ProbeResult& won = former.results[static_cast<size_t>(former.winner)];
  const auto found = std::find_if(report.results.begin(), report.results.end(), [&](const ProbeResult& one) {
    return one.passed() && one.profile == won.profile && one.codec == won.codec && one.encoder == won.encoder && one.gpu == won.gpu;
  });
  return found == report.results.end() ? -1 : static_cast<int>(found - report.results.begin());
}

}  // namespace

void choose_winner(ProbeReport& report, const ProbeReport* former) {
  report.winner = -1;
  const auto& results = report.results;
  const double budget = report.framerate > 0 ? 1000.0 / report.framerate : 1e9;
  for (size_t i = 0; i < results.size() && report.winner < 0; ++i)
    if (!results[i].gpu.empty() && results[i].passed() && results[i].ms_per_frame <= budget)
      report.winner = static_cast<int>(i);
  const bool keeps_up = report.winner >= 0;
  // The bitrate follows the path: an encoder that answers each change with a keyframe fills a narrow one with them.
  if (!keeps_up)
    report.winner = fastest(results, [&](const ProbeResult& one) { return one.bitrate_without_keyframe && one.ms_per_frame <= budget; });
  const bool steady = !keeps_up && report.winner >= 0;
  if (report.winner < 0)
    report.winner = fastest(results, [](const ProbeResult&) { return true; });
  const int before = !keeps_up && former ? place_of_winner(*former, report) : -1;
  bool kept = false;
  if (before >= 0 && before != report.winner) {
    const auto &best = results[static_cast<size_t>(report.winner)], &one = results[static_cast<size_t>(before)];
    kept = one.ms_per_frame - best.ms_per_frame <= one.ms_noise + best.ms_noise && (one.bitrate_without_keyframe || !steady);
  }
  if (kept)
    report.winner = before;
  if (report.winner < 0)
    report.why = _("no encoder passed");
  else if (keeps_up)
    report.why = _("the first encoder of a GPU that keeps up with the framerate");
  else if (kept)
    report.why = _("won before too, and none is faster by more than measurements differ");
  else if (!results[static_cast<size_t>(report.winner)].gpu.empty())
    report.why = _("the fastest that passed");
  else if (report.winner != fastest(results, [](const ProbeResult&) { return true; }))
    report.why = _("the fastest of the encoders in software that need no keyframe to change the bitrate");
  else
    report.why = _("the fastest of the encoders in software");
}

std::string to_json(const ProbeResult& result) { return printed(object_of(result), false); }

std::optional<ProbeResult> result_from_json(const std::string& text) {
  const Node node = parsed(text);
  return node ? std::optional(result_of(json_node_get_object(node.get()))) : std::nullopt;
}

std::string to_json(const ProbeReport& report) {
  JsonObject* object = json_object_new();
  json_object_set_int_member(object, "version", 1);
  json_object_set_string_member(object, "key", report.key.c_str());
  json_object_set_string_member(object, "size", report.size.c_str());
  json_object_set_int_member(object, "framerate", report.framerate);
  JsonArray* machine = json_array_new();
  for (const auto& line : report.machine)
    json_array_add_string_element(machine, line.c_str());
  json_object_set_array_member(object, "machine", machine);
  JsonArray* results = json_array_new();
  for (const auto& result : report.results)
    json_array_add_object_element(results, object_of(result));
  json_object_set_array_member(object, "results", results);
  json_object_set_int_member(object, "winner", report.winner);
  json_object_set_string_member(object, "why", report.why.c_str());
  return printed(object, true) + "\n";
}

std::optional<ProbeReport> report_from_json(const std::string& text) {
  const Node node = parsed(text);
  if (!node)
    return std::nullopt;
  const Members in(json_node_get_object(node.get()));
  ProbeReport report;
  report.key = in.text("key");
  report.size = in.text("size");
  report.framerate = in.count("framerate");
  report.machine = in.texts("machine");
  report.why = in.text("why");
  JsonArray* results = in.array("results");
  for (guint i = 0; results && i < json_array_get_length(results); ++i)
    if (JsonNode* one = json_array_get_element(results, i); JSON_NODE_HOLDS_OBJECT(one))
      report.results.push_back(result_of(json_node_get_object(one)));
  const double winner = in.number("winner");
  report.winner = winner >= 0 && winner < static_cast<double>(report.results.size()) ? static_cast<int>(winner) : -1;
  return in.number("version") == 1 && !report.key.empty() ? std::optional(report) : std::nullopt;
}

static std::string good(const ProbeReport& report, const ProbeResult& result) {
  const double least = report.winner < 0 ? 0 : report.results[static_cast<size_t>(report.winner)].ms_per_frame;
  if (least <= 0 || result.ms_per_frame <= 0)
    return _("good");
  char text[64];
  std::snprintf(text, sizeof text, "%s (%+.0f %%)", _("good"), 100 * (result.ms_per_frame / least - 1));
  return text;
}

std::string to_text(const ProbeReport& report) {
  std::string out;
  for (const auto& line : report.machine)
    out += line + "\n";
  char row[256];
  std::snprintf(row, sizeof row, "\n%-14s %-6s %-20s %9s %7s %7s  %s\n", _("profile"), _("codec"), _("encoder"), _("ms/frame"), _("first"),
                _("kbit/s"), _("verdict"));
  out += row;
  for (size_t i = 0; i < report.results.size(); ++i) {
    const auto& result = report.results[i];
    std::string verdict = static_cast<int>(i) == report.winner ? _("wins") : result.passed() ? good(report, result) : result.problem;
    for (const auto& remark : result.remarks)
      verdict += "; " + remark;
    std::snprintf(row, sizeof row, "%-14s %-6s %-20s %9s %7s %7s  ", result.profile.c_str(), result.codec.c_str(), result.encoder.c_str(),
                  result.measured ? number(result.ms_per_frame).c_str() : "-", result.measured ? number(result.ms_first).c_str() : "-",
                  result.measured ? std::to_string(std::lround(result.kbit)).c_str() : "-");
    out += row + verdict + "\n";
  }
  out += "\n";
  if (report.winner >= 0) {
    const auto& best = report.results[static_cast<size_t>(report.winner)];
    out += "--profile=auto " + std::string(_("takes")) + " " + best.profile + " (" + best.encoder + "): " + report.why + ".\n";
  } else {
    out += report.why + "\n";
  }
  return out;
}

}  // namespace vitrine
