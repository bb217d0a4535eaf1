// SPDX-License-Identifier: LGPL-2.1-or-later
// Loading of libnvidia-encode.so.1.
#include "nvenc/nvenc-api.h"

#include <dlfcn.h>

#include <initializer_list>
#include <iterator>
#include <mutex>

namespace vitrine {
namespace {

using MaxVersion = NVENCSTATUS (*)(uint32_t*);
using CreateInstance = NVENCSTATUS (*)(NV_ENCODE_API_FUNCTION_LIST*);

struct Library {
  CreateInstance create = nullptr;
  uint32_t version = 0;  // the newest of the driver: major << 4 | minor
  std::string why_not;
};

struct Loaded {
  NvencApi api;
  std::string why_not;
};

const Library& library() {
  static const Library the_library = [] {
    Library loaded;
    void* handle = dlopen("libnvidia-encode.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      loaded.why_not =
          "There is no NVENC here (libnvidia-encode.so.1 cannot be loaded); a container needs "
          "NVIDIA_DRIVER_CAPABILITIES=video";
      return loaded;
    }
    const auto max_version = reinterpret_cast<MaxVersion>(dlsym(handle, "NvEncodeAPIGetMaxSupportedVersion"));
    loaded.create = reinterpret_cast<CreateInstance>(dlsym(handle, "NvEncodeAPICreateInstance"));
    if (!max_version || !loaded.create || max_version(&loaded.version) != NV_ENC_SUCCESS)
      loaded.why_not = "libnvidia-encode.so.1 does not have the NVENC interface";
    return loaded;
  }();
  return the_library;
}

std::string text(unsigned major, unsigned minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

/// The first of `candidates`, oldest first, that the driver serves.
Loaded load(std::initializer_list<NvencVersion> candidates, const char* needed_driver) {
  Loaded loaded;
  loaded.why_not = library().why_not;
  if (!loaded.why_not.empty())
    return loaded;
  const uint32_t newest = library().version;
  NvencApi& api = loaded.api;
  api.driver_major = static_cast<int>(newest >> 4);
  api.driver_minor = static_cast<int>(newest & 0xf);
  const NvencVersion& oldest = *candidates.begin();
  if (newest < (oldest.major << 4 | oldest.minor)) {
    loaded.why_not = "The NVIDIA driver is too old: it has NVENC " + text(newest >> 4, newest & 0xf) + ", and " +
                     text(oldest.major, oldest.minor) + " is needed (" + needed_driver + " or newer)";
    return loaded;
  }
  for (const NvencVersion& candidate : candidates) {
    api.version = candidate;
    api.functions = {};
    api.functions.version = candidate.function_list();
    const NVENCSTATUS status = library().create(&api.functions);
    if (status == NV_ENC_SUCCESS) {
      loaded.why_not.clear();
      break;
    }
    loaded.why_not = std::string("NVENC refuses: NvEncodeAPICreateInstance: ") + nvenc_status_name(status);
    if (status != NV_ENC_ERR_INVALID_VERSION)
      break;
  }
  return loaded;
}

}  // namespace

const NvencApi* NvencApi::get(bool needs_av1, std::string* why_not) {
  static const Loaded without_av1 = load({kNvenc111, kNvenc120}, "driver 470");
  static const Loaded with_av1 = load({kNvenc120}, "for AV1 driver 525");
  const Loaded& loaded = needs_av1 ? with_av1 : without_av1;
  if (loaded.why_not.empty())
    return &loaded.api;
  *why_not = loaded.why_not;
  return nullptr;
}

NVENCSTATUS NvencApi::open(void* cuda_context, void** encoder) const {
  // A driver refuses sessions of any version but that of the last NvEncodeAPICreateInstance in the process, whoever called it: another element,
  // or another library (seen with 580). So it is called again each time.
  static std::mutex mutex;
  const std::lock_guard<std::mutex> guard(mutex);
  NV_ENCODE_API_FUNCTION_LIST again{};
  again.version = version.function_list();
  if (const NVENCSTATUS status = library().create(&again); status != NV_ENC_SUCCESS)
    return status;
  NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS params{};
  params.version = version.open();
  params.deviceType = NV_ENC_DEVICE_TYPE_CUDA;
  params.device = cuda_context;
  params.apiVersion = version.api();
  return again.nvEncOpenEncodeSessionEx(&params, encoder);
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
