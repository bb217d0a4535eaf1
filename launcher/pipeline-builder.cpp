// SPDX-License-Identifier: LGPL-2.1-or-later
// From model to pipeline.
#include "pipeline-builder.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "text.h"
#include "vitrine-config.h"

namespace vitrine {
namespace {

template <class Spec>
std::string range(const Spec* spec) {
  return std::string(_("a number from")) + " " + std::to_string(spec->minimum) + " " + _("to") + " " + std::to_string(spec->maximum);
}

template <class Class>
std::string nicks(GType type) {
  auto* klass = static_cast<Class*>(g_type_class_ref(type));
  std::string out;
  for (guint i = 0; i < klass->n_values; ++i)
    out += (i ? ", " : "") + std::string(klass->values[i].value_nick);
  g_type_class_unref(klass);
  return out;
}

/// What a property takes, for error messages.
std::string allowed_values(const GParamSpec* spec) {
  const GType type = spec->value_type;
  if (G_TYPE_IS_ENUM(type))
    return std::string(_("one of")) + " " + nicks<GEnumClass>(type);
  if (G_TYPE_IS_FLAGS(type))
    return std::string(_("one or more, joined by '+', of")) + " " + nicks<GFlagsClass>(type);
  if (G_IS_PARAM_SPEC_INT(spec))
    return range(G_PARAM_SPEC_INT(spec));
  if (G_IS_PARAM_SPEC_UINT(spec))
    return range(G_PARAM_SPEC_UINT(spec));
  if (G_IS_PARAM_SPEC_INT64(spec))
    return range(G_PARAM_SPEC_INT64(spec));
  if (G_IS_PARAM_SPEC_UINT64(spec))
    return range(G_PARAM_SPEC_UINT64(spec));
  if (G_IS_PARAM_SPEC_FLOAT(spec))
    return range(G_PARAM_SPEC_FLOAT(spec));
  if (G_IS_PARAM_SPEC_DOUBLE(spec))
    return range(G_PARAM_SPEC_DOUBLE(spec));
  if (G_IS_PARAM_SPEC_BOOLEAN(spec))
    return _("true or false");
  return std::string(_("a value of type")) + " " + g_type_name(type);
}

/// Edits of one letter that lead from `a` to `b`.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j)
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
  }
  return row[b.size()];
}

/// The property that was meant, if one is close.
std::string suggestion(GstElement* element, const std::string& name) {
  guint count = 0;
  const std::unique_ptr<GParamSpec*, decltype(&g_free)> all(g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count), g_free);
  std::string best;
  size_t least = std::max<size_t>(2, name.size() / 3) + 1;
  for (guint i = 0; i < count; ++i) {
    const std::string other = all.get()[i]->name;
    if (!writable_property(element, other) || other == "name" || other == "parent")
      continue;
    if (const size_t edits = distance(name, other); edits < least) {
      least = edits;
      best = other;
    }
  }
  return best.empty() ? "" : std::string(_("did you mean")) + " '" + best + "'? ";
}

bool set_property(GstElement* element, const ModelProperty& property, std::string& error) {
  const std::string where = property.where.empty() ? property.name : property.where;
  GParamSpec* spec = writable_property(element, property.name);
  if (!spec) {
    error = where + ": " + _("no such property that can be set;") + " " + suggestion(element, property.name) + _("see") + " gst-inspect-1.0 " +
            GST_OBJECT_NAME(gst_element_get_factory(element));
    return false;
  }
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  // g_param_value_validate() says whether it had to change the value to make it fit.
  const bool good = gst_value_deserialize_with_pspec(&value, property.value.c_str(), spec) && !g_param_value_validate(spec, &value);
  if (good)
    g_object_set_property(G_OBJECT(element), property.name.c_str(), &value);
  else
    error = where + ": '" + property.value + "' " + _("does not fit; allowed is") + " " + allowed_values(spec);
  g_value_unset(&value);
  return good;
}

bool set_caps(GstElement* filter, const ModelProperty& property, std::string& error) {
  GstCaps* caps = gst_caps_from_string(property.value.c_str());
  if (!caps) {
    error = property.where + ": '" + property.value + "' " + _("are no caps like") + " video/x-raw,format=I420";
    return false;
  }
  g_object_set(filter, "caps", caps, nullptr);
  gst_caps_unref(caps);
  return true;
}

bool link_pads(GstElement* from, const char* from_pad, GstElement* to, const char* to_pad, std::string& error) {
  if (gst_element_link_pads(from, from_pad, to, to_pad))
    return true;
  error = std::string(_("these elements do not fit together:")) + " " + GST_OBJECT_NAME(from) + ", " + GST_OBJECT_NAME(to);
  return false;
}

GstFlowReturn on_word(GstAppSink* sink, gpointer source) {
  const auto sample = Ref<GstSample>::adopt(gst_app_sink_pull_sample(sink));
  // Nobody takes it while the server starts or ends; that is no reason to stop speaking.
  if (sample)
    gst_app_src_push_sample(GST_APP_SRC(source), sample.get());
  return GST_FLOW_OK;
}

/// A link between elements that GStreamer sees no link between: one back to where things come from would be a loop in the graph, for which there
/// is no order of state changes, and of which it warns.
bool link_back(GstBin* bin, GstElement* from, GstElement* to, const char* to_pad, std::string& error) {
  GstElement *sink = nullptr, *source = nullptr, *same = nullptr;
  if (!build_chain(bin, {{"appsink", "", {{"sync", "false", ""}, {"async", "false", ""}, {"enable-last-sample", "false", ""}}}}, sink, same, error) ||
      !build_chain(bin, {{"appsrc", "", {{"is-live", "true", ""}, {"format", "time", ""}, {"block", "true", ""}}}}, source, same, error) ||
      !link_pads(from, "src", sink, "sink", error) || !link_pads(source, "src", to, to_pad, error))
    return false;
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = on_word;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, g_object_ref(source), g_object_unref);
  return true;
}

}  // namespace

GParamSpec* writable_property(GstElement* element, const std::string& name) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name.c_str());
  return spec && (spec->flags & G_PARAM_WRITABLE) ? spec : nullptr;
}

bool set_or_reset(GstElement* element, const ModelProperty& property, std::string& error) {
  if (!property.value.empty())
    return set_property(element, property, error);
  GValue value = G_VALUE_INIT;
  GParamSpec* spec = writable_property(element, property.name);
  g_value_init(&value, spec->value_type);
  g_param_value_set_default(spec, &value);
  g_object_set_property(G_OBJECT(element), property.name.c_str(), &value);
  g_value_unset(&value);
  return true;
}

Ref<GstElement> make_element(const ModelElement& model, std::string& error) {
  Ref<GstElement> element = Ref<GstElement>::sink(
      element_exists(model.factory) ? gst_element_factory_make(model.factory.c_str(), model.name.empty() ? nullptr : model.name.c_str())
                                    : nullptr);
  if (!element) {
    error = std::string(_("no element")) + " \"" + model.factory + "\"";
    return {};
  }
  for (const auto& property : model.properties)
    if (!(model.factory == "capsfilter" ? set_caps(element.get(), property, error) : set_property(element.get(), property, error)))
      return {};
  return element;
}

bool element_exists(const std::string& factory) {
  const auto found = [&factory] {
    return static_cast<bool>(Ref<GstElementFactory>::adopt(gst_element_factory_find(factory.c_str())));
  };
  if (found())
    return true;
  // Only then: a folder in GST_PLUGIN_PATH, as of a build tree, comes before the installed one.
  static const bool scanned = gst_registry_scan_path(gst_registry_get(), VITRINE_PLUGIN_DIR);
  return scanned && found();
}

bool build_chain(GstBin* bin, const std::vector<ModelElement>& chain, GstElement*& first, GstElement*& last, std::string& error) {
  first = last = nullptr;
  for (const auto& element : chain) {
    const Ref<GstElement> made = make_element(element, error);
    if (!made)
      return false;
    gst_bin_add(bin, made.get());
    if (last && !link_pads(last, nullptr, made.get(), nullptr, error))
      return false;
    first = first ? first : made.get();
    last = made.get();
  }
  return last != nullptr;
}

Ref<GstElement> build_frame(const PipelineModel& model, const Credentials& credentials, std::string& error) {
  auto pipeline = Ref<GstElement>::sink(gst_pipeline_new("vitrine"));
  GstElement* server = nullptr;
  GstElement* control = nullptr;
  GstElement* same = nullptr;
  auto* bin = GST_BIN(pipeline.get());
  // The tee takes input also while there is nobody to play it.
  if (!build_chain(bin, {model.server}, server, same, error) ||
      !build_chain(bin, {{"tee", "control", {{"allow-not-linked", "true", ""}}}}, control, same, error) ||
      !link_pads(server, "control_src", control, "sink", error))
    return {};
  GstElement* words = nullptr;
  if (!build_chain(bin, {{"funnel", kWords, {}}}, words, same, error))
    return {};
  for (const char* pad : {kGamepadWords, kDesktopWords})
    Ref<GstPad>::adopt(gst_element_request_pad_simple(words, pad));
  if (!link_back(bin, words, server, "control_sink", error))
    return {};
  GstElement* gamepads = nullptr;
  if (!model.gamepads.factory.empty() &&
      (!build_chain(bin, {model.gamepads}, gamepads, same, error) || !link_pads(control, "src_%u", gamepads, "sink", error) ||
       !link_pads(gamepads, "src", words, kGamepadWords, error)))
    return {};
  if (model.password)
    g_object_set(server, "user", credentials.user.c_str(), "password", credentials.password.c_str(), nullptr);
  return pipeline;
}

namespace {
bool set_of_encoder(GstElement* bin, const std::string& property, guint64 value) {
  const auto encoder = Ref<GstElement>::adopt(gst_bin_get_by_name(GST_BIN(bin), "encoder"));
  std::string error;
  return encoder && !property.empty() && set_property(encoder.get(), {property, std::to_string(value), ""}, error);
}
}  // namespace

bool set_bitrate(GstElement* bin, const PipelineModel& model, unsigned kbit) {
  return set_of_encoder(bin, model.bitrate_property, static_cast<guint64>(bitrate_value(model, kbit)));
}

bool set_frame_size(GstElement* bin, const PipelineModel& model, unsigned bytes, unsigned kbit) {
  return set_of_encoder(bin, model.frame_property, frame_value(model, bytes, kbit));
}

}  // namespace vitrine
