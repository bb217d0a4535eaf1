// SPDX-License-Identifier: LGPL-2.1-or-later
// From profile and settings to elements.
#include "pipeline-model.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace vitrine {
namespace {

std::string joined(const std::vector<ProfileElement>& candidates) {
  std::string out;
  for (const auto& candidate : candidates)
    out += (out.empty() ? "" : ", ") + candidate.factory;
  return out;
}

const ProfileElement* choose(const std::vector<ProfileElement>& candidates,
                             const std::function<bool(const std::string&)>& exists) {
  for (const auto& candidate : candidates) {
    bool all = exists(candidate.factory);
    for (const auto* names : {&candidate.check_elements, &candidate.convert})
      for (const auto& name : *names)
        all = all && exists(name);
    if (all)
      return &candidate;
  }
  return nullptr;
}

bool append(const ProfileElement& element, const std::string& name, const Profile& profile,
            const std::map<std::string, std::string>& values, std::vector<ModelElement>& chain, std::string& error) {
  ModelElement made{element.factory, name, {}, profile.path + ": [" + element.group + "]"};
  for (const auto& [property, value] : element.properties) {
    // Without a display name the element takes $DISPLAY, as upstream's do.
    if (value == "{display}" && values.at("display").empty())
      continue;
    const auto expanded = expand(value, values, error);
    if (!expanded) {
      error = made.origin + " " + property + ": " + error;
      return false;
    }
    made.properties.emplace_back(property, *expanded);
  }
  const std::string origin = made.origin;
  chain.push_back(std::move(made));
  if (!element.caps.empty()) {
    const auto caps = expand(element.caps, values, error);
    if (!caps) {
      error = origin + " @caps: " + error;
      return false;
    }
    chain.push_back({"capsfilter", "", {{"caps", *caps}}, origin + " @caps"});
  }
  return true;
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
  if (element.factory == "capsfilter")
    return quoted(element.properties.at(0).second);
  std::string out = element.factory;
  if (!element.name.empty())
    out += " name=" + element.name;
  for (const auto& [property, value] : element.properties)
    out += " " + quoted(property + "=" + value);
  if (element.secret_password)
    out += " password=\"$VITRINE_PASSWORD\"";
  return out;
}

}  // namespace

std::optional<PipelineModel> make_model(const Profile& profile, const Settings& settings, const std::string& display, int cores,
                                        const std::function<bool(const std::string&)>& exists, std::string& error) {
  const ProfileElement* capture = choose(profile.capture, exists);
  const ProfileElement* encoder = choose(profile.encoder, exists);
  if (!capture || !encoder) {
    error = profile.path + ": none of its " + (capture ? "encoders (" + joined(profile.encoder) : "capture elements (" + joined(profile.capture)) +
            ") is installed; on Debian try: apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gstreamer1.0-plugins-bad";
    return std::nullopt;
  }
  const std::map<std::string, std::string> values = {
      {"display", display},
      {"framerate", settings.text("framerate")},
      {"bitrate", settings.text("bitrate")},
      // One core is left for capture and network, more than four slices cost quality.
      {"threads", std::to_string(std::clamp(cores - 1, 1, 4))},
  };
  PipelineModel model;
  if (!append(*capture, "capture", profile, values, model.video, error))
    return std::nullopt;
  for (const auto& name : capture->convert)
    if (!append(profile.convert.at(name), "", profile, values, model.video, error))
      return std::nullopt;
  if (!append(*encoder, "encoder", profile, values, model.video, error))
    return std::nullopt;
  model.bitrate_property = encoder->bitrate_property;
  model.bitrate_factor = encoder->bitrate_factor;

  model.server = {"webrtcsignallerbin", "server", {{"port", settings.text("port")}}, ""};
  const auto pass_on = [&](const char* option, const char* property) {
    if (!settings.text(option).empty())
      model.server.properties.emplace_back(property, settings.text(option));
  };
  pass_on("listen", "listen-address");
  pass_on("title", "title");
  pass_on("public-address", "public-address");
  pass_on("max-viewers", "max-viewers");
  pass_on("tls-cert", "tls-certificate");
  pass_on("tls-key", "tls-key");
  if (settings.flag("no-udp"))
    model.server.properties.emplace_back("enable-udp", "false");
  if (settings.flag("no-auth")) {
    model.server.properties.emplace_back("auth", "none");
  } else {
    pass_on("user", "user");
    pass_on("accounts-file", "accounts-file");
    model.server.secret_password = true;
  }
  model.input = {"x11inputsink", "input", {}, ""};
  if (!display.empty())
    model.input.properties.emplace_back("display-name", display);
  return model;
}

std::string launch_line(const PipelineModel& model) {
  std::string out = "gst-launch-1.0";
  for (const auto& element : model.video)
    out += " " + words_of(element) + " !";
  return out + " " + words_of(model.server) + " server.control_src ! " + words_of(model.input);
}

}  // namespace vitrine
