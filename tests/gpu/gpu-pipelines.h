// SPDX-License-Identifier: LGPL-2.1-or-later
// Capture by GStreamer's elements and by ours, on a display where something is painted.
#pragma once

#include <string>

#include "report.h"

namespace vitrine {

/// `self`: this program, which also paints. `server`: pid of the X server. `seconds`: for each measurement.
void measure_pipelines(const char* self, const std::string& display, int server, const std::string& name, double seconds,
                       GpuReport& report);
/// The painter: until it is killed.
int paint(const char* display, const char* scene);

}  // namespace vitrine
