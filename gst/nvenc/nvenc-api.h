// SPDX-License-Identifier: LGPL-2.1-or-later
// NVENC's library, loaded at run time.
#pragma once

#include <span>
#include <string>

#include "nvenc/nvenc-interface.h"

namespace vitrine {

/// Functions of libnvidia-encode.so.1 in one version of the interface. Thread-safe.
struct NvencApi {
  NV_ENCODE_API_FUNCTION_LIST functions{};
  NvencVersion version{};  // the one that is spoken
  int driver_major = 0;    // the newest that the driver has
  int driver_minor = 0;

  /// The oldest version that has what is needed, since drivers go on serving older clients; where a driver has dropped
  /// that, the next. Null, with a sentence for the user in `why_not`, where the library is missing or too old. Loaded
  /// once; never unloaded.
  static const NvencApi* get(bool needs_av1, std::string* why_not);

  /// Opens a session on a CUDA context; what is in `encoder` afterwards is to be destroyed, also where this fails.
  NVENCSTATUS open(void* cuda_context, void** encoder) const;
};

/// "NV_ENC_ERR_OUT_OF_MEMORY"
const char* nvenc_status_name(NVENCSTATUS status);

}  // namespace vitrine
