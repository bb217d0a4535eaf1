// SPDX-License-Identifier: LGPL-2.1-or-later
// Context, caps, pool and device copies of ximagesrc-cuda.
#include "capture/cuda/cuda-output.h"

#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudamemory.h>

#include <algorithm>

#include "capture/cuda/capture-nvfbc.h"

namespace vitrine {

VITRINE_REF_TRAITS(GstBufferPool, gst_object_ref, gst_object_unref);

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

struct Format {
  GstVideoFormat gst;
  PixelFormat core;
};

/// NV12 first: on GStreamer 1.22 neither NVENC element takes BGRx, and the encoder's own conversion costs more.
constexpr Format kFormats[] = {
    {GST_VIDEO_FORMAT_NV12, PixelFormat::kNv12},
    {GST_VIDEO_FORMAT_BGRA, PixelFormat::kBgrx},
    {GST_VIDEO_FORMAT_BGRx, PixelFormat::kBgrx},
};

}  // namespace

CudaOutput::~CudaOutput() {
  stop();
  gst_clear_object(&context_);
}

Ref<GstCaps> CudaOutput::caps(Size size) const {
  Ref<GstCaps> caps = Ref<GstCaps>::adopt(gst_caps_new_empty());
  for (const Format& format : kFormats) {
    GstStructure* structure = gst_structure_new("video/x-raw", "format", G_TYPE_STRING,
                                                gst_video_format_to_string(format.gst), "framerate",
                                                GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, nullptr);
    if (size.empty())
      gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE, 1,
                        G_MAXINT, nullptr);
    else
      gst_structure_set(structure, "width", G_TYPE_INT, size.width, "height", G_TYPE_INT, size.height,
                        "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr);
    if (format.core == PixelFormat::kNv12)
      gst_structure_set(structure, "colorimetry", G_TYPE_STRING, GST_VIDEO_COLORIMETRY_BT709, "chroma-site",
                        G_TYPE_STRING, "jpeg", nullptr);
    gst_caps_append_structure_full(caps.get(), structure,
                                   gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY, nullptr));
  }
  return caps;
}

bool CudaOutput::start(CaptureSettings& settings, std::string* error) {
  const CudaDriver* driver = CudaDriver::get(error);
  if (!driver)
    return false;
  settings.writable_memory = true;  // the driver pins pages for writing
  Lock lock(mutex_);
  if (!gst_cuda_ensure_element_context(element_, device_id_, &context_) || !context_) {
    *error = device_id_ < 0 ? "There is no usable CUDA device here"
                            : "There is no usable CUDA device " + std::to_string(device_id_) + " here";
    return false;
  }
  device_ = CudaDevice::create(*driver, context_, error);
  if (!device_ && renew_context())
    device_ = CudaDevice::create(*driver, context_, error);
  if (!device_)
    return false;
  access_ = std::make_unique<HostAccess>(*device_);
  settings.device_source = [context = device_->context()](const DeviceSourceRequest& request,
                                                                          std::string* why_not) {
    return open_nvfbc_source(request, context, why_not);
  };
  return true;
}

/// A context that has met an error stays unusable, and the pipeline goes on handing it out: replaces it for all.
bool CudaOutput::renew_context() {
  GstCudaContext* fresh = gst_cuda_context_new(static_cast<guint>(std::max(device_id_, 0)));
  if (!fresh)
    return false;
  gst_object_unref(context_);
  context_ = fresh;
  GstContext* shared = gst_context_new_cuda_context(context_);
  gst_element_set_context(element_, shared);
  gst_element_post_message(element_, gst_message_new_have_context(GST_OBJECT(element_), shared));
  return true;
}

void CudaOutput::stop() {
  Lock lock(mutex_);
  canvas_.reset();
  if (access_) {
    registrations_ = access_->registrations();
    copied_bytes_ = access_->copied_bytes();
  }
  access_.reset();
  device_.reset();
}

bool CudaOutput::layout(const GstVideoInfo& info, PictureLayout* layout) const {
  for (const Format& format : kFormats) {
    if (format.gst != GST_VIDEO_INFO_FORMAT(&info))
      continue;
    *layout = PictureLayout::make(format.core, ColorMatrix::kBt709, {info.width, info.height});
    return true;
  }
  return false;
}

bool CudaOutput::decide_allocation(GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps))
    return false;
  Ref<GstBufferPool> pool;
  guint size = static_cast<guint>(info.size);
  guint least = 0;
  guint most = 0;
  if (gst_query_get_n_allocation_pools(query) > 0) {
    gst_query_parse_nth_allocation_pool(query, 0, pool.out(), &size, &least, &most);
    // Memory of another context would be copied through the host by the encoder.
    if (pool && (!GST_IS_CUDA_BUFFER_POOL(pool.get()) || GST_CUDA_BUFFER_POOL(pool.get())->context != context_))
      pool.reset();
  }
  if (!pool) {
    pool = Ref<GstBufferPool>::adopt(gst_cuda_buffer_pool_new(context_));
    size = static_cast<guint>(info.size);
    most = 0;
  }
  GstStructure* config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, caps, size, least, most);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!gst_buffer_pool_set_config(pool.get(), config))
    return false;
  // The pool knows best how large its pictures are, with the device's row pitch.
  config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
  gst_structure_free(config);
  if (gst_query_get_n_allocation_pools(query) > 0)
    gst_query_set_nth_allocation_pool(query, 0, pool.get(), size, least, most);
  else
    gst_query_add_allocation_pool(query, pool.get(), size, least, most);
  info_ = info;
  return true;
}

Canvas& CudaOutput::renew(const PictureLayout& layout, Point origin) {
  Lock lock(mutex_);
  canvas_.reset();  // first give its memory back
  canvas_ = std::make_unique<CudaCanvas>(*device_, *access_, layout, origin);
  return *canvas_;
}

Ref<GstBuffer> CudaOutput::finish(GstBaseSrc* element, DamageGrid* damage, GstFlowReturn* flow) {
  *damage = canvas_->finish();
  return again(element, flow);
}

Ref<GstBuffer> CudaOutput::again(GstBaseSrc* element, GstFlowReturn* flow) {
  const Ref<GstBufferPool> pool = Ref<GstBufferPool>::adopt(gst_base_src_get_buffer_pool(element));
  Ref<GstBuffer> buffer;
  *flow = pool ? gst_buffer_pool_acquire_buffer(pool.get(), buffer.out(), nullptr) : GST_FLOW_NOT_NEGOTIATED;
  if (*flow != GST_FLOW_OK)
    return nullptr;
  if (copy_to(buffer.get(), info_))
    return buffer;
  *flow = GST_FLOW_ERROR;
  return nullptr;
}

bool CudaOutput::copy_to(GstBuffer* buffer, const GstVideoInfo& info) {
  GstVideoFrame frame;
  if (!gst_video_frame_map(&frame, &info, buffer, static_cast<GstMapFlags>(GST_MAP_WRITE | GST_MAP_CUDA)))
    return false;
  const PictureLayout& from = canvas_->layout();
  bool ok = false;
  if (const CudaScope scope(device_->context()); scope) {
    ok = true;
    for (int plane = 0; ok && plane < from.plane_count; plane++) {
      const Plane& p = from.planes[plane];
      CUDA_MEMCPY2D copy{};
      copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
      copy.srcDevice = canvas_->address() + p.offset;
      copy.srcPitch = static_cast<size_t>(p.stride);
      copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
      copy.dstDevice = reinterpret_cast<CUdeviceptr>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane));
      copy.dstPitch = static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane));
      copy.WidthInBytes = static_cast<size_t>((from.size.width + (1 << p.x_shift) - 1) >> p.x_shift) *
                          static_cast<size_t>(p.bytes_per_sample);
      copy.Height = static_cast<size_t>((from.size.height + (1 << p.y_shift) - 1) >> p.y_shift);
      ok = device_->copy(copy);
    }
    // Done before it is handed on: the peer may use any stream. Streams of GStreamer 1.24 need no more than this.
    ok = device_->wait() && ok;
  }
  gst_video_frame_unmap(&frame);
  return ok;
}

void CudaOutput::add_stats(GstStructure* stats) const {
  Lock lock(mutex_);
  gst_structure_set(stats, "registrations", G_TYPE_UINT64,
                    static_cast<guint64>(access_ ? access_->registrations() : registrations_), "cpu-copied-bytes",
                    G_TYPE_UINT64, static_cast<guint64>(access_ ? access_->copied_bytes() : copied_bytes_), nullptr);
}

std::vector<std::string> CudaOutput::take_notes() {
  return access_ ? access_->take_notes() : std::vector<std::string>();
}

void CudaOutput::set_device_id(int id) {
  Lock lock(mutex_);
  device_id_ = id;
}

int CudaOutput::device_id() {
  Lock lock(mutex_);
  return device_id_;
}

void CudaOutput::set_context(GstContext* context) {
  Lock lock(mutex_);
  gst_cuda_handle_set_context(element_, context, device_id_, &context_);
}

bool CudaOutput::answer_context_query(GstQuery* query) {
  Lock lock(mutex_);
  return gst_cuda_handle_context_query(element_, query, context_);
}

}  // namespace vitrine
