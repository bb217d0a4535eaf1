// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds a GStreamer pipeline from a model: factories and typed properties, each checked against the element's own GParamSpec.
#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

#include "common/ref.h"
#include "pipeline-model.h"

namespace vitrine {

struct Credentials {
  std::string user, password;
};

/// Adds a chain of linked elements to a bin. False, with `error` naming file, line, group, key and what is allowed, if an element is
/// missing or a property does not fit.
bool build_chain(GstBin* bin, const std::vector<ModelElement>& chain, GstElement*& first, GstElement*& last, std::string& error);

/// What the desktop and the gamepads have to say comes together in the funnel of this name, on pads of these names.
constexpr char kWords[] = "words", kDesktopWords[] = "sink_0", kGamepadWords[] = "sink_1";

/// A pipeline with what lasts as long as a session: the server, after its control_src a tee named "control", before its control_sink the
/// funnel, and the gamepads between the two. Null, with `error` as
/// above.
Ref<GstElement> build_frame(const PipelineModel& model, const Credentials& credentials, std::string& error);

/// Sets the element named "encoder" in a bin to a rate in kbit/s, as the profile says how. False if the profile does not or the element
/// refuses.
bool set_bitrate(GstElement* bin, const PipelineModel& model, unsigned kbit);

/// Likewise how many bytes its frames may have at that rate.
bool set_frame_size(GstElement* bin, const PipelineModel& model, unsigned bytes, unsigned kbit);

/// Sets a property, or gives it its default where the value is empty. False, with `error` as above.
bool set_or_reset(GstElement* element, const ModelProperty& property, std::string& error);

/// One element with its properties; factory "capsfilter" takes caps alone. Null, with `error` as above.
Ref<GstElement> make_element(const ModelElement& model, std::string& error);
/// The property of this name, null if there is none that can be set.
GParamSpec* writable_property(GstElement* element, const std::string& name);

/// Looks in Vitrine's own plugin folder too, which is not always one that GStreamer searches.
bool element_exists(const std::string& factory);

}  // namespace vitrine
