// SPDX-License-Identifier: LGPL-2.1-or-later
// What NVENC on a GPU can do.
#pragma once

#include <string>

#include "common/ref.h"
#include "nvenc/nvenc-api.h"
#include "common/cuda-driver.h"

namespace vitrine {

/// A structure `nvenc-capabilities` with `driver-api` (string, e.g. "12.2") and for each codec a structure h264 or h265
/// with `width-max`, `height-max` (int, pixels), `444`, `10-bit`, `lossless`, `intra-refresh`, `reference-invalidation`,
/// `dynamic-bitrate`, `custom-vbv` (boolean) and `engines` (int). A GPU without a video encoder (H100, H200, A100) has
/// `error` (string) instead.
StructurePtr nvenc_capabilities(const NvencApi& api, GstCudaContext* context);
StructurePtr nvenc_no_capabilities(const std::string& error);

}  // namespace vitrine
