// SPDX-License-Identifier: LGPL-2.1-or-later
// What NVENC on a GPU can do.
#pragma once

#include <string>

#include "common/ref.h"
#include "nvenc/nvenc-api.h"
#include "common/cuda-driver.h"

namespace vitrine {

/// A structure `nvenc-capabilities` with `gpu` (string, its name), `driver-api` (string, e.g. "12.2"), `sessions` (int: so
/// many more could be opened just now, 16 at most are tried), `free-capacity` (int, percent, where the driver tells) and
/// for each codec a structure h264, h265 or av1 with `width-max`, `height-max`, `width-min`, `height-min` (int, pixels),
/// `444`, `10-bit`, `lossless`, `intra-refresh`, `reference-invalidation`, `dynamic-bitrate`, `custom-vbv` (boolean) and
/// `engines` (int). A GPU without a video encoder (H100, H200, A100) has `gpu` and `error` (string) instead.
StructurePtr nvenc_capabilities(const NvencApi& api, GstCudaContext* context);
StructurePtr nvenc_no_capabilities(const std::string& error);

}  // namespace vitrine
