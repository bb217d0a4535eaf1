// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions to an encoding session that never encodes.
#include "nvenc/nvenc-capabilities.h"

#include <cstring>
#include <vector>

namespace vitrine {
namespace {

struct Question {
  const char* field;
  NV_ENC_CAPS which;
  bool is_number;
};

constexpr Question kQuestions[] = {
    {"width-max", NV_ENC_CAPS_WIDTH_MAX, true},
    {"height-max", NV_ENC_CAPS_HEIGHT_MAX, true},
    {"engines", NV_ENC_CAPS_NUM_ENCODER_ENGINES, true},
    {"444", NV_ENC_CAPS_SUPPORT_YUV444_ENCODE, false},
    {"10-bit", NV_ENC_CAPS_SUPPORT_10BIT_ENCODE, false},
    {"lossless", NV_ENC_CAPS_SUPPORT_LOSSLESS_ENCODE, false},
    {"intra-refresh", NV_ENC_CAPS_SUPPORT_INTRA_REFRESH, false},
    {"reference-invalidation", NV_ENC_CAPS_SUPPORT_REF_PIC_INVALIDATION, false},
    {"dynamic-bitrate", NV_ENC_CAPS_SUPPORT_DYN_BITRATE_CHANGE, false},
    {"custom-vbv", NV_ENC_CAPS_SUPPORT_CUSTOM_VBV_BUF_SIZE, false},
};

void add_codec(const NvencApi& api, void* encoder, const GUID& guid, const char* name, GstStructure* to) {
  GstStructure* codec = gst_structure_new_empty(name);
  for (const Question& question : kQuestions) {
    NV_ENC_CAPS_PARAM param{};
    param.version = NV_ENC_CAPS_PARAM_VER;
    param.capsToQuery = question.which;
    int value = 0;
    if (api.functions.nvEncGetEncodeCaps(encoder, guid, &param, &value) != NV_ENC_SUCCESS)
      continue;
    if (question.is_number)
      gst_structure_set(codec, question.field, G_TYPE_INT, value, nullptr);
    else
      gst_structure_set(codec, question.field, G_TYPE_BOOLEAN, value != 0, nullptr);
  }
  gst_structure_set(to, name, GST_TYPE_STRUCTURE, codec, nullptr);
  gst_structure_free(codec);
}

}  // namespace

StructurePtr nvenc_no_capabilities(const std::string& error) {
  return StructurePtr(gst_structure_new("nvenc-capabilities", "error", G_TYPE_STRING, error.c_str(), nullptr));
}

StructurePtr nvenc_capabilities(const NvencApi& api, GstCudaContext* context) {
  const CudaScope scope(context);
  NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS open{};
  open.version = NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS_VER;
  open.deviceType = NV_ENC_DEVICE_TYPE_CUDA;
  open.device = gst_cuda_context_get_handle(context);
  open.apiVersion = NVENCAPI_VERSION;
  void* encoder = nullptr;
  const NVENCSTATUS opened = api.functions.nvEncOpenEncodeSessionEx(&open, &encoder);
  StructurePtr result;
  uint32_t count = 0;
  if (opened != NV_ENC_SUCCESS) {
    result = nvenc_no_capabilities(std::string("This GPU opens no encoding session: ") + nvenc_status_name(opened));
  } else if (api.functions.nvEncGetEncodeGUIDCount(encoder, &count) == NV_ENC_SUCCESS) {
    std::vector<GUID> codecs(count);
    api.functions.nvEncGetEncodeGUIDs(encoder, codecs.data(), count, &count);
    const std::string version = std::to_string(api.driver_major) + "." + std::to_string(api.driver_minor);
    result.reset(gst_structure_new("nvenc-capabilities", "driver-api", G_TYPE_STRING, version.c_str(), nullptr));
    for (const GUID& codec : codecs) {
      if (std::memcmp(&codec, &NV_ENC_CODEC_H264_GUID, sizeof codec) == 0)
        add_codec(api, encoder, codec, "h264", result.get());
      else if (std::memcmp(&codec, &NV_ENC_CODEC_HEVC_GUID, sizeof codec) == 0)
        add_codec(api, encoder, codec, "h265", result.get());
    }
  } else {
    result = nvenc_no_capabilities("NVENC does not tell what it can do");
  }
  if (encoder)
    api.functions.nvEncDestroyEncoder(encoder);
  return result;
}

}  // namespace vitrine
