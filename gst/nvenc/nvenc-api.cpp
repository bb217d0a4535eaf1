// SPDX-License-Identifier: LGPL-2.1-or-later
// Loading of libnvidia-encode.so.1.
#include "nvenc/nvenc-api.h"

#include <dlfcn.h>

#include <iterator>

namespace vitrine {
namespace {

struct Loaded {
  NvencApi api;
  std::string why_not;
};

Loaded load() {
  Loaded loaded;
  void* library = dlopen("libnvidia-encode.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    loaded.why_not =
        "There is no NVENC here (libnvidia-encode.so.1 cannot be loaded); a container needs "
        "NVIDIA_DRIVER_CAPABILITIES=video";
    return loaded;
  }
  using MaxVersion = NVENCSTATUS (*)(uint32_t*);
  using CreateInstance = NVENCSTATUS (*)(NV_ENCODE_API_FUNCTION_LIST*);
  const auto max_version = reinterpret_cast<MaxVersion>(dlsym(library, "NvEncodeAPIGetMaxSupportedVersion"));
  const auto create = reinterpret_cast<CreateInstance>(dlsym(library, "NvEncodeAPICreateInstance"));
  uint32_t version = 0;  // major << 4 | minor
  if (!max_version || !create || max_version(&version) != NV_ENC_SUCCESS) {
    loaded.why_not = "libnvidia-encode.so.1 does not have the NVENC interface";
    return loaded;
  }
  NvencApi& api = loaded.api;
  api.driver_major = static_cast<int>(version >> 4);
  api.driver_minor = static_cast<int>(version & 0xf);
  if (version < (NVENCAPI_MAJOR_VERSION << 4 | NVENCAPI_MINOR_VERSION)) {
    loaded.why_not = "The NVIDIA driver is too old: it has NVENC " + std::to_string(api.driver_major) + "." +
                     std::to_string(api.driver_minor) + ", and " + std::to_string(NVENCAPI_MAJOR_VERSION) + "." +
                     std::to_string(NVENCAPI_MINOR_VERSION) + " is needed (driver 470 or newer)";
    return loaded;
  }
  api.functions.version = NV_ENCODE_API_FUNCTION_LIST_VER;
  const NVENCSTATUS status = create(&api.functions);
  if (status != NV_ENC_SUCCESS)
    loaded.why_not = std::string("NVENC refuses: NvEncodeAPICreateInstance: ") + nvenc_status_name(status);
  return loaded;
}

}  // namespace

const NvencApi* NvencApi::get(std::string* why_not) {
  static const Loaded loaded = load();
  if (loaded.why_not.empty())
    return &loaded.api;
  *why_not = loaded.why_not;
  return nullptr;
}

const char* nvenc_status_name(NVENCSTATUS status) {
  static const char* const names[] = {
      "NV_ENC_SUCCESS",
      "NV_ENC_ERR_NO_ENCODE_DEVICE",
      "NV_ENC_ERR_UNSUPPORTED_DEVICE",
      "NV_ENC_ERR_INVALID_ENCODERDEVICE",
      "NV_ENC_ERR_INVALID_DEVICE",
      "NV_ENC_ERR_DEVICE_NOT_EXIST",
      "NV_ENC_ERR_INVALID_PTR",
      "NV_ENC_ERR_INVALID_EVENT",
      "NV_ENC_ERR_INVALID_PARAM",
      "NV_ENC_ERR_INVALID_CALL",
      "NV_ENC_ERR_OUT_OF_MEMORY",
      "NV_ENC_ERR_ENCODER_NOT_INITIALIZED",
      "NV_ENC_ERR_UNSUPPORTED_PARAM",
      "NV_ENC_ERR_LOCK_BUSY",
      "NV_ENC_ERR_NOT_ENOUGH_BUFFER",
      "NV_ENC_ERR_INVALID_VERSION",
      "NV_ENC_ERR_MAP_FAILED",
      "NV_ENC_ERR_NEED_MORE_INPUT",
      "NV_ENC_ERR_ENCODER_BUSY",
      "NV_ENC_ERR_EVENT_NOT_REGISTERD",
      "NV_ENC_ERR_GENERIC",
      "NV_ENC_ERR_INCOMPATIBLE_CLIENT_KEY",
      "NV_ENC_ERR_UNIMPLEMENTED",
      "NV_ENC_ERR_RESOURCE_REGISTER_FAILED",
      "NV_ENC_ERR_RESOURCE_NOT_REGISTERED",
      "NV_ENC_ERR_RESOURCE_NOT_MAPPED",
  };
  const auto index = static_cast<size_t>(status);
  return index < std::size(names) ? names[index] : "an unknown NVENC status";
}

}  // namespace vitrine
