// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions to an encoding session that never encodes.
#include "nvenc/nvenc-capabilities.h"

#include <cstring>
#include <utility>
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
    {"width-min", NV_ENC_CAPS_WIDTH_MIN, true},
    {"height-min", NV_ENC_CAPS_HEIGHT_MIN, true},
    {"engines", NV_ENC_CAPS_NUM_ENCODER_ENGINES, true},
    {"444", NV_ENC_CAPS_SUPPORT_YUV444_ENCODE, false},
    {"10-bit", NV_ENC_CAPS_SUPPORT_10BIT_ENCODE, false},
    {"lossless", NV_ENC_CAPS_SUPPORT_LOSSLESS_ENCODE, false},
    {"intra-refresh", NV_ENC_CAPS_SUPPORT_INTRA_REFRESH, false},
    {"reference-invalidation", NV_ENC_CAPS_SUPPORT_REF_PIC_INVALIDATION, false},
    {"dynamic-bitrate", NV_ENC_CAPS_SUPPORT_DYN_BITRATE_CHANGE, false},
    {"custom-vbv", NV_ENC_CAPS_SUPPORT_CUSTOM_VBV_BUF_SIZE, false},
};

int ask(const NvencApi& api, void* encoder, const GUID& codec, NV_ENC_CAPS which, int otherwise) {
  NV_ENC_CAPS_PARAM param{};
  param.version = api.version.caps();
  param.capsToQuery = which;
  int value = 0;
  return api.functions.nvEncGetEncodeCaps(encoder, codec, &param, &value) == NV_ENC_SUCCESS ? value : otherwise;
}

void add_codec(const NvencApi& api, void* encoder, const GUID& guid, const char* name, GstStructure* to) {
  GstStructure* codec = gst_structure_new_empty(name);
  for (const Question& question : kQuestions) {
    const int value = ask(api, encoder, guid, question.which, -1);
    if (value < 0)
      continue;
    if (question.is_number)
      gst_structure_set(codec, question.field, G_TYPE_INT, value, nullptr);
    else
      gst_structure_set(codec, question.field, G_TYPE_BOOLEAN, value != 0, nullptr);
  }
  gst_structure_set(to, name, GST_TYPE_STRUCTURE, codec, nullptr);
  gst_structure_free(codec);
}

/// Sessions that end with this.
class Sessions {
 public:
  Sessions(const NvencApi& api, GstCudaContext* context) : api_(api), context_(context) {}
  ~Sessions() {
    for (void* encoder : encoders_)
      api_.functions.nvEncDestroyEncoder(encoder);
  }
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  NVENCSTATUS open() {
    void* encoder = nullptr;
    const NVENCSTATUS status = api_.open(gst_cuda_context_get_handle(context_), &encoder);
    if (encoder)  // to be destroyed even where opening it failed
      encoders_.push_back(encoder);
    if (status == NV_ENC_SUCCESS)
      count_++;
    return status;
  }
  void* first() const { return encoders_.front(); }
  int count() const { return count_; }

 private:
  const NvencApi& api_;
  GstCudaContext* context_;
  std::vector<void*> encoders_;
  int count_ = 0;
};

constexpr int kMostSessions = 16;

}  // namespace

StructurePtr nvenc_no_capabilities(const std::string& error) {
  return StructurePtr(gst_structure_new("nvenc-capabilities", "error", G_TYPE_STRING, error.c_str(), nullptr));
}

StructurePtr nvenc_capabilities(const NvencApi& api, GstCudaContext* context) {
  const CudaScope scope(context);
  Sessions sessions(api, context);
  const NVENCSTATUS opened = sessions.open();
  if (opened == NV_ENC_ERR_UNSUPPORTED_DEVICE || opened == NV_ENC_ERR_NO_ENCODE_DEVICE)
    return nvenc_no_capabilities(std::string("This GPU has no video encoder (") + nvenc_status_name(opened) + ")");
  if (opened != NV_ENC_SUCCESS)
    return nvenc_no_capabilities(std::string("This GPU opens no encoding session: ") + nvenc_status_name(opened));
  void* encoder = sessions.first();
  uint32_t count = 0;
  if (api.functions.nvEncGetEncodeGUIDCount(encoder, &count) != NV_ENC_SUCCESS)
    return nvenc_no_capabilities("NVENC does not tell what it can do");
  std::vector<GUID> codecs(count);
  if (api.functions.nvEncGetEncodeGUIDs(encoder, codecs.data(), count, &count) != NV_ENC_SUCCESS)
    return nvenc_no_capabilities("NVENC does not tell what it can do");
  codecs.resize(count);
  const std::string version = std::to_string(api.driver_major) + "." + std::to_string(api.driver_minor);
  StructurePtr result(gst_structure_new("nvenc-capabilities", "driver-api", G_TYPE_STRING, version.c_str(), nullptr));
  if (!codecs.empty()) {
    const int free = ask(api, encoder, codecs[0], NV_ENC_CAPS_DYNAMIC_QUERY_ENCODER_CAPACITY, -1);
    if (free >= 0)
      gst_structure_set(result.get(), "free-capacity", G_TYPE_INT, free, nullptr);
  }
  const std::pair<GUID, const char*> known[] = {
      {NV_ENC_CODEC_H264_GUID, "h264"}, {NV_ENC_CODEC_HEVC_GUID, "h265"}, {kNvencAv1Guid, "av1"}};
  for (const GUID& codec : codecs)
    for (const auto& [guid, name] : known)
      if (std::memcmp(&codec, &guid, sizeof codec) == 0)
        add_codec(api, encoder, codec, name, result.get());
  while (sessions.count() < kMostSessions && sessions.open() == NV_ENC_SUCCESS) {
  }
  gst_structure_set(result.get(), "sessions", G_TYPE_INT, sessions.count(), nullptr);
  return result;
}

}  // namespace vitrine
