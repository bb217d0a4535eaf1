// SPDX-License-Identifier: LGPL-2.1-or-later
// From profile and settings to elements.
#include "pipeline-model.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

#include "desktop-element.h"
#include "text.h"

namespace vitrine {
namespace {

/// Each factory once: candidates may differ in their version conditions alone.
std::string factories_of(const std::vector<ProfileElement>& candidates) {
  std::vector<std::string> names;
  for (const auto& candidate : candidates)
    if (std::find(names.begin(), names.end(), candidate.factory) == names.end())
      names.push_back(candidate.factory);
  return joined(names);
}

/// The first that is there; of those with `full_chroma`, should there be any.
const ProfileElement* choose(const Profile& profile, const std::vector<ProfileElement>& candidates, bool full_chroma,
                             const std::function<bool(const std::string&)>& exists) {
  const ProfileElement* first = nullptr;
  for (const auto& candidate : candidates) {
    if (!missing_factories(profile, candidate, exists).empty())
      continue;
    if (!full_chroma || candidate.caps_444)
      return &candidate;
    if (!first)
      first = &candidate;
  }
  return first;
}

/// Placeholders were checked when the profile was read.
std::string filled(const std::string& text, const std::map<std::string, std::string>& values) {
  std::string error;
  return expand(text, values, error).value_or("");
}

void append(const ProfileElement& element, const std::string& name, bool full_chroma, const std::map<std::string, std::string>& values,
            std::vector<ModelElement>& chain) {
  ModelElement made{element.factory, name, {}};
  for (const auto& [property, value, where] : element.properties) {
    // Without a display name the element takes $DISPLAY, as upstream's do; without a number the first GPU.
    if ((value == "{display}" || value == "{gpu}") && values.at(value.substr(1, value.size() - 2)).empty())
      continue;
    made.properties.push_back({property, filled(value, values), where});
  }
  chain.push_back(std::move(made));
  if (const auto& caps = full_chroma && element.caps_444 ? element.caps_444 : element.caps)
    chain.push_back({"capsfilter", "", {{"caps", filled(caps->value, values), caps->where}}});
}

/// Quotes for a POSIX shell where needed.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string("_-./:=,+@%^").find(static_cast<char>(c)) != std::string::npos;
  });
  if (plain)
    return word;
  std::string out = "'";
  for (const char c : word)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string words_of(const ModelElement& element) {
  if (element.factory == "capsfilter" && !element.properties.empty()) {
    // gst-launch-1.0 escapes spaces inside an argument, which caps do not take.
    std::string caps = element.properties.at(0).value;
    std::erase(caps, ' ');
    return quoted(caps);
  }
  std::string out = element.factory;
  if (!element.name.empty())
    out += " name=" + element.name;
  for (const auto& property : element.properties)
    if (!property.secret)
      out += " " + quoted(property.name + "=" + property.value);
  return out;
}

}  // namespace

std::vector<std::string> missing_factories(const Profile& profile, const ProfileElement& candidate,
                                           const std::function<bool(const std::string&)>& exists) {
  std::vector<std::string> needed = {candidate.factory};
  needed.insert(needed.end(), candidate.check_elements.begin(), candidate.check_elements.end());
  for (const auto& name : candidate.convert)
    needed.push_back(profile.convert.at(name).factory);
  for (const auto& name : candidate.payload)
    needed.push_back(profile.payload.at(name).factory);
  std::erase_if(needed, exists);
  return needed;
}

void drop_unfit(Profile& profile, const Version& gstreamer) {
  for (auto* candidates : {&profile.capture, &profile.encoder, &profile.all_encoders})
    std::erase_if(*candidates, [&](const ProfileElement& candidate) { return !fits(candidate.gstreamer, gstreamer); });
}

std::optional<PipelineModel> make_model(const Profile& profile, const Settings& settings, const std::string& display, int cores,
                                        const std::function<bool(const std::string&)>& exists, std::string& error) {
  const bool wanted_444 = settings.text("chroma") == "444";
  const ProfileElement* encoder = choose(profile, profile.encoder, wanted_444, exists);
  const bool full_chroma = wanted_444 && encoder && encoder->caps_444;
  const ProfileElement* capture = choose(profile, profile.capture, full_chroma, exists);
  if (!capture || !encoder) {
    error = profile.path + ": " + _("none of these elements is installed:") + " " + factories_of(capture ? profile.encoder : profile.capture) +
            "; " + _("on Debian:") + " apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly";
    return std::nullopt;
  }
  const std::map<std::string, std::string> values = {
      {"display", display},
      {"framerate", settings.text("framerate")},
      {"bitrate", settings.text("bitrate")},
      // One core is left for capture and network, more than four slices cost quality.
      {"threads", std::to_string(std::clamp(cores - 1, 1, 4))},
      {"gpu", profile.gpu},
  };
  PipelineModel model;
  model.full_chroma = full_chroma;
  const auto add = [&](const ProfileElement& element, const char* name) { append(element, name, full_chroma, values, model.video); };
  add(*capture, "capture");
  for (const auto& name : capture->convert)
    add(profile.convert.at(name), "");
  const auto scaler = std::find_if(capture->scale.begin(), capture->scale.end(), [&](const auto& name) { return exists(profile.convert.at(name).factory); });
  if (scaler != capture->scale.end()) {
    add(profile.convert.at(*scaler), kScaler);
    model.video.push_back({"capsfilter", kScaled, {}});
  }
  for (const auto& name : encoder->convert)
    add(profile.convert.at(name), "");
  add(*encoder, "encoder");
  for (const auto& name : encoder->payload)
    add(profile.payload.at(name), "");
  if (encoder->bitrate) {
    model.bitrate_property = encoder->bitrate->key;
    model.bitrate_factor = encoder->bitrate_factor;
  }
  if (encoder->frame_size) {
    model.frame_property = encoder->frame_size->key;
    model.frame_unit = encoder->frame_unit;
    for (const auto& property : encoder->properties)
      if (property.key == model.frame_property)
        model.frame_most = static_cast<unsigned>(std::strtoul(filled(property.value, values).c_str(), nullptr, 10));
  }

  model.server = {"webrtcsignallerbin", "server", {}};
  for (const auto& option : option_table())
    if (const std::string value = settings.text(option.name); option.property && !value.empty())
      model.server.properties.push_back({option.property, value, std::string("--") + option.name, shown_value(option, value) != value});
  if (settings.flag("no-udp"))
    model.server.properties.push_back({"enable-udp", "false", ""});
  if (settings.flag("no-auth")) {
    model.server.properties.push_back({"auth", "none", ""});
  } else {
    if (settings.has("accounts-file"))
      model.server.properties.push_back({"accounts-file", settings.text("accounts-file"), "--accounts-file"});
    model.password = settings.has("password") || settings.has("password-file") || !settings.has("accounts-file");
  }
  model.input = {"x11inputsink", "input", {}};
  if (!display.empty())
    model.input.properties.push_back({"display-name", display, "--display"});
  model.desktop = desktop_element(settings, display);
  if (const std::string backend = settings.text("gamepads"); backend != "off")
    model.gamepads = {"virtualgamepads", "gamepads", {{"backend", backend, "--gamepads"}}};
  set_pointer(settings, model.video.front());
  return model;
}

std::string launch_line(const PipelineModel& model) {
  std::string out = "gst-launch-1.0";
  for (const auto& element : model.video)
    out += " " + words_of(element) + " !";
  ModelElement server = model.server;
  const auto is_accounts = [](const ModelProperty& property) { return property.name == "accounts-file"; };
  if (model.password && std::none_of(server.properties.begin(), server.properties.end(), is_accounts))
    server.properties.push_back({"accounts-file", kAccountsPlaceholder, ""});
  out += " " + words_of(server) + " server.control_src ! ";
  // Both speak to viewers, through one pad.
  const bool desktop = !model.desktop.factory.empty(), gamepads = !model.gamepads.factory.empty();
  if (!desktop && !gamepads)
    return out + words_of(model.input);
  out += "tee name=control ! " + words_of(model.input);
  if (desktop)
    out += " control. ! " + words_of(model.desktop) + (gamepads ? " ! funnel name=words" : "") + " ! server.control_sink";
  if (gamepads)
    out += " control. ! " + words_of(model.gamepads) + (desktop ? " ! words." : " ! server.control_sink");
  return out;
}

double bitrate_value(const PipelineModel& model, unsigned kbit) { return kbit * model.bitrate_factor; }

unsigned frame_value(const PipelineModel& model, unsigned bytes, unsigned kbit) {
  const double kilobits = bytes * 8e-3;
  double value = bytes;
  if (model.frame_unit == FrameUnit::kilobits)
    value = kilobits;
  else if (model.frame_unit == FrameUnit::milliseconds)
    value = kilobits * 1e3 / std::max(kbit, 1u);
  const double most = model.frame_most > 0 ? model.frame_most : 1e9;
  return static_cast<unsigned>(std::clamp(value, 1.0, most));
}

}  // namespace vitrine
