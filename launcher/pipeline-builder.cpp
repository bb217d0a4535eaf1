// SPDX-License-Identifier: LGPL-2.1-or-later
// From model to pipeline.
#include "pipeline-builder.h"

#include <map>

namespace vitrine {
namespace {

/// What a property takes, for error messages.
std::string allowed_values(const GParamSpec* spec) {
  const GType type = spec->value_type;
  std::string out;
  if (G_TYPE_IS_ENUM(type)) {
    auto* values = static_cast<GEnumClass*>(g_type_class_ref(type));
    for (guint i = 0; i < values->n_values; ++i)
      out += (i ? ", " : "one of ") + std::string(values->values[i].value_nick);
    g_type_class_unref(values);
  } else if (G_IS_PARAM_SPEC_INT(spec)) {
    out = "a number from " + std::to_string(G_PARAM_SPEC_INT(spec)->minimum) + " to " + std::to_string(G_PARAM_SPEC_INT(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_UINT(spec)) {
    out = "a number from " + std::to_string(G_PARAM_SPEC_UINT(spec)->minimum) + " to " + std::to_string(G_PARAM_SPEC_UINT(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
    out = "true or false";
  } else {
    out = std::string("a value of type ") + g_type_name(type);
  }
  return out;
}

bool set_property(GstElement* element, const std::string& property, const std::string& text, std::string& error) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property.c_str());
  if (!spec || !(spec->flags & G_PARAM_WRITABLE)) {
    error = "element " + std::string(GST_OBJECT_NAME(gst_element_get_factory(element))) + " has no property '" + property +
            "' that can be set";
    return false;
  }
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  // g_param_value_validate() says whether it had to change the value to make it fit.
  const bool good = gst_value_deserialize_with_pspec(&value, text.c_str(), spec) && !g_param_value_validate(spec, &value);
  if (good)
    g_object_set_property(G_OBJECT(element), property.c_str(), &value);
  else
    error = "'" + text + "' does not fit; allowed is " + allowed_values(spec);
  g_value_unset(&value);
  return good;
}

GstElement* make_element(const ModelElement& model, const std::string& password, std::string& error) {
  GstElement* element = gst_element_factory_make(model.factory.c_str(), model.name.empty() ? nullptr : model.name.c_str());
  if (!element) {
    error = "no element \"" + model.factory + "\"";
    return nullptr;
  }
  for (const auto& [property, value] : model.properties) {
    std::string problem;
    bool good;
    if (model.factory == "capsfilter") {
      GstCaps* caps = gst_caps_from_string(value.c_str());
      good = caps != nullptr;
      problem = "'" + value + "' are no caps";
      if (caps) {
        g_object_set(element, "caps", caps, nullptr);
        gst_caps_unref(caps);
      }
    } else {
      good = set_property(element, property, value, problem);
    }
    if (!good) {
      error = model.origin.empty() ? problem : model.origin + (model.factory == "capsfilter" ? "" : " " + property) + ": " + problem;
      gst_object_unref(gst_object_ref_sink(element));
      return nullptr;
    }
  }
  if (model.secret_password)
    g_object_set(element, "password", password.c_str(), nullptr);
  return element;
}

bool link_pads(GstElement* from, const char* from_pad, GstElement* to, const char* to_pad, std::string& error) {
  if (gst_element_link_pads(from, from_pad, to, to_pad))
    return true;
  error = std::string("cannot link ") + GST_OBJECT_NAME(from) + " to " + GST_OBJECT_NAME(to);
  return false;
}

}  // namespace

bool element_exists(const std::string& factory) {
  GstElementFactory* found = gst_element_factory_find(factory.c_str());
  if (!found)
    return false;
  gst_object_unref(found);
  return true;
}

GstElement* build_pipeline(const PipelineModel& model, const std::string& password, std::string& error) {
  GstElement* pipeline = gst_pipeline_new("vitrine");
  const auto fail = [&]() -> GstElement* {
    gst_object_unref(gst_object_ref_sink(pipeline));
    return nullptr;
  };
  const auto add = [&](const ModelElement& element) -> GstElement* {
    GstElement* made = make_element(element, password, error);
    if (made)
      gst_bin_add(GST_BIN(pipeline), made);
    return made;
  };
  GstElement* previous = nullptr;
  for (const auto& element : model.video) {
    GstElement* next = add(element);
    if (!next || (previous && !link_pads(previous, nullptr, next, nullptr, error)))
      return fail();
    previous = next;
  }
  GstElement* server = add(model.server);
  GstElement* input = server ? add(model.input) : nullptr;
  if (!server || !input || !link_pads(previous, "src", server, "video_0", error) ||
      !link_pads(server, "control_src", input, "sink", error))
    return fail();
  return pipeline;
}

bool check_profile(const Profile& profile, const Settings& settings, std::vector<std::string>& missing, std::string& error) {
  const std::map<std::string, std::string> values = {{"display", ":0"},
                                                     {"framerate", settings.text("framerate")},
                                                     {"bitrate", settings.text("bitrate")},
                                                     {"threads", "1"}};
  std::vector<const ProfileElement*> all;
  for (const auto* candidates : {&profile.capture, &profile.encoder})
    for (const auto& candidate : *candidates)
      all.push_back(&candidate);
  for (const auto& [name, element] : profile.convert)
    all.push_back(&element);
  for (const auto* element : all) {
    if (!element_exists(element->factory)) {
      missing.push_back(element->factory);
      continue;
    }
    ModelElement model{element->factory, "", {}, profile.path + ": [" + element->group + "]"};
    for (const auto& [property, value] : element->properties) {
      const auto expanded = expand(value, values, error);
      if (!expanded) {
        error = model.origin + " " + property + ": " + error;
        return false;
      }
      model.properties.emplace_back(property, *expanded);
    }
    GstElement* made = make_element(model, "", error);
    if (!made)
      return false;
    if (!element->bitrate_property.empty() &&
        !g_object_class_find_property(G_OBJECT_GET_CLASS(made), element->bitrate_property.c_str())) {
      error = model.origin + " @bitrate: element " + element->factory + " has no property '" + element->bitrate_property + "'";
      gst_object_unref(gst_object_ref_sink(made));
      return false;
    }
    gst_object_unref(gst_object_ref_sink(made));
    const auto caps_text = expand(element->caps, values, error);
    GstCaps* caps = element->caps.empty() ? nullptr : caps_text ? gst_caps_from_string(caps_text->c_str()) : nullptr;
    if (!element->caps.empty() && !caps) {
      error = model.origin + " @caps: '" + element->caps + "' are no caps";
      return false;
    }
    if (caps)
      gst_caps_unref(caps);
  }
  return true;
}

}  // namespace vitrine
