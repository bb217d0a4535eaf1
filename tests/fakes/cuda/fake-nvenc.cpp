// SPDX-License-Identifier: LGPL-2.1-or-later
// A fake libnvidia-encode.so.1, for device memory of the fake libcuda.so.1. An access unit holds a checksum of the
// picture it was made from, in Annex B framing. Versions, order of calls and resources are checked strictly; legacy
// presets are not offered, as by drivers since 590.
//
// FAKE_NVENC, a comma-separated list, makes it misbehave:
//   no-encoder          a GPU without NVENC
//   out-of-sessions     all sessions are taken
//   sessions=N          N can be open at a time
//   no-invalidation     references cannot be invalidated
//   no-444, no-10-bit, no-lossless, no-intra-refresh   the GPU cannot do that
//   no-av1              a GPU before Ada
//   driver=NNN          the newest version that the driver has, major * 10 + minor: 91, 111, 120, 122 (else)
//   drops-111           a driver that no longer serves 11.1
//   fail-after=N        encoding fails after N frames
//   refuse-reconfigure  reconfiguring fails
#include "fake-nvenc.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "access-unit.h"
#include "checksum.h"
#include "faults.h"
#include "nvenc/nvenc-interface.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

extern "C" const uint8_t* fake_cuda_device_bytes(unsigned long long address, size_t bytes);

namespace {

using vitrine::FakeCodec;
using vitrine::FakeNvencCounters;
using vitrine::NvencVersion;

struct Resource {
  NV_ENC_REGISTER_RESOURCE registered;
  bool mapped = false;
};

struct Session {
  NvencVersion version{};
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
/// Of the last NvEncodeAPICreateInstance: no session of another version is opened, as by real drivers.
NvencVersion created{};

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

FakeCodec codec_of(const Session& session) {
  if (same(session.codec, vitrine::kNvencAv1Guid))
    return FakeCodec::kAv1;
  return same(session.codec, NV_ENC_CODEC_HEVC_GUID) ? FakeCodec::kH265 : FakeCodec::kH264;
}

uint32_t newest_version() {
  unsigned long version = 122;
  asked_for("driver", &version);
  return static_cast<uint32_t>(version / 10 << 4 | version % 10);
}

/// The version that somebody with this word speaks; major 0 for one that is not served.
NvencVersion version_of(uint32_t api) {
  for (const NvencVersion& version : {vitrine::kNvenc111, vitrine::kNvenc120})
    if (api == version.api() && (version.major << 4 | version.minor) <= newest_version() &&
        (version.has_av1() || !asked_for("drops-111")))
      return version;
  return {};
}

std::vector<GUID> codecs_of(const Session& session) {
  std::vector<GUID> codecs = {NV_ENC_CODEC_H264_GUID, NV_ENC_CODEC_HEVC_GUID};
  if (session.version.has_av1() && !asked_for("no-av1"))
    codecs.push_back(vitrine::kNvencAv1Guid);
  return codecs;
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
  const NvencVersion version = version_of(params->apiVersion);
  // GStreamer's own elements have other headers; they find no encoder here.
  if (version.major == 0 || version.api() != created.api())
    return NV_ENC_ERR_INVALID_VERSION;
  if (params->version != version.open())
    return misuse("nvEncOpenEncodeSessionEx", "version", NV_ENC_ERR_INVALID_VERSION);
  if (params->deviceType != NV_ENC_DEVICE_TYPE_CUDA || !params->device)
    return misuse("nvEncOpenEncodeSessionEx", "device");
  if (asked_for("no-encoder"))
    return NV_ENC_ERR_UNSUPPORTED_DEVICE;
  unsigned long most = 8;
  asked_for("sessions", &most);
  if (asked_for("out-of-sessions") || counters.live_sessions >= most)
    return NV_ENC_ERR_OUT_OF_MEMORY;
  auto* session = new Session;
  session->version = version;
  *encoder = session;
  sessions.insert(*encoder);
  counters.sessions++;
  counters.live_sessions++;
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_guid_count(void* encoder, uint32_t* count) {
  SESSION("nvEncGetEncodeGUIDCount");
  *count = static_cast<uint32_t>(codecs_of(*session).size());
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_guids(void* encoder, GUID* guids, uint32_t size, uint32_t* count) {
  SESSION("nvEncGetEncodeGUIDs");
  const std::vector<GUID> all = codecs_of(*session);
  *count = std::min(size, static_cast<uint32_t>(all.size()));
  std::copy_n(all.begin(), *count, guids);
  return NV_ENC_SUCCESS;
}

NVENCSTATUS get_caps(void* encoder, GUID codec, NV_ENC_CAPS_PARAM* param, int* value) {
  SESSION("nvEncGetEncodeCaps");
  if (param->version != session->version.caps())
    return misuse("nvEncGetEncodeCaps", "version", NV_ENC_ERR_INVALID_VERSION);
  const bool av1 = same(codec, vitrine::kNvencAv1Guid);
  switch (param->capsToQuery) {
    case NV_ENC_CAPS_WIDTH_MAX:
    case NV_ENC_CAPS_HEIGHT_MAX:
      *value = av1 ? 8192 : 4096;
      break;
    case NV_ENC_CAPS_WIDTH_MIN:
      *value = av1 ? 192 : 32;
      break;
    case NV_ENC_CAPS_HEIGHT_MIN:
      *value = av1 ? 128 : 32;
      break;
    case NV_ENC_CAPS_DYNAMIC_QUERY_ENCODER_CAPACITY:
      *value = 75;
      break;
    case NV_ENC_CAPS_SUPPORT_REF_PIC_INVALIDATION:
      *value = !asked_for("no-invalidation");
      break;
    case NV_ENC_CAPS_SUPPORT_YUV444_ENCODE:
      *value = !av1 && !asked_for("no-444");
      break;
    case NV_ENC_CAPS_SUPPORT_LOSSLESS_ENCODE:
      *value = !av1 && !asked_for("no-lossless");
      break;
    case NV_ENC_CAPS_SUPPORT_10BIT_ENCODE:
      *value = !same(codec, NV_ENC_CODEC_H264_GUID) && !asked_for("no-10-bit");
      break;
    case NV_ENC_CAPS_SUPPORT_INTRA_REFRESH:
      *value = !asked_for("no-intra-refresh");
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
  if (config->version != session->version.preset_config() ||
      config->presetCfg.version != session->version.config())
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

/// Chroma and depth that a codec is told must be those of the pictures, whose format comes with the resources.
bool check_av1(const vitrine::NvencConfigAv1& av1) {
  return av1.chroma_format_idc == 1 && av1.repeat_sequence_header && !av1.disable_sequence_header &&
         !av1.output_annex_b && av1.idr_period == NVENC_INFINITE_GOPLENGTH &&
         av1.input_bit_depth_minus_8 == av1.bit_depth_minus_8 && av1.reserved == 0 &&
         (!av1.enable_intra_refresh || av1.intra_refresh_count < av1.intra_refresh_period);
}

NVENCSTATUS check_params(const char* call, const NvencVersion& version, const NV_ENC_INITIALIZE_PARAMS& params) {
  if (params.version != version.initialize() || !params.encodeConfig ||
      params.encodeConfig->version != version.config())
    return misuse(call, "version", NV_ENC_ERR_INVALID_VERSION);
  const NV_ENC_CONFIG& config = *params.encodeConfig;
  const bool av1 = same(params.encodeGUID, vitrine::kNvencAv1Guid);
  const uint32_t most = av1 ? 8192 : 4096;
  if (params.encodeWidth == 0 || params.encodeHeight == 0 || params.encodeWidth > params.maxEncodeWidth ||
      params.encodeHeight > params.maxEncodeHeight || params.maxEncodeWidth > most || params.maxEncodeHeight > most)
    return misuse(call, "size");
  if (params.frameRateNum == 0 || params.frameRateDen == 0 || params.enablePTD != 1)
    return misuse(call, "framerate or picture types");
  if (config.gopLength != NVENC_INFINITE_GOPLENGTH || config.frameIntervalP != 1 || config.rcParams.enableLookahead)
    return misuse(call, "a configuration that holds frames or sends keyframes unasked");
  if (av1 && !check_av1(reinterpret_cast<const vitrine::NvencConfigAv1&>(config.encodeCodecConfig)))
    return misuse(call, "a configuration that is none of AV1");
  const NV_ENC_RC_PARAMS& rate = config.rcParams;
  if (rate.rateControlMode == NV_ENC_PARAMS_RC_CBR &&
      (rate.averageBitRate == 0 || rate.maxBitRate != rate.averageBitRate || rate.vbvBufferSize == 0))
    return misuse(call, "rate");
  if (rate.enableMinQP && rate.enableMaxQP && rate.minQP.qpInterP > rate.maxQP.qpInterP)
    return NV_ENC_ERR_INVALID_PARAM;  // a user's mistake
  return NV_ENC_SUCCESS;
}

/// Frames per round of the intra refresh; 0: none.
uint32_t refresh_period(const NV_ENC_INITIALIZE_PARAMS& params) {
  const NV_ENC_CODEC_CONFIG& codec = params.encodeConfig->encodeCodecConfig;
  if (same(params.encodeGUID, NV_ENC_CODEC_H264_GUID))
    return codec.h264Config.enableIntraRefresh ? codec.h264Config.intraRefreshPeriod : 0;
  if (same(params.encodeGUID, NV_ENC_CODEC_HEVC_GUID))
    return codec.hevcConfig.enableIntraRefresh ? codec.hevcConfig.intraRefreshPeriod : 0;
  const auto& av1 = reinterpret_cast<const vitrine::NvencConfigAv1&>(codec);
  return av1.enable_intra_refresh ? av1.intra_refresh_period : 0;
}

void take_params(Session* session, const NV_ENC_INITIALIZE_PARAMS& params) {
  session->codec = params.encodeGUID;
  session->width = params.encodeWidth;
  session->height = params.encodeHeight;
  session->qp_map_mode = params.encodeConfig->rcParams.qpMapMode;
  counters.bitrate = params.encodeConfig->rcParams.averageBitRate;
  counters.refresh_period = refresh_period(params);
  counters.lossless = params.tuningInfo == NV_ENC_TUNING_INFO_LOSSLESS &&
                      params.encodeConfig->rcParams.rateControlMode == NV_ENC_PARAMS_RC_CONSTQP &&
                      params.encodeConfig->rcParams.constQP.qpInterP == 0;
  counters.max_qp = params.encodeConfig->rcParams.enableMaxQP ? params.encodeConfig->rcParams.maxQP.qpInterP : 0;
}

NVENCSTATUS initialize(void* encoder, NV_ENC_INITIALIZE_PARAMS* params) {
  SESSION("nvEncInitializeEncoder");
  if (session->initialized)
    return misuse("nvEncInitializeEncoder", "initialized already", NV_ENC_ERR_INVALID_CALL);
  const NVENCSTATUS status = check_params("nvEncInitializeEncoder", session->version, *params);
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
  if (params->version != session->version.reconfigure())
    return misuse("nvEncReconfigureEncoder", "version", NV_ENC_ERR_INVALID_VERSION);
  if (asked_for("refuse-reconfigure"))
    return NV_ENC_ERR_UNSUPPORTED_PARAM;
  const NV_ENC_INITIALIZE_PARAMS& init = params->reInitEncodeParams;
  const NVENCSTATUS status = check_params("nvEncReconfigureEncoder", session->version, init);
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
  if (params->version != session->version.bitstream())
    return misuse("nvEncCreateBitstreamBuffer", "version", NV_ENC_ERR_INVALID_VERSION);
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
    case NV_ENC_BUFFER_FORMAT_YUV420_10BIT:
      return resource.height + resource.height / 2;
    case NV_ENC_BUFFER_FORMAT_YUV444:
      return size_t{resource.height} * 3;
    default:
      return resource.height;
  }
}

size_t row_bytes(const NV_ENC_REGISTER_RESOURCE& resource) {
  const bool wide = resource.bufferFormat == NV_ENC_BUFFER_FORMAT_YUV420_10BIT;
  return resource.bufferFormat == NV_ENC_BUFFER_FORMAT_ARGB ? resource.width * 4 : resource.width * (wide ? 2 : 1);
}

const uint8_t* surface(const NV_ENC_REGISTER_RESOURCE& resource) {
  return fake_cuda_device_bytes(reinterpret_cast<uintptr_t>(resource.resourceToRegister),
                                (surface_rows(resource) - 1) * resource.pitch + row_bytes(resource));
}

NVENCSTATUS register_resource(void* encoder, NV_ENC_REGISTER_RESOURCE* params) {
  SESSION("nvEncRegisterResource");
  if (params->version != session->version.register_resource())
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
  if (params->version != session->version.map_input() || found == session->resources.end() || found->second->mapped)
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

NVENCSTATUS encode(void* encoder, NV_ENC_PIC_PARAMS* params) {
  SESSION("nvEncEncodePicture");
  if (params->version != session->version.picture())
    return misuse("nvEncEncodePicture", "version", NV_ENC_ERR_INVALID_VERSION);
  // Where the map lies depends on the version.
  const auto* bytes = reinterpret_cast<const uint8_t*>(params);
  const size_t map_at = session->version.has_av1() ? 1712 : 1696;
  const int8_t* map = nullptr;
  uint32_t map_size = 0;
  std::memcpy(&map, bytes + map_at, sizeof map);
  std::memcpy(&map_size, bytes + map_at + sizeof map, sizeof map_size);
  const auto found = session->resources.find(params->inputBuffer);
  if (found == session->resources.end() || !found->second->mapped || !session->bitstreams.count(params->outputBitstream) ||
      session->output_ready || params->inputWidth != session->width || params->inputHeight != session->height)
    return misuse("nvEncEncodePicture", "buffers or size");
  unsigned long limit = 0;
  if (asked_for("fail-after", &limit) && session->frames >= limit)
    return NV_ENC_ERR_GENERIC;
  const FakeCodec codec = codec_of(*session);
  const uint32_t block = codec == FakeCodec::kAv1 ? 64 : codec == FakeCodec::kH265 ? 32 : 16;
  const uint32_t blocks = (session->width + block - 1) / block * ((session->height + block - 1) / block);
  counters.mapped_blocks = 0;
  if (session->qp_map_mode == NV_ENC_QP_MAP_DELTA) {
    if (!map || map_size != blocks)
      return misuse("nvEncEncodePicture", "size of the QP map");
    for (uint32_t i = 0; i < blocks; i++)
      counters.mapped_blocks += map[i] != 0;
  } else if (map) {
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
  session->output = vitrine::make_access_unit(codec, idr, text);
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
  if (params->version != session->version.lock_bitstream() || !session->output_ready || session->locked ||
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
  *version = newest_version();
  return NV_ENC_SUCCESS;
}

EXPORT NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST* list) {
  const NvencVersion version = version_of(list->version & 0x0f0000ff);  // without the structure's own number
  if (version.major == 0 || list->version != version.function_list())
    return NV_ENC_ERR_INVALID_VERSION;
  {
    const std::lock_guard<std::mutex> guard(mutex);
    created = version;
  }
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
