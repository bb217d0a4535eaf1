// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes each element, sets what the profile says, and throws it away.
#include "profile-check.h"

#include <gst/gst.h>

#include <algorithm>
#include <map>

#include "pipeline-builder.h"
#include "profile-files.h"
#include "text.h"

namespace vitrine {
namespace {

using Values = std::map<std::string, std::string>;

bool is_number(GType type) {
  return type == G_TYPE_INT || type == G_TYPE_UINT || type == G_TYPE_INT64 || type == G_TYPE_UINT64 || type == G_TYPE_LONG ||
         type == G_TYPE_ULONG;
}

/// Whether what is set while running is a whole number.
bool check_number(GstElement* made, const ProfileElement& element, const ProfileValue& property, std::string& error) {
  const GParamSpec* spec = writable_property(made, property.key);
  const std::string named = "'" + property.key + "'";
  if (!spec)
    error = property.where + ": " + element.factory + " " + _("has no property") + " " + named;
  else if (!is_number(spec->value_type))
    error = property.where + ": " + named + " " + _("of") + " " + element.factory + " " + _("is no whole number but of type") + " " +
            g_type_name(spec->value_type);
  return error.empty();
}

bool check_bitrate(GstElement* made, const ProfileElement& element, const Values& values, std::string& error) {
  if (!check_number(made, element, *element.bitrate, error))
    return false;
  const double kbit = std::stod(values.at("bitrate"));
  const ModelElement changed{element.factory, "", {{element.bitrate->key, std::to_string(static_cast<guint64>(kbit * element.bitrate_factor)),
                                                   element.bitrate->where}}};
  return static_cast<bool>(make_element(changed, error));
}

bool check_element(const ProfileElement& element, const Values& values, std::string& error) {
  ModelElement model{element.factory, "", {}};
  for (const auto& [property, value, where] : element.properties)
    model.properties.push_back({property, expand(value, values, error).value_or(""), where});
  const Ref<GstElement> made = make_element(model, error);
  return made && (!element.bitrate || check_bitrate(made.get(), element, values, error)) &&
         (!element.frame_size || check_number(made.get(), element, *element.frame_size, error));
}

bool check_caps(const ProfileElement& element, const Values& values, std::string& error) {
  for (const auto* caps : {&element.caps, &element.caps_444}) {
    if (!*caps)
      continue;
    const std::string value = expand((*caps)->value, values, error).value_or("");
    if (!make_element({"capsfilter", "", {{"caps", value, (*caps)->where}}}, error))
      return false;
  }
  return true;
}

}  // namespace

Version gstreamer_version() {
  guint major = 0, minor = 0, micro = 0, nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  return {major, minor, micro};
}

std::optional<Profile> load_fitting_profile(const std::string& path, std::string& error) {
  auto profile = load_profile(path, error);
  if (profile)
    drop_unfit(*profile, gstreamer_version());
  return profile;
}

namespace {

/// Of the server's pad for video; null without a server.
Ref<GstCaps> server_caps() {
  const auto factory =
      element_exists("webrtcsignallerbin") ? Ref<GstElementFactory>::adopt(gst_element_factory_find("webrtcsignallerbin")) : Ref<GstElementFactory>();
  for (const GList* item = factory ? gst_element_factory_get_static_pad_templates(factory.get()) : nullptr; item; item = item->next) {
    auto* pad = static_cast<GstStaticPadTemplate*>(item->data);
    if (std::string(pad->name_template) == "video_%u")
      return Ref<GstCaps>::adopt(gst_static_pad_template_get_caps(pad));
  }
  return {};
}

}  // namespace

std::vector<std::string> sendable_codecs() {
  std::vector<std::string> codecs;
  const auto caps = server_caps();
  for (const auto& [codec, media] : known_codecs())
    for (guint i = 0; caps && i < gst_caps_get_size(caps.get()); ++i)
      if (gst_structure_has_name(gst_caps_get_structure(caps.get(), i), media.c_str()))
        codecs.push_back(codec);
  return codecs;
}

std::string sent_caps(const std::string& codec) {
  const std::string media = known_codecs().at(codec);
  const auto caps = server_caps();
  for (guint i = 0; caps && i < gst_caps_get_size(caps.get()); ++i)
    if (GstStructure* one = gst_caps_get_structure(caps.get(), i); gst_structure_has_name(one, media.c_str()))
      return GCharPtr(gst_structure_to_string(one)).get();
  return codec == "H264" || codec == "H265" ? media + ",stream-format=byte-stream,alignment=au" : media;
}

bool check_profile(const Profile& profile, const Settings& settings, const Version& gstreamer, ProfileFindings& findings, std::string& error) {
  error.clear();
  const Values values = {{"display", ":0"},
                         {"framerate", settings.text("framerate")},
                         {"bitrate", settings.text("bitrate")},
                         {"threads", "1"},
                         {"gpu", "0"}};
  std::vector<const ProfileElement*> all;
  for (const auto* candidates : {&profile.capture, &profile.all_encoders})
    for (const auto& candidate : *candidates)
      all.push_back(&candidate);
  for (const auto* chain : {&profile.convert, &profile.payload})
    for (const auto& [name, element] : *chain)
      all.push_back(&element);
  const auto note = [&findings](const std::string& factory) {
    if (std::find(findings.missing.begin(), findings.missing.end(), factory) == findings.missing.end())
      findings.missing.push_back(factory);
  };
  for (const auto* element : all) {
    if (!check_caps(*element, values, error))
      return false;
    if (!fits(element->gstreamer, gstreamer)) {
      findings.not_meant.push_back(element->name);
      continue;
    }
    for (const auto& helper : element->check_elements)
      if (!element_exists(helper))
        note(helper);
    if (!element_exists(element->factory))
      note(element->factory);
    else if (!check_element(*element, values, error))
      return false;
  }
  return true;
}

}  // namespace vitrine
