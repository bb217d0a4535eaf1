// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds a GStreamer pipeline from a model: factories and typed properties, each checked against the element's own GParamSpec.
#pragma once

#include <gst/gst.h>

#include <string>

#include "pipeline-model.h"

namespace vitrine {

/// Null, with `error` naming file, group, key and what is allowed, if an element is missing or a property does not fit.
/// The caller owns the (floating) pipeline.
GstElement* build_pipeline(const PipelineModel& model, const std::string& password, std::string& error);

/// Checks all elements of a profile that are installed: properties and values. `missing` gets the factories that are not.
bool check_profile(const Profile& profile, const Settings& settings, std::vector<std::string>& missing, std::string& error);

bool element_exists(const std::string& factory);

}  // namespace vitrine
