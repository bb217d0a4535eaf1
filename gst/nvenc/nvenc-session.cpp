// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening, reconfiguring and feeding of an NVENC session.
#include "nvenc/nvenc-session.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace vitrine {

NvencSession::NvencSession(const NvencApi& api, GstCudaContext* context, const NvencSettings& settings)
    : api_(api), context_(Ref<GstCudaContext>::share(context)), settings_(settings) {}

std::shared_ptr<NvencSession> NvencSession::open(const NvencApi& api, GstCudaContext* context,
                                                 const NvencSettings& settings, std::string* error) {
  std::shared_ptr<NvencSession> session(new NvencSession(api, context, settings));
  if (session->start())
    return session;
  *error = session->failure();
  return nullptr;
}

NvencSession::~NvencSession() {
  const CudaScope scope(context_.get());
  if (!encoder_)
    return;
  unregister_all();
  if (bitstream_)
    api_.functions.nvEncDestroyBitstreamBuffer(encoder_, bitstream_);
  api_.functions.nvEncDestroyEncoder(encoder_);
}

bool NvencSession::succeeded(const char* call, NVENCSTATUS status) {
  if (status == NV_ENC_SUCCESS)
    return true;
  failure_ = std::string("NVENC refuses: ") + call + ": " + nvenc_status_name(status);
  const char* details = encoder_ ? api_.functions.nvEncGetLastErrorString(encoder_) : nullptr;
  if (details && *details)
    failure_ += std::string(" (") + details + ")";
  return false;
}

int NvencSession::ability(NV_ENC_CAPS which) {
  NV_ENC_CAPS_PARAM param{};
  param.version = api_.version.caps();
  param.capsToQuery = which;
  int value = 0;
  const NVENCSTATUS status =
      api_.functions.nvEncGetEncodeCaps(encoder_, nvenc_codec_guid(settings_.codec), &param, &value);
  return status == NV_ENC_SUCCESS ? value : 0;
}

bool NvencSession::check_abilities() {
  uint32_t count = 0;
  if (!succeeded("nvEncGetEncodeGUIDCount", api_.functions.nvEncGetEncodeGUIDCount(encoder_, &count)))
    return false;
  std::vector<GUID> codecs(count);
  if (!succeeded("nvEncGetEncodeGUIDs", api_.functions.nvEncGetEncodeGUIDs(encoder_, codecs.data(), count, &count)))
    return false;
  const GUID wanted = nvenc_codec_guid(settings_.codec);
  const std::string name = nvenc_codec_name(settings_.codec);
  if (std::none_of(codecs.begin(), codecs.end(),
                   [&](const GUID& codec) { return std::memcmp(&codec, &wanted, sizeof wanted) == 0; })) {
    failure_ = "This GPU cannot encode " + name;
    return false;
  }
  const auto size = [](int width, int height) { return std::to_string(width) + "x" + std::to_string(height); };
  const int width = ability(NV_ENC_CAPS_WIDTH_MAX);
  const int height = ability(NV_ENC_CAPS_HEIGHT_MAX);
  const int least_width = ability(NV_ENC_CAPS_WIDTH_MIN);
  const int least_height = ability(NV_ENC_CAPS_HEIGHT_MIN);
  const std::string here = size(settings_.width, settings_.height);
  if (settings_.width > width || settings_.height > height)
    failure_ = "This GPU encodes " + name + " up to " + size(width, height) + ", not " + here;
  else if (settings_.width < least_width || settings_.height < least_height)
    failure_ = "This GPU encodes " + name + " from " + size(least_width, least_height) + " on, not " + here;
  else if (nvenc_is_444(settings_.format) && !ability(NV_ENC_CAPS_SUPPORT_YUV444_ENCODE))
    failure_ = "This GPU cannot encode " + name + " in 4:4:4";
  else if (nvenc_is_10_bit(settings_.format) && !ability(NV_ENC_CAPS_SUPPORT_10BIT_ENCODE))
    failure_ = "This GPU cannot encode " + name + " with 10 bit";
  else if (settings_.lossless && !ability(NV_ENC_CAPS_SUPPORT_LOSSLESS_ENCODE))
    failure_ = "This GPU cannot encode " + name + " without loss";
  else if (settings_.intra_refresh_period > 0 && !ability(NV_ENC_CAPS_SUPPORT_INTRA_REFRESH))
    failure_ = "This GPU has no intra refresh for " + name;
  settings_.max_width = std::min(std::max(settings_.max_width, settings_.width), width);
  settings_.max_height = std::min(std::max(settings_.max_height, settings_.height), height);
  can_invalidate_ = ability(NV_ENC_CAPS_SUPPORT_REF_PIC_INVALIDATION) != 0;
  return failure_.empty();
}

bool NvencSession::start() {
  failure_ = nvenc_impossible(settings_);
  if (!failure_.empty())
    return false;
  const CudaScope scope(context_.get());
  if (!scope) {
    failure_ = "The CUDA context cannot be made current";
    return false;
  }
  void* encoder = nullptr;
  const NVENCSTATUS opened = api_.open(gst_cuda_context_get_handle(context_.get()), &encoder);
  if (opened == NV_ENC_ERR_UNSUPPORTED_DEVICE || opened == NV_ENC_ERR_NO_ENCODE_DEVICE) {
    failure_ = std::string("This GPU has no video encoder (") + nvenc_status_name(opened) + ")";
  } else if (opened == NV_ENC_ERR_OUT_OF_MEMORY || opened == NV_ENC_ERR_INCOMPATIBLE_CLIENT_KEY) {
    failure_ = std::string("All encoding sessions of this GPU are taken (") + nvenc_status_name(opened) + ")";
  } else {
    succeeded("nvEncOpenEncodeSessionEx", opened);
  }
  encoder_ = encoder;  // to be destroyed even where opening it failed
  if (opened != NV_ENC_SUCCESS || !check_abilities())
    return false;

  NV_ENC_PRESET_CONFIG preset{};
  preset.version = api_.version.preset_config();
  preset.presetCfg.version = api_.version.config();
  NV_ENC_CONFIG* config = &preset.presetCfg;
  NV_ENC_INITIALIZE_PARAMS params = nvenc_initialize_params(settings_, api_.version, config);
  if (!succeeded("nvEncGetEncodePresetConfigEx",
                 api_.functions.nvEncGetEncodePresetConfigEx(encoder_, params.encodeGUID, params.presetGUID,
                                                             params.tuningInfo, &preset)))
    return false;
  nvenc_configure(settings_, api_.version, config);
  if (!succeeded("nvEncInitializeEncoder", api_.functions.nvEncInitializeEncoder(encoder_, &params)))
    return false;
  NV_ENC_CREATE_BITSTREAM_BUFFER create{};
  create.version = api_.version.bitstream();
  if (!succeeded("nvEncCreateBitstreamBuffer", api_.functions.nvEncCreateBitstreamBuffer(encoder_, &create)))
    return false;
  bitstream_ = create.bitstreamBuffer;
  return true;
}

bool NvencSession::reconfigure(const NvencSettings& wanted) {
  std::lock_guard<std::mutex> lock(mutex_);
  const CudaScope scope(context_.get());
  NvencSettings next = wanted;
  next.max_width = settings_.max_width;
  next.max_height = settings_.max_height;
  NV_ENC_PRESET_CONFIG preset{};
  preset.version = api_.version.preset_config();
  preset.presetCfg.version = api_.version.config();
  NV_ENC_RECONFIGURE_PARAMS params{};
  params.version = api_.version.reconfigure();
  params.reInitEncodeParams = nvenc_initialize_params(next, api_.version, &preset.presetCfg);
  const NV_ENC_INITIALIZE_PARAMS& init = params.reInitEncodeParams;
  if (!scope || !succeeded("nvEncGetEncodePresetConfigEx",
                           api_.functions.nvEncGetEncodePresetConfigEx(encoder_, init.encodeGUID, init.presetGUID,
                                                                       init.tuningInfo, &preset)))
    return false;
  nvenc_configure(next, api_.version, &preset.presetCfg);
  const bool resized = next.width != settings_.width || next.height != settings_.height;
  params.forceIDR = resized ? 1 : 0;
  if (!succeeded("nvEncReconfigureEncoder", api_.functions.nvEncReconfigureEncoder(encoder_, &params)))
    return false;
  settings_ = next;
  if (resized)
    unregister_all();
  return true;
}

void NvencSession::unregister_all() {
  for (NV_ENC_REGISTERED_PTR resource : registered_)
    api_.functions.nvEncUnregisterResource(encoder_, resource);
  registered_.clear();
  epoch_++;
}

unsigned NvencSession::epoch() const {
  return epoch_;
}

NV_ENC_REGISTERED_PTR NvencSession::register_surface(const NvencSurface& surface) {
  std::lock_guard<std::mutex> lock(mutex_);
  const CudaScope scope(context_.get());
  NV_ENC_REGISTER_RESOURCE resource{};
  resource.version = api_.version.register_resource();
  resource.resourceType = NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR;
  resource.width = static_cast<uint32_t>(settings_.width);
  resource.height = static_cast<uint32_t>(settings_.height);
  resource.pitch = surface.pitch;
  resource.resourceToRegister = reinterpret_cast<void*>(surface.address);
  resource.bufferFormat = settings_.format;
  resource.bufferUsage = NV_ENC_INPUT_IMAGE;
  if (!scope ||
      !succeeded("nvEncRegisterResource", api_.functions.nvEncRegisterResource(encoder_, &resource)))
    return nullptr;
  registered_.insert(resource.registeredResource);
  return resource.registeredResource;
}

void NvencSession::unregister_surface(NV_ENC_REGISTERED_PTR resource, unsigned epoch) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (epoch != epoch_ || !registered_.erase(resource))
    return;
  if (const CudaScope scope(context_.get()); scope)
    api_.functions.nvEncUnregisterResource(encoder_, resource);
}

NVENCSTATUS NvencSession::encode_picture(const NV_ENC_PIC_PARAMS& picture) {
  if (api_.version.has_av1()) {
    NvencPicture120 params(picture);
    return api_.functions.nvEncEncodePicture(encoder_, params.params());
  }
  NvencPicture111 params(picture);
  return api_.functions.nvEncEncodePicture(encoder_, params.params());
}

bool NvencSession::encode(NV_ENC_REGISTERED_PTR resource, unsigned pitch, const NvencFrame& frame,
                          const std::function<void(const NvencOutput&)>& take) {
  std::lock_guard<std::mutex> guard(mutex_);
  const CudaScope scope(context_.get());
  NV_ENC_MAP_INPUT_RESOURCE map{};
  map.version = api_.version.map_input();
  map.registeredResource = resource;
  if (!scope || !succeeded("nvEncMapInputResource", api_.functions.nvEncMapInputResource(encoder_, &map)))
    return false;

  NV_ENC_PIC_PARAMS picture{};
  picture.version = api_.version.picture();
  picture.inputWidth = static_cast<uint32_t>(settings_.width);
  picture.inputHeight = static_cast<uint32_t>(settings_.height);
  picture.inputPitch = pitch;
  picture.frameIdx = frame_index_++;
  picture.inputTimeStamp = frame.timestamp;
  picture.inputBuffer = map.mappedResource;
  picture.bufferFmt = map.mappedBufferFmt;
  picture.outputBitstream = bitstream_;
  picture.pictureStruct = NV_ENC_PIC_STRUCT_FRAME;
  if (frame.force_idr)
    picture.encodePicFlags = NV_ENC_PIC_FLAG_FORCEIDR | NV_ENC_PIC_FLAG_OUTPUT_SPSPPS;
  if (!frame.qp_map.empty()) {
    picture.qpDeltaMap = const_cast<int8_t*>(frame.qp_map.data());
    picture.qpDeltaMapSize = static_cast<uint32_t>(frame.qp_map.size());
  }
  bool ok = succeeded("nvEncEncodePicture", encode_picture(picture));
  if (ok) {
    NV_ENC_LOCK_BITSTREAM lock{};
    lock.version = api_.version.lock_bitstream();
    lock.outputBitstream = bitstream_;
    ok = succeeded("nvEncLockBitstream", api_.functions.nvEncLockBitstream(encoder_, &lock));
    if (ok) {
      take({{static_cast<const uint8_t*>(lock.bitstreamBufferPtr), lock.bitstreamSizeInBytes},
            lock.pictureType == NV_ENC_PIC_TYPE_IDR});
      ok = succeeded("nvEncUnlockBitstream", api_.functions.nvEncUnlockBitstream(encoder_, bitstream_));
    }
  }
  return succeeded("nvEncUnmapInputResource", api_.functions.nvEncUnmapInputResource(encoder_, map.mappedResource)) && ok;
}

bool NvencSession::invalidate(uint64_t timestamp) {
  std::lock_guard<std::mutex> lock(mutex_);
  const CudaScope scope(context_.get());
  return scope && can_invalidate_ &&
         succeeded("nvEncInvalidateRefFrames", api_.functions.nvEncInvalidateRefFrames(encoder_, timestamp));
}

}  // namespace vitrine
