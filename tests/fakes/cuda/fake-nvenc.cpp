// SPDX-License-Identifier: LGPL-2.1-or-later
// A fake libnvidia-encode.so.1, for device memory of the fake libcuda.so.1. An access unit holds a checksum of the
// picture it was made from, in Annex B framing. Versions, order of calls and resources are checked strictly; legacy
// presets are not offered, as by drivers since 590.
//
// FAKE_NVENC, a comma-separated list, makes it misbehave:
//   no-encoder          a GPU without NVENC
//   out-of-sessions     all sessions are taken
//   no-invalidation     references cannot be invalidated
//   old-driver          an API that is too old
//   fail-after=N        encoding fails after N frames
//   refuse-reconfigure  reconfiguring fails
#include "fake-nvenc.h"

#include <ffnvcodec/nvEncodeAPI.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "checksum.h"
#include "faults.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

extern "C" const uint8_t* fake_cuda_device_bytes(unsigned long long address, size_t bytes);

namespace {

using vitrine::FakeNvencCounters;

struct Resource {
  NV_ENC_REGISTER_RESOURCE registered;
  bool mapped = false;
};

struct Session {
  bool initialized = false;
  GUID codec{};
  uint32_t width = 0, height = 0, max_width = 0, max_height = 0;
  uint32_t qp_map_mode = 0;
  bool idr_next = true;
  uint64_t frames = 0;
  std::set<uint64_t> timestamps;
  std::map<void*, Resource*> resources;
  std::set<void*> bitstreams;
  std::vector<uint8_t> output;
  bool output_is_idr = false;
  bool output_ready = false;
  bool locked = false;
};

std::mutex mutex;
FakeNvencCounters counters;
std::set<void*> sessions;

NVENCSTATUS misuse(const char* call, const char* what, NVENCSTATUS status = NV_ENC_ERR_INVALID_PARAM) {
  std::fprintf(stderr, "fake-nvenc: %s: %s\n", call, what);
  counters.misuses++;
  return status;
}

bool asked_for(const char* fault, unsigned long* number = nullptr) {
  return vitrine::fault_asked_for("FAKE_NVENC", fault, number);
}

bool same(const GUID& a, const GUID& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

bool is_h265(const Session& session) {
  return same(session.codec, NV_ENC_CODEC_HEVC_GUID);
}

Session* find(void* encoder) {
  return sessions.count(encoder) ? static_cast<Session*>(encoder) : nullptr;
}

#define SESSION(call)                            \
  std::lock_guard<std::mutex> guard(mutex);      \
  Session* session = find(encoder);              \
  if (!session)                                  \
    return misuse(call, "no such session", NV_ENC_ERR_INVALID_ENCODERDEVICE)

NVENCSTATUS open_session(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS* params, void** encoder) {
  std::lock_guard<std::mutex> guard(mutex);
  // GStreamer's own elements have other headers; they find no encoder here.
  if (params->apiVersion != NVENCAPI_VERSION)
    return NV_ENC_ERR_INVALID_VERSION;
  if (params->version != NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS_VER)
    return misuse("nvEncOpenEncodeSessionEx", "version", NV_ENC_ERR_INVALID_VERSION);
  if (params->deviceType != NV_ENC_DEVICE_TYPE_CUDA || !params->device)
    return misuse("nvEncOpenEncodeSessionEx", "device");
  if (asked_for("no-encoder"))
    return NV_ENC_ERR_UNSUPPORTED_DEVICE;
  if (asked_for("out-of-sessions"))
    return NV_ENC_ERR_OUT_OF_MEMORY;
  *encoder = new Session;
  sessions.insert(*encoder);
  counters.sessions++;
  counters.live_sessions++;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_guid_count(void* encoder, uint32_t* count) {
  SESSION("nvEncGetEncodeGUIDCount");
  *count = 2;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_guids(void* encoder, GUID* guids, uint32_t size, uint32_t* count) {
  SESSION("nvEncGetEncodeGUIDs");
  const GUID all[] = {NV_ENC_CODEC_H264_GUID, NV_ENC_CODEC_HEVC_GUID};
  *count = std::min<uint32_t>(size, 2);
  std::copy_n(all, *count, guids);
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_caps(void* encoder, GUID, NV_ENC_CAPS_PARAM* param, int* value) {
  SESSION("nvEncGetEncodeCaps");
  if (param->version != NV_ENC_CAPS_PARAM_VER)
    return misuse("nvEncGetEncodeCaps", "version", NV_ENC_ERR_INVALID_VERSION);
  switch (param->capsToQuery) {
    case NV_ENC_CAPS_WIDTH_MAX:
    case NV_ENC_CAPS_HEIGHT_MAX:
      *value = 4096;
      break;
    case NV_ENC_CAPS_SUPPORT_REF_PIC_INVALIDATION:
      *value = asked_for("no-invalidation") ? 0 : 1;
      break;
    default:
      *value = 1;
      break;
  }
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_profile_count(void* encoder, GUID, uint32_t* count) {
  SESSION("nvEncGetEncodeProfileGUIDCount");
  *count = 1;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_profiles(void* encoder, GUID codec, GUID* guids, uint32_t size, uint32_t* count) {
  SESSION("nvEncGetEncodeProfileGUIDs");
  *count = std::min<uint32_t>(size, 1);
  if (size > 0)
    guids[0] = same(codec, NV_ENC_CODEC_HEVC_GUID) ? NV_ENC_HEVC_PROFILE_MAIN_GUID : NV_ENC_H264_PROFILE_HIGH_GUID;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_format_count(void* encoder, GUID, uint32_t* count) {
  SESSION("nvEncGetInputFormatCount");
  *count = 1;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_formats(void* encoder, GUID, NV_ENC_BUFFER_FORMAT* formats, uint32_t size, uint32_t* count) {
  SESSION("nvEncGetInputFormats");
  *count = std::min<uint32_t>(size, 1);
  if (size > 0)
    formats[0] = NV_ENC_BUFFER_FORMAT_NV12;
  return NV_ENC_SUCCESS;
}

/// Legacy presets: none.
NVENCSTATUS get_preset_count(void* encoder, GUID, uint32_t* count) {
  SESSION("nvEncGetEncodePresetCount");
  *count = 0;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_preset_guids(void* encoder, GUID, GUID*, uint32_t, uint32_t* count) {
  SESSION("nvEncGetEncodePresetGUIDs");
  *count = 0;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_legacy_preset(void*, GUID, GUID, NV_ENC_PRESET_CONFIG*) {
  return NV_ENC_ERR_UNSUPPORTED_PARAM;
}

NVENCSTATUS get_preset(void* encoder, GUID, GUID preset, NV_ENC_TUNING_INFO tuning, NV_ENC_PRESET_CONFIG* config) {
  SESSION("nvEncGetEncodePresetConfigEx");
  if (config->version != NV_ENC_PRESET_CONFIG_VER || config->presetCfg.version != NV_ENC_CONFIG_VER)
    return misuse("nvEncGetEncodePresetConfigEx", "version", NV_ENC_ERR_INVALID_VERSION);
  const GUID presets[] = {NV_ENC_PRESET_P1_GUID, NV_ENC_PRESET_P2_GUID, NV_ENC_PRESET_P3_GUID, NV_ENC_PRESET_P4_GUID,
                          NV_ENC_PRESET_P5_GUID, NV_ENC_PRESET_P6_GUID, NV_ENC_PRESET_P7_GUID};
  bool known = false;
  for (const GUID& candidate : presets)
    known = known || same(candidate, preset);
  if (!known || tuning == NV_ENC_TUNING_INFO_UNDEFINED)
    return misuse("nvEncGetEncodePresetConfigEx", "a legacy preset", NV_ENC_ERR_UNSUPPORTED_PARAM);
  // What a preset may have and a live stream must not.
  config->presetCfg.gopLength = 250;
  config->presetCfg.frameIntervalP = 3;
  config->presetCfg.rcParams.enableLookahead = 1;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS check_params(const char* call, const NV_ENC_INITIALIZE_PARAMS& params) {
  if (params.version != NV_ENC_INITIALIZE_PARAMS_VER || !params.encodeConfig ||
      params.encodeConfig->version != NV_ENC_CONFIG_VER)
    return misuse(call, "version", NV_ENC_ERR_INVALID_VERSION);
  const NV_ENC_CONFIG& config = *params.encodeConfig;
  if (params.encodeWidth == 0 || params.encodeHeight == 0 || params.encodeWidth > params.maxEncodeWidth ||
      params.encodeHeight > params.maxEncodeHeight || params.maxEncodeWidth > 4096 || params.maxEncodeHeight > 4096)
    return misuse(call, "size");
  if (params.frameRateNum == 0 || params.frameRateDen == 0 || params.enablePTD != 1)
    return misuse(call, "framerate or picture types");
  if (config.gopLength != NVENC_INFINITE_GOPLENGTH || config.frameIntervalP != 1 || config.rcParams.enableLookahead)
    return misuse(call, "a configuration that holds frames or sends keyframes unasked");
  const NV_ENC_RC_PARAMS& rate = config.rcParams;
  if (rate.rateControlMode == NV_ENC_PARAMS_RC_CBR &&
      (rate.averageBitRate == 0 || rate.maxBitRate != rate.averageBitRate || rate.vbvBufferSize == 0))
    return misuse(call, "rate");
  if (rate.enableMinQP && rate.enableMaxQP && rate.minQP.qpInterP > rate.maxQP.qpInterP)
    return NV_ENC_ERR_INVALID_PARAM;  // a user's mistake
  return NV_ENC_SUCCESS;
}

void take_params(Session* session, const NV_ENC_INITIALIZE_PARAMS& params) {
  session->codec = params.encodeGUID;
  session->width = params.encodeWidth;
  session->height = params.encodeHeight;
  session->qp_map_mode = params.encodeConfig->rcParams.qpMapMode;
  counters.bitrate = params.encodeConfig->rcParams.averageBitRate;
}

NVENCSTATUS initialize(void* encoder, NV_ENC_INITIALIZE_PARAMS* params) {
  SESSION("nvEncInitializeEncoder");
  if (session->initialized)
    return misuse("nvEncInitializeEncoder", "initialized already", NV_ENC_ERR_INVALID_CALL);
  const NVENCSTATUS status = check_params("nvEncInitializeEncoder", *params);
  if (status != NV_ENC_SUCCESS)
    return status;
  session->initialized = true;
  session->max_width = params->maxEncodeWidth;
  session->max_height = params->maxEncodeHeight;
  take_params(session, *params);
  return NV_ENC_SUCCESS;
}

NVENCSTATUS reconfigure(void* encoder, NV_ENC_RECONFIGURE_PARAMS* params) {
  SESSION("nvEncReconfigureEncoder");
  if (params->version != NV_ENC_RECONFIGURE_PARAMS_VER)
    return misuse("nvEncReconfigureEncoder", "version", NV_ENC_ERR_INVALID_VERSION);
  if (asked_for("refuse-reconfigure"))
    return NV_ENC_ERR_UNSUPPORTED_PARAM;
  const NV_ENC_INITIALIZE_PARAMS& init = params->reInitEncodeParams;
  const NVENCSTATUS status = check_params("nvEncReconfigureEncoder", init);
  if (status != NV_ENC_SUCCESS)
    return status;
  const bool resized = init.encodeWidth != session->width || init.encodeHeight != session->height;
  if (!session->initialized || !same(init.encodeGUID, session->codec) || init.maxEncodeWidth != session->max_width ||
      init.maxEncodeHeight != session->max_height || (resized && !params->forceIDR))
    return misuse("nvEncReconfigureEncoder", "another codec or largest size, or a new size without an IDR");
  counters.reconfigures++;
  counters.resets += params->resetEncoder;
  session->idr_next = session->idr_next || params->forceIDR || params->resetEncoder;
  take_params(session, init);
  return NV_ENC_SUCCESS;
}

NVENCSTATUS create_bitstream(void* encoder, NV_ENC_CREATE_BITSTREAM_BUFFER* params) {
  SESSION("nvEncCreateBitstreamBuffer");
  params->bitstreamBuffer = new char;
  session->bitstreams.insert(params->bitstreamBuffer);
  return NV_ENC_SUCCESS;
}

NVENCSTATUS destroy_bitstream(void* encoder, NV_ENC_OUTPUT_PTR buffer) {
  SESSION("nvEncDestroyBitstreamBuffer");
  if (!session->bitstreams.erase(buffer))
    return misuse("nvEncDestroyBitstreamBuffer", "no such buffer");
  delete static_cast<char*>(buffer);
  return NV_ENC_SUCCESS;
}

size_t surface_rows(const NV_ENC_REGISTER_RESOURCE& resource) {
  switch (resource.bufferFormat) {
    case NV_ENC_BUFFER_FORMAT_NV12:
      return resource.height + resource.height / 2;
    case NV_ENC_BUFFER_FORMAT_YUV444:
      return size_t{resource.height} * 3;
    default:
      return resource.height;
  }
}

size_t row_bytes(const NV_ENC_REGISTER_RESOURCE& resource) {
  return resource.bufferFormat == NV_ENC_BUFFER_FORMAT_ARGB ? resource.width * 4 : resource.width;
}

const uint8_t* surface(const NV_ENC_REGISTER_RESOURCE& resource) {
  return fake_cuda_device_bytes(reinterpret_cast<uintptr_t>(resource.resourceToRegister),
                                (surface_rows(resource) - 1) * resource.pitch + row_bytes(resource));
}

NVENCSTATUS register_resource(void* encoder, NV_ENC_REGISTER_RESOURCE* params) {
  SESSION("nvEncRegisterResource");
  if (params->version != NV_ENC_REGISTER_RESOURCE_VER)
    return misuse("nvEncRegisterResource", "version", NV_ENC_ERR_INVALID_VERSION);
  if (!session->initialized || params->resourceType != NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR || params->pitch % 4 ||
      params->pitch < row_bytes(*params) || params->width != session->width || params->height != session->height)
    return misuse("nvEncRegisterResource", "kind, size or pitch");
  if (!surface(*params))
    return misuse("nvEncRegisterResource", "no device memory of that size");
  auto* resource = new Resource{*params};
  session->resources[resource] = resource;
  params->registeredResource = resource;
  counters.registrations++;
  counters.live_resources++;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS unregister_resource(void* encoder, NV_ENC_REGISTERED_PTR pointer) {
  SESSION("nvEncUnregisterResource");
  const auto found = session->resources.find(pointer);
  if (found == session->resources.end())
    return misuse("nvEncUnregisterResource", "not registered", NV_ENC_ERR_RESOURCE_NOT_REGISTERED);
  if (found->second->mapped)
    return misuse("nvEncUnregisterResource", "mapped");
  if (!surface(found->second->registered))
    misuse("nvEncUnregisterResource", "its memory is gone already");
  delete found->second;
  session->resources.erase(found);
  counters.live_resources--;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS map_resource(void* encoder, NV_ENC_MAP_INPUT_RESOURCE* params) {
  SESSION("nvEncMapInputResource");
  const auto found = session->resources.find(params->registeredResource);
  if (params->version != NV_ENC_MAP_INPUT_RESOURCE_VER || found == session->resources.end() || found->second->mapped)
    return misuse("nvEncMapInputResource", "version, not registered or mapped already");
  found->second->mapped = true;
  params->mappedResource = found->second;
  params->mappedBufferFmt = found->second->registered.bufferFormat;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS unmap_resource(void* encoder, NV_ENC_INPUT_PTR pointer) {
  SESSION("nvEncUnmapInputResource");
  const auto found = session->resources.find(pointer);
  if (found == session->resources.end() || !found->second->mapped)
    return misuse("nvEncUnmapInputResource", "not mapped", NV_ENC_ERR_RESOURCE_NOT_MAPPED);
  found->second->mapped = false;
  return NV_ENC_SUCCESS;
}

void append_nal(std::vector<uint8_t>* to, std::initializer_list<uint8_t> header, const std::string& payload) {
  to->insert(to->end(), {0, 0, 0, 1});
  to->insert(to->end(), header);
  to->insert(to->end(), payload.begin(), payload.end());  // text: no start code can arise
}

NVENCSTATUS encode(void* encoder, NV_ENC_PIC_PARAMS* params) {
  SESSION("nvEncEncodePicture");
  if (params->version != NV_ENC_PIC_PARAMS_VER)
    return misuse("nvEncEncodePicture", "version", NV_ENC_ERR_INVALID_VERSION);
  const auto found = session->resources.find(params->inputBuffer);
  if (found == session->resources.end() || !found->second->mapped || !session->bitstreams.count(params->outputBitstream) ||
      session->output_ready || params->inputWidth != session->width || params->inputHeight != session->height)
    return misuse("nvEncEncodePicture", "buffers or size");
  unsigned long limit = 0;
  if (asked_for("fail-after", &limit) && session->frames >= limit)
    return NV_ENC_ERR_GENERIC;
  const uint32_t block = is_h265(*session) ? 32 : 16;
  const uint32_t blocks = (session->width + block - 1) / block * ((session->height + block - 1) / block);
  counters.mapped_blocks = 0;
  if (session->qp_map_mode == NV_ENC_QP_MAP_DELTA) {
    if (!params->qpDeltaMap || params->qpDeltaMapSize != blocks)
      return misuse("nvEncEncodePicture", "size of the QP map");
    for (uint32_t i = 0; i < blocks; i++)
      counters.mapped_blocks += params->qpDeltaMap[i] != 0;
  } else if (params->qpDeltaMap) {
    return misuse("nvEncEncodePicture", "a QP map that was not configured");
  }

  const NV_ENC_REGISTER_RESOURCE& resource = found->second->registered;
  const uint8_t* pixels = surface(resource);
  if (!pixels)
    return misuse("nvEncEncodePicture", "the picture's memory is gone");
  const std::string text =
      vitrine::checksum_text(pixels, resource.pitch, row_bytes(resource), surface_rows(resource));
  const bool idr = session->idr_next || (params->encodePicFlags & NV_ENC_PIC_FLAG_FORCEIDR);
  session->idr_next = false;
  session->output.clear();
  if (is_h265(*session)) {
    if (idr) {
      append_nal(&session->output, {0x40, 0x01}, "vps");
      append_nal(&session->output, {0x42, 0x01}, "sps");
      append_nal(&session->output, {0x44, 0x01}, "pps");
    }
    append_nal(&session->output, {static_cast<uint8_t>(idr ? 0x26 : 0x02), 0x01}, text);
  } else {
    if (idr) {
      append_nal(&session->output, {0x67}, "sps");
      append_nal(&session->output, {0x68}, "pps");
    }
    append_nal(&session->output, {static_cast<uint8_t>(idr ? 0x65 : 0x41)}, text);
  }
  session->output_is_idr = idr;
  session->output_ready = true;
  session->frames++;
  session->timestamps.insert(params->inputTimeStamp);
  counters.frames++;
  counters.idrs += idr;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS lock_bitstream(void* encoder, NV_ENC_LOCK_BITSTREAM* params) {
  SESSION("nvEncLockBitstream");
  if (params->version != NV_ENC_LOCK_BITSTREAM_VER || !session->output_ready || session->locked ||
      !session->bitstreams.count(params->outputBitstream))
    return misuse("nvEncLockBitstream", "version, nothing encoded or locked already");
  session->locked = true;
  params->bitstreamBufferPtr = session->output.data();
  params->bitstreamSizeInBytes = static_cast<uint32_t>(session->output.size());
  params->pictureType = session->output_is_idr ? NV_ENC_PIC_TYPE_IDR : NV_ENC_PIC_TYPE_P;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS unlock_bitstream(void* encoder, NV_ENC_OUTPUT_PTR) {
  SESSION("nvEncUnlockBitstream");
  if (!session->locked)
    return misuse("nvEncUnlockBitstream", "not locked");
  session->locked = false;
  session->output_ready = false;
  std::fill(session->output.begin(), session->output.end(), uint8_t{0xee});  // whoever looks too late sees this
  return NV_ENC_SUCCESS;
}

NVENCSTATUS invalidate(void* encoder, uint64_t timestamp) {
  SESSION("nvEncInvalidateRefFrames");
  if (!session->timestamps.count(timestamp))
    return misuse("nvEncInvalidateRefFrames", "no such frame");
  counters.invalidations++;
  return NV_ENC_SUCCESS;
}

const char* last_error(void*) {
  return "";
}

NVENCSTATUS destroy(void* encoder) {
  SESSION("nvEncDestroyEncoder");
  if (!session->resources.empty() || !session->bitstreams.empty())
    misuse("nvEncDestroyEncoder", "with resources or buffers left");
  sessions.erase(encoder);
  counters.live_sessions--;
  delete session;
  return NV_ENC_SUCCESS;
}

}  // namespace

EXPORT FakeNvencCounters* fake_nvenc_counters() {
  return &counters;
}

EXPORT NVENCSTATUS NvEncodeAPIGetMaxSupportedVersion(uint32_t* version) {
  *version = asked_for("old-driver") ? (9 << 4 | 1) : (12 << 4 | 2);
  return NV_ENC_SUCCESS;
}

EXPORT NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST* list) {
  if (list->version != NV_ENCODE_API_FUNCTION_LIST_VER)
    return NV_ENC_ERR_INVALID_VERSION;
  list->nvEncOpenEncodeSessionEx = open_session;
  list->nvEncGetEncodeGUIDCount = get_guid_count;
  list->nvEncGetEncodeGUIDs = get_guids;
  list->nvEncGetEncodeCaps = get_caps;
  list->nvEncGetEncodeProfileGUIDCount = get_profile_count;
  list->nvEncGetEncodeProfileGUIDs = get_profiles;
  list->nvEncGetInputFormatCount = get_format_count;
  list->nvEncGetInputFormats = get_formats;
  list->nvEncGetEncodePresetCount = get_preset_count;
  list->nvEncGetEncodePresetGUIDs = get_preset_guids;
  list->nvEncGetEncodePresetConfig = get_legacy_preset;
  list->nvEncGetEncodePresetConfigEx = get_preset;
  list->nvEncInitializeEncoder = initialize;
  list->nvEncReconfigureEncoder = reconfigure;
  list->nvEncCreateBitstreamBuffer = create_bitstream;
  list->nvEncDestroyBitstreamBuffer = destroy_bitstream;
  list->nvEncRegisterResource = register_resource;
  list->nvEncUnregisterResource = unregister_resource;
  list->nvEncMapInputResource = map_resource;
  list->nvEncUnmapInputResource = unmap_resource;
  list->nvEncEncodePicture = encode;
  list->nvEncLockBitstream = lock_bitstream;
  list->nvEncUnlockBitstream = unlock_bitstream;
  list->nvEncInvalidateRefFrames = invalidate;
  list->nvEncGetLastErrorString = last_error;
  list->nvEncDestroyEncoder = destroy;
  return NV_ENC_SUCCESS;
}
