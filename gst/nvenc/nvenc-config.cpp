// SPDX-License-Identifier: LGPL-2.1-or-later
// Parameters for one viewer-facing stream: no frame is held, no keyframe comes unasked.
#include "nvenc/nvenc-config.h"

#include <algorithm>
#include <cmath>

namespace vitrine {

GUID nvenc_codec_guid(NvencCodec codec) {
  switch (codec) {
    case NvencCodec::kH265:
      return NV_ENC_CODEC_HEVC_GUID;
    case NvencCodec::kAv1:
      return kNvencAv1Guid;
    default:
      return NV_ENC_CODEC_H264_GUID;
  }
}

const char* nvenc_codec_name(NvencCodec codec) {
  return codec == NvencCodec::kAv1 ? "AV1" : codec == NvencCodec::kH265 ? "H.265" : "H.264";
}

GUID nvenc_preset_guid(int preset) {
  const GUID presets[] = {NV_ENC_PRESET_P1_GUID, NV_ENC_PRESET_P2_GUID, NV_ENC_PRESET_P3_GUID, NV_ENC_PRESET_P4_GUID,
                          NV_ENC_PRESET_P5_GUID, NV_ENC_PRESET_P6_GUID, NV_ENC_PRESET_P7_GUID};
  return presets[std::clamp(preset, 1, 7) - 1];
}

int nvenc_map_block(NvencCodec codec) {
  return codec == NvencCodec::kAv1 ? 64 : codec == NvencCodec::kH265 ? 32 : 16;
}

bool nvenc_is_444(NV_ENC_BUFFER_FORMAT format) {
  return format == NV_ENC_BUFFER_FORMAT_YUV444;
}

bool nvenc_is_10_bit(NV_ENC_BUFFER_FORMAT format) {
  return format == NV_ENC_BUFFER_FORMAT_YUV420_10BIT;
}

std::string nvenc_impossible(const NvencSettings& settings) {
  const std::string name = nvenc_codec_name(settings.codec);
  if (settings.codec == NvencCodec::kAv1 && nvenc_is_444(settings.format))
    return "NVENC has no 4:4:4 for " + name;
  if (settings.codec == NvencCodec::kAv1 && settings.lossless)
    return "NVENC has no lossless " + name;
  if (settings.codec == NvencCodec::kH264 && nvenc_is_10_bit(settings.format))
    return "NVENC has no 10 bit for " + name;
  return "";
}

namespace {

GUID profile_guid(const NvencSettings& settings) {
  if (settings.codec == NvencCodec::kAv1)
    return kNvencAv1MainProfileGuid;
  if (settings.codec == NvencCodec::kH265) {
    if (nvenc_is_444(settings.format))
      return NV_ENC_HEVC_PROFILE_FREXT_GUID;
    return nvenc_is_10_bit(settings.format) ? NV_ENC_HEVC_PROFILE_MAIN10_GUID : NV_ENC_HEVC_PROFILE_MAIN_GUID;
  }
  if (nvenc_is_444(settings.format) || settings.lossless)
    return NV_ENC_H264_PROFILE_HIGH_444_GUID;
  switch (settings.profile) {
    case NvencProfile::kBaseline:
      return NV_ENC_H264_PROFILE_BASELINE_GUID;
    case NvencProfile::kMain:
      return NV_ENC_H264_PROFILE_MAIN_GUID;
    default:
      return NV_ENC_H264_PROFILE_HIGH_GUID;
  }
}

/// AV1 counts quantizers up to 255.
int most_quantizer(NvencCodec codec) {
  return codec == NvencCodec::kAv1 ? 255 : 51;
}

void set_rate(const NvencSettings& settings, NV_ENC_RC_PARAMS* rate) {
  rate->enableLookahead = 0;
  rate->zeroReorderDelay = 1;
  rate->enableMinQP = 0;
  rate->enableMaxQP = 0;
  if (settings.lossless) {
    rate->rateControlMode = NV_ENC_PARAMS_RC_CONSTQP;
    rate->constQP = {0, 0, 0};
    return;
  }
  rate->rateControlMode = NV_ENC_PARAMS_RC_CBR;
  rate->averageBitRate = settings.bitrate;
  rate->maxBitRate = settings.bitrate;
  const double frame = static_cast<double>(settings.bitrate) * settings.framerate_d / settings.framerate_n;
  rate->vbvBufferSize = static_cast<uint32_t>(std::min(std::round(frame * settings.vbv_frames), 4e9));
  rate->vbvInitialDelay = rate->vbvBufferSize;
  rate->qpMapMode = settings.damage_map ? NV_ENC_QP_MAP_DELTA : NV_ENC_QP_MAP_DISABLED;
  const auto all = [&](int qp) {
    const auto value = static_cast<uint32_t>(std::min(qp, most_quantizer(settings.codec)));
    return NV_ENC_QP{value, value, value};
  };
  if (settings.qp_min >= 0) {
    rate->enableMinQP = 1;
    rate->minQP = all(settings.qp_min);
  }
  if (settings.qp_max >= 0) {
    rate->enableMaxQP = 1;
    rate->maxQP = all(settings.qp_max);
  }
}

/// A decoder that is told that nothing is reordered shows each picture at once.
void set_vui(const NvencSettings& settings, NV_ENC_CONFIG_H264_VUI_PARAMETERS* vui) {
  vui->videoSignalTypePresentFlag = 1;
  vui->videoFormat = static_cast<decltype(vui->videoFormat)>(5);  // unspecified
  vui->videoFullRangeFlag = settings.full_range ? 1 : 0;
  vui->colourDescriptionPresentFlag = 1;
  // Newer headers have enumerations here.
  vui->colourPrimaries = static_cast<decltype(vui->colourPrimaries)>(settings.primaries);
  vui->transferCharacteristics = static_cast<decltype(vui->transferCharacteristics)>(settings.transfer);
  vui->colourMatrix = static_cast<decltype(vui->colourMatrix)>(settings.matrix);
  vui->bitstreamRestrictionFlag = 1;
}

void set_h264(const NvencSettings& settings, NV_ENC_CONFIG_H264* h264) {
  h264->idrPeriod = NVENC_INFINITE_GOPLENGTH;
  h264->repeatSPSPPS = 1;
  h264->outputAUD = 0;
  h264->outputBufferingPeriodSEI = 0;
  h264->outputPictureTimingSEI = 0;
  h264->sliceMode = 0;
  h264->sliceModeData = 0;
  h264->chromaFormatIDC = nvenc_is_444(settings.format) ? 3 : 1;
  h264->qpPrimeYZeroTransformBypassFlag = settings.lossless ? 1 : 0;
  h264->entropyCodingMode =
      settings.profile == NvencProfile::kBaseline ? NV_ENC_H264_ENTROPY_CODING_MODE_CAVLC : NV_ENC_H264_ENTROPY_CODING_MODE_CABAC;
  h264->enableIntraRefresh = settings.intra_refresh_period > 0 ? 1 : 0;
  h264->intraRefreshPeriod = static_cast<uint32_t>(settings.intra_refresh_period);
  // A round takes nearly all of the period: the flattest bitrate.
  h264->intraRefreshCnt = static_cast<uint32_t>(std::max(settings.intra_refresh_period - 1, 0));
  h264->outputRecoveryPointSEI = h264->enableIntraRefresh;
  set_vui(settings, &h264->h264VUIParameters);
}

void set_h265(const NvencSettings& settings, NV_ENC_CONFIG_HEVC* h265) {
  h265->idrPeriod = NVENC_INFINITE_GOPLENGTH;
  h265->repeatSPSPPS = 1;
  h265->outputAUD = 0;
  h265->outputBufferingPeriodSEI = 0;
  h265->outputPictureTimingSEI = 0;
  h265->sliceMode = 0;
  h265->sliceModeData = 0;
  h265->chromaFormatIDC = nvenc_is_444(settings.format) ? 3 : 1;
  h265->pixelBitDepthMinus8 = nvenc_is_10_bit(settings.format) ? 2 : 0;
  h265->enableIntraRefresh = settings.intra_refresh_period > 0 ? 1 : 0;
  h265->intraRefreshPeriod = static_cast<uint32_t>(settings.intra_refresh_period);
  h265->intraRefreshCnt = static_cast<uint32_t>(std::max(settings.intra_refresh_period - 1, 0));
  set_vui(settings, &h265->hevcVUIParameters);
}

void set_av1(const NvencSettings& settings, NvencConfigAv1* av1) {
  av1->idr_period = NVENC_INFINITE_GOPLENGTH;
  av1->output_annex_b = 0;
  av1->disable_sequence_header = 0;
  av1->repeat_sequence_header = 1;
  av1->enable_padding = 0;
  av1->chroma_format_idc = 1;
  av1->input_bit_depth_minus_8 = av1->bit_depth_minus_8 = nvenc_is_10_bit(settings.format) ? 2 : 0;
  av1->enable_intra_refresh = settings.intra_refresh_period > 0 ? 1 : 0;
  av1->intra_refresh_period = static_cast<uint32_t>(settings.intra_refresh_period);
  av1->intra_refresh_count = static_cast<uint32_t>(std::max(settings.intra_refresh_period - 1, 0));
  av1->primaries = static_cast<uint32_t>(settings.primaries);
  av1->transfer = static_cast<uint32_t>(settings.transfer);
  av1->matrix = static_cast<uint32_t>(settings.matrix);
  av1->full_range = settings.full_range ? 1 : 0;
}

}  // namespace

void nvenc_configure(const NvencSettings& settings, const NvencVersion& version, NV_ENC_CONFIG* config) {
  config->version = version.config();
  config->profileGUID = profile_guid(settings);
  config->gopLength = NVENC_INFINITE_GOPLENGTH;
  config->frameIntervalP = 1;
  set_rate(settings, &config->rcParams);
  if (settings.codec == NvencCodec::kAv1)
    set_av1(settings, reinterpret_cast<NvencConfigAv1*>(&config->encodeCodecConfig));
  else if (settings.codec == NvencCodec::kH265)
    set_h265(settings, &config->encodeCodecConfig.hevcConfig);
  else
    set_h264(settings, &config->encodeCodecConfig.h264Config);
}

NV_ENC_INITIALIZE_PARAMS nvenc_initialize_params(const NvencSettings& settings, const NvencVersion& version,
                                                 NV_ENC_CONFIG* config) {
  NV_ENC_INITIALIZE_PARAMS params{};
  params.version = version.initialize();
  params.encodeGUID = nvenc_codec_guid(settings.codec);
  params.presetGUID = nvenc_preset_guid(settings.preset);
  params.tuningInfo = settings.lossless ? NV_ENC_TUNING_INFO_LOSSLESS : NV_ENC_TUNING_INFO_ULTRA_LOW_LATENCY;
  params.encodeWidth = params.darWidth = static_cast<uint32_t>(settings.width);
  params.encodeHeight = params.darHeight = static_cast<uint32_t>(settings.height);
  params.maxEncodeWidth = static_cast<uint32_t>(std::max(settings.max_width, settings.width));
  params.maxEncodeHeight = static_cast<uint32_t>(std::max(settings.max_height, settings.height));
  params.frameRateNum = static_cast<uint32_t>(settings.framerate_n);
  params.frameRateDen = static_cast<uint32_t>(settings.framerate_d);
  params.enablePTD = 1;
  params.encodeConfig = config;
  return params;
}

bool nvenc_can_reconfigure(const NvencSettings& now, const NvencSettings& wanted) {
  return now.codec == wanted.codec && now.profile == wanted.profile && now.format == wanted.format &&
         now.preset == wanted.preset && now.lossless == wanted.lossless && now.damage_map == wanted.damage_map &&
         now.intra_refresh_period == wanted.intra_refresh_period && now.full_range == wanted.full_range &&
         now.primaries == wanted.primaries && now.transfer == wanted.transfer && now.matrix == wanted.matrix &&
         wanted.width <= now.max_width && wanted.height <= now.max_height;
}

}  // namespace vitrine
