// SPDX-License-Identifier: LGPL-2.1-or-later
// The conversion kernels as host functions.
#pragma once

#include <string>

#include "convert-job.h"

namespace vitrine {

using HostKernel = void (*)(VitrineConvertJob);

/// Null when there is none of that name.
HostKernel find_host_kernel(const std::string& name);
/// Every thread of the grid, one after the other.
void run_host_kernel(HostKernel kernel, const VitrineConvertJob& job, const unsigned grid[3], const unsigned block[2]);

}  // namespace vitrine
