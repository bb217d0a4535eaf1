// SPDX-License-Identifier: LGPL-2.1-or-later
// What the driver takes, how fast pixels reach the GPU, and whether the kernels are right.
#pragma once

#include "common/cuda-driver.h"
#include "report.h"

namespace vitrine {

/// `thorough`: medians of many, and the larger size too. False when a picture differs from the CPU's.
bool measure_memory(const CudaDriver& driver, GstCudaContext* context, bool thorough, GpuReport& report);

}  // namespace vitrine
