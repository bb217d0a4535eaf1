// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions, frames and the ends of nvstreamenc.
#include "nvenc/nvstreamenc-body.h"

#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudamemory.h>

#include <algorithm>
#include <chrono>

#include "nvenc/nvenc-capabilities.h"

GST_DEBUG_CATEGORY_EXTERN(nvstreamenc_debug);
#define GST_CAT_DEFAULT nvstreamenc_debug

namespace vitrine {
namespace {

using ContextLock = std::lock_guard<std::recursive_mutex>;

NV_ENC_BUFFER_FORMAT nvenc_format(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_NV12:
      return NV_ENC_BUFFER_FORMAT_NV12;
    case GST_VIDEO_FORMAT_P010_10LE:
      return NV_ENC_BUFFER_FORMAT_YUV420_10BIT;
    case GST_VIDEO_FORMAT_Y444:
      return NV_ENC_BUFFER_FORMAT_YUV444;
    default:
      return NV_ENC_BUFFER_FORMAT_ARGB;  // by word: in memory B, G, R, A
  }
}

/// The first that downstream takes; H.264 in its high profile when it takes anything.
void choose_codec(GstVideoEncoder* element, NvencCodec* codec, NvencProfile* profile) {
  *codec = NvencCodec::kH264;
  *profile = NvencProfile::kHigh;
  const Ref<GstCaps> allowed = Ref<GstCaps>::adopt(gst_pad_get_allowed_caps(GST_VIDEO_ENCODER_SRC_PAD(element)));
  if (!allowed || gst_caps_is_empty(allowed.get()))
    return;
  const Ref<GstCaps> first = Ref<GstCaps>::adopt(gst_caps_fixate(gst_caps_copy_nth(allowed.get(), 0)));
  const GstStructure* structure = gst_caps_get_structure(first.get(), 0);
  if (gst_structure_has_name(structure, "video/x-h265"))
    *codec = NvencCodec::kH265;
  else if (gst_structure_has_name(structure, "video/x-av1"))
    *codec = NvencCodec::kAv1;
  const char* name = gst_structure_get_string(structure, "profile");
  if (g_strcmp0(name, "constrained-baseline") == 0 || g_strcmp0(name, "baseline") == 0)
    *profile = NvencProfile::kBaseline;
  else if (g_strcmp0(name, "main") == 0)
    *profile = NvencProfile::kMain;
  else if (g_strcmp0(name, "high-4:4:4") == 0)
    *profile = NvencProfile::kHigh444;
}

const char* profile_name(const NvencSettings& settings) {
  if (settings.codec == NvencCodec::kAv1)
    return "main";
  if (settings.codec == NvencCodec::kH265) {
    if (nvenc_is_444(settings.format))
      return "main-444";
    return nvenc_is_10_bit(settings.format) ? "main-10" : "main";
  }
  if (nvenc_is_444(settings.format) || settings.lossless)
    return "high-4:4:4";
  switch (settings.profile) {
    case NvencProfile::kBaseline:
      return "constrained-baseline";
    case NvencProfile::kMain:
      return "main";
    default:
      return "high";
  }
}

GstCaps* output_caps(const NvencSettings& settings) {
  const char* profile = profile_name(settings);
  if (settings.codec == NvencCodec::kAv1)
    return gst_caps_new_simple("video/x-av1", "stream-format", G_TYPE_STRING, "obu-stream", "alignment", G_TYPE_STRING,
                               "tu", "profile", G_TYPE_STRING, profile, nullptr);
  return gst_caps_new_simple(settings.codec == NvencCodec::kH265 ? "video/x-h265" : "video/x-h264", "stream-format",
                             G_TYPE_STRING, "byte-stream", "alignment", G_TYPE_STRING, "au", "profile", G_TYPE_STRING,
                             profile, nullptr);
}

}  // namespace

NvStreamEncBody::~NvStreamEncBody() {
  gst_clear_object(&context_);
}

StructurePtr NvStreamEncBody::stats() const {
  return StructurePtr(gst_structure_new(
      "application/x-nvstreamenc-stats", "frames", G_TYPE_UINT64, frames_.load(), "idrs", G_TYPE_UINT64, idrs_.load(),
      "reconfigures", G_TYPE_UINT64, reconfigures_.load(), "invalidations", G_TYPE_UINT64, invalidations_.load(),
      "registrations", G_TYPE_UINT64, registrations_.load(), "copies", G_TYPE_UINT64, copies_.load(), "encode-ms",
      G_TYPE_DOUBLE, encode_ms_.load(), "queue", G_TYPE_UINT, queue_.load(), nullptr));
}

StructurePtr NvStreamEncBody::capabilities() {
  std::string error;
  if (!ensure_context(&error))
    return nvenc_no_capabilities(error);
  const NvencApi* api = NvencApi::get(true, &error);
  if (!api)
    api = NvencApi::get(false, &error);
  ContextLock lock(context_mutex_);
  StructurePtr result = api ? nvenc_capabilities(*api, context_) : nvenc_no_capabilities(error);
  if (const std::string name = driver_->device_name(context_); !name.empty())
    gst_structure_set(result.get(), "gpu", G_TYPE_STRING, name.c_str(), nullptr);
  return result;
}

void NvStreamEncBody::set_context(GstContext* context) {
  ContextLock lock(context_mutex_);
  gst_cuda_handle_set_context(GST_ELEMENT(element_), context, device_id_, &context_);
}

bool NvStreamEncBody::answer_context_query(GstQuery* query) {
  ContextLock lock(context_mutex_);
  return gst_cuda_handle_context_query(GST_ELEMENT(element_), query, context_);
}

bool NvStreamEncBody::ensure_context(std::string* error) {
  driver_ = CudaDriver::get(error);
  if (!driver_)
    return false;
  ContextLock lock(context_mutex_);
  if (gst_cuda_ensure_element_context(GST_ELEMENT(element_), device_id_, &context_) && context_)
    return true;
  *error = device_id_ < 0 ? "There is no usable CUDA device here"
                          : "There is no usable CUDA device " + std::to_string(device_id_) + " here";
  return false;
}

bool NvStreamEncBody::open() {
  std::string error;
  if (!ensure_context(&error) || !NvencApi::get(false, &error)) {
    GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_WRITE, ("%s", error.c_str()), (nullptr));
    return false;
  }
  queue_ = 0;
  frames_ = idrs_ = reconfigures_ = invalidations_ = registrations_ = copies_ = 0;
  return true;
}

void NvStreamEncBody::close() {
  ContextLock lock(context_mutex_);
  gst_clear_object(&context_);
}

void NvStreamEncBody::stop() {
  input_.reset();
  session_.reset();
  input_state_.reset();
}

NvencSettings NvStreamEncBody::wanted_settings() {
  const NvStreamEncOptions now = options();
  const GstVideoInfo& info = input_state_.get()->info;
  NvencSettings settings;
  settings.codec = codec_;
  settings.profile = profile_;
  settings.format = nvenc_format(GST_VIDEO_INFO_FORMAT(&info));
  settings.width = info.width;
  settings.height = info.height;
  settings.max_width = now.max_width;
  settings.max_height = now.max_height;
  if (info.fps_n > 0) {
    settings.framerate_n = info.fps_n;
    settings.framerate_d = info.fps_d;
  }
  settings.preset = now.preset;
  settings.bitrate = static_cast<unsigned>(std::min<uint64_t>(uint64_t{now.bitrate} * 1000, UINT32_MAX));
  settings.vbv_frames = now.vbv_frames;
  settings.lossless = now.lossless;
  settings.intra_refresh_period = now.intra_refresh_period;
  settings.qp_min = now.qp_min;
  settings.qp_max = now.qp_max;
  settings.damage_map = now.damage_qp_offset != 0 && !now.lossless;
  settings.full_range = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  settings.primaries = static_cast<int>(gst_video_color_primaries_to_iso(info.colorimetry.primaries));
  settings.transfer = static_cast<int>(gst_video_transfer_function_to_iso(info.colorimetry.transfer));
  settings.matrix = static_cast<int>(gst_video_color_matrix_to_iso(info.colorimetry.matrix));
  if (settings.format == NV_ENC_BUFFER_FORMAT_ARGB) {
    settings.matrix = 5;  // NVENC converts RGB by BT.601 into limited range
    settings.full_range = false;
  }
  return settings;
}

bool NvStreamEncBody::start_session(const NvencSettings& settings) {
  session_.reset();  // a GPU may have but one
  std::string error;
  const NvencApi* api = NvencApi::get(settings.codec == NvencCodec::kAv1, &error);
  ContextLock lock(context_mutex_);
  if (api)
    session_ = NvencSession::open(*api, context_, settings, &error);
  if (!session_) {
    GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_WRITE, ("%s", error.c_str()), (nullptr));
    return false;
  }
  if (!input_)
    input_ = std::make_unique<NvencInput>(*driver_, context_);
  GST_INFO_OBJECT(element_, "encoding %dx%d at %u bit/s with preset P%d", settings.width, settings.height,
                  settings.bitrate, settings.preset);
  return true;
}

bool NvStreamEncBody::set_format(GstVideoCodecState* state) {
  input_state_ = Ref<GstVideoCodecState>::share(state);
  choose_codec(element_, &codec_, &profile_);
  const NvencSettings settings = wanted_settings();
  if (session_ && nvenc_can_reconfigure(session_->settings(), settings)) {
    if (!session_->reconfigure(settings)) {
      GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s", session_->failure().c_str()), (nullptr));
      return false;
    }
    reconfigures_++;
  } else if (!start_session(settings)) {
    return false;
  }
  gst_video_codec_state_unref(gst_video_encoder_set_output_state(element_, output_caps(settings), state));
  // A frame comes out before the next goes in.
  gst_video_encoder_set_latency(element_, 0, 0);
  return true;
}

bool NvStreamEncBody::propose_allocation(GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps))
    return false;
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  if (!gst_caps_features_contains(gst_caps_get_features(caps, 0), GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY))
    return true;
  ContextLock lock(context_mutex_);
  GstBufferPool* pool = gst_cuda_buffer_pool_new(context_);
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, static_cast<guint>(info.size), 0, 0);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  const bool ok = gst_buffer_pool_set_config(pool, config);
  if (ok) {
    guint size = 0;
    config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
    gst_structure_free(config);
    gst_query_add_allocation_pool(query, pool, size, 0, 0);
  }
  gst_object_unref(pool);
  return ok;
}

/// Takes over what was set since the last frame.
bool NvStreamEncBody::follow_options() {
  const NvencSettings wanted = wanted_settings();
  const NvencSettings& now = session_->settings();
  if (!nvenc_can_reconfigure(now, wanted))
    return start_session(wanted);
  if (wanted.bitrate == now.bitrate && wanted.vbv_frames == now.vbv_frames && wanted.qp_min == now.qp_min &&
      wanted.qp_max == now.qp_max)
    return true;
  if (!session_->reconfigure(wanted)) {
    failure_ = session_->failure();
    return false;
  }
  reconfigures_++;
  return true;
}

std::span<const int8_t> NvStreamEncBody::damage_map(GstBuffer* buffer, int offset) {
  const NvencSettings& settings = session_->settings();
  if (!settings.damage_map)
    return {};
  const int block = nvenc_map_block(settings.codec);
  const int columns = (settings.width + block - 1) / block;
  const int rows = (settings.height + block - 1) / block;
  map_.assign(static_cast<size_t>(columns) * rows, 0);
  gpointer state = nullptr;
  while (GstMeta* meta =
             gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto* roi = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    if (roi->roi_type != g_quark_from_static_string("damage") || roi->w == 0 || roi->h == 0)
      continue;
    const auto last = [block](guint start, guint length, int count) {
      const uint64_t index = (uint64_t{start} + length - 1) / static_cast<unsigned>(block);
      return static_cast<int>(std::min<uint64_t>(index, static_cast<uint64_t>(count) - 1));
    };
    const int right = last(roi->x, roi->w, columns);
    const int bottom = last(roi->y, roi->h, rows);
    for (int y = static_cast<int>(std::min<guint>(roi->y / block, rows)); y <= bottom; y++)
      for (int x = static_cast<int>(std::min<guint>(roi->x / block, columns)); x <= right; x++)
        map_[static_cast<size_t>(y) * columns + x] = static_cast<int8_t>(offset);
  }
  return map_;
}

void NvStreamEncBody::invalidate_from(GstClockTime pts) {
  uint64_t earlier = lost_from_;
  while (pts < earlier && !lost_from_.compare_exchange_weak(earlier, pts)) {
  }
}

GstFlowReturn NvStreamEncBody::fail() {
  queue_ = 0;
  GST_ELEMENT_ERROR(element_, STREAM, ENCODE, ("%s", failure_.empty() ? "NVENC has failed" : failure_.c_str()),
                    (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn NvStreamEncBody::handle_frame(GstVideoCodecFrame* frame) {
  failure_.clear();
  queue_ = 1;  // a picture comes out before the next goes in
  if (!session_ || !follow_options()) {
    gst_video_encoder_finish_frame(element_, frame);
    // start_session() has told already.
    return session_ ? fail() : GST_FLOW_ERROR;
  }
  NvencFrame request;
  request.timestamp = frame->pts;
  request.force_idr = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame);
  if (const uint64_t lost = lost_from_.exchange(UINT64_MAX); lost != UINT64_MAX) {
    for (uint64_t timestamp : recent_) {
      if (timestamp >= lost && !session_->invalidate(timestamp))
        request.force_idr = true;
    }
    invalidations_++;
  }
  request.qp_map = damage_map(frame->input_buffer, options().damage_qp_offset);

  const auto start = std::chrono::steady_clock::now();
  GstVideoFrame mapped;
  const bool on_device = input_->can_map_on_device(frame->input_buffer);
  const auto flags = static_cast<GstMapFlags>(on_device ? GST_MAP_READ | GST_MAP_CUDA : GST_MAP_READ);
  if (!gst_video_frame_map(&mapped, &input_state_.get()->info, frame->input_buffer, flags)) {
    failure_ = "The picture's memory cannot be mapped";
    gst_video_encoder_finish_frame(element_, frame);
    return fail();
  }
  const NvencInputResource input = input_->take(session_, &mapped, on_device);
  bool ok = input.resource != nullptr;
  if (!ok)
    failure_ = input_->failure();
  bool is_idr = false;
  if (ok) {
    ok = session_->encode(input.resource, input.pitch, request, [&](const NvencOutput& output) {
      is_idr = output.is_idr;
      frame->output_buffer = gst_buffer_new_memdup(output.bytes.data(), output.bytes.size());
    });
    if (!ok)
      failure_ = session_->failure();
  }
  gst_video_frame_unmap(&mapped);
  registrations_ = input_->registrations();
  copies_ = input_->copies();
  if (!ok) {
    gst_clear_buffer(&frame->output_buffer);
    gst_video_encoder_finish_frame(element_, frame);
    return fail();
  }
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  encode_ms_ = frames_ == 0 ? ms : encode_ms_ + (ms - encode_ms_) / 16;
  frames_++;
  recent_[recent_next_++ % recent_.size()] = frame->pts;
  if (is_idr) {
    idrs_++;
    GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
  }
  frame->dts = frame->pts;
  queue_ = 0;
  return gst_video_encoder_finish_frame(element_, frame);
}

}  // namespace vitrine
