// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixels by NvFBC: an NVIDIA X server hands its picture over in device memory.
#pragma once

#include <memory>
#include <string>

#include "capture/capture-session.h"
#include "common/cuda-driver.h"

namespace vitrine {

/// The whole screen of $DISPLAY, in memory of `context`. Null, with the reason in `why_not`, where the driver does not
/// offer that: NVIDIA permits it on professional and data centre GPUs alone, and no key is used to get round that.
std::unique_ptr<FrameSource> open_nvfbc_source(const DeviceSourceRequest& request, GstCudaContext* context,
                                               std::string* why_not);

}  // namespace vitrine
