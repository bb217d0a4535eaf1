// SPDX-License-Identifier: LGPL-2.1-or-later
// The pipeline as data: elements with properties, in chains. Made from profile and settings; printed as a launch line, or built.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profile.h"
#include "settings.h"

namespace vitrine {

struct ModelProperty {
  std::string name, value;
  std::string where;    // "FILE:LINE: [group] key" for error messages, empty for our own
  bool secret = false;  // no part of a launch line
};

struct ModelElement {
  std::string factory, name;  // name may be empty
  std::vector<ModelProperty> properties;
};

/// Elements linked one after the other. Caps stand as an element with factory "capsfilter".
struct PipelineModel {
  std::vector<ModelElement> video;  // capture … encoder …; its end goes to pad video_0 of the server
  ModelElement server, input;       // webrtcsignallerbin; x11inputsink on its pad control_src
  ModelElement desktop;             // x11desktop, between control_src and control_sink; no factory: none
  ModelElement gamepads;            // virtualgamepads, beside it; no factory: none
  bool password = false;            // the server wants user and password, which are no part of the model
  std::string bitrate_property;     // of the element named "encoder"; empty if it cannot be changed
  double bitrate_factor = 1;
  std::string frame_property;       // of that element too: how large a frame may be; empty if it cannot be told
  FrameUnit frame_unit = FrameUnit::bytes;
  unsigned frame_most = 0;          // what the profile gives that property, 0 if it does not
  bool full_chroma = false;         // 4:4:4 was asked for, and is what comes out
};

/// What a candidate needs and `exists` does not know: itself, its helpers, what stands before and after it.
std::vector<std::string> missing_factories(const Profile& profile, const ProfileElement& candidate,
                                           const std::function<bool(const std::string& factory)>& exists);

/// Drops candidates that are for other versions of GStreamer.
void drop_unfit(Profile& profile, const Version& gstreamer);

/// Chooses the first candidates of the profile that `exists` accepts and fills in the settings. Nothing, with `error`, when there is none.
/// With --chroma=444 a candidate that does it goes before those that do not.
std::optional<PipelineModel> make_model(const Profile& profile, const Settings& settings, const std::string& display, int cores,
                                        const std::function<bool(const std::string& factory)>& exists, std::string& error);

/// A line for a shell. It never holds a password: where one is needed, the server is told to read kAccountsPlaceholder.
std::string launch_line(const PipelineModel& model);
constexpr char kAccountsPlaceholder[] = "accounts.txt";

/// The value of the encoder's bitrate property for a rate in kbit/s.
double bitrate_value(const PipelineModel& model, unsigned kbit);
/// The value of its property for the size of a frame, at that rate.
unsigned frame_value(const PipelineModel& model, unsigned bytes, unsigned kbit);

/// The element that makes pictures smaller, and the filter behind it that says how small; they are in `video` where the profile has one.
constexpr char kScaler[] = "scaler", kScaled[] = "scaled";

}  // namespace vitrine
