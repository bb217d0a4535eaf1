// SPDX-License-Identifier: LGPL-2.1-or-later
// NVENC's library, loaded at run time, by the SDK interface of libffmpeg-nvenc-dev's MIT headers.
#pragma once

#include <cuda.h>
#include <ffnvcodec/nvEncodeAPI.h>

#include <string>

namespace vitrine {

/// Functions of libnvidia-encode.so.1. The headers ask for API 11.1, which every driver since 470 offers and keeps
/// offering: drivers serve older clients. Thread-safe.
struct NvencApi {
  NV_ENCODE_API_FUNCTION_LIST functions{};
  int driver_major = 0;  // the newest API that the driver has
  int driver_minor = 0;

  /// Null, with a sentence for the user in `why_not`, where it is missing or too old. Loaded once; never unloaded.
  static const NvencApi* get(std::string* why_not);
};

/// "NV_ENC_ERR_OUT_OF_MEMORY"
const char* nvenc_status_name(NVENCSTATUS status);

}  // namespace vitrine
