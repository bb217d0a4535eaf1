// SPDX-License-Identifier: LGPL-2.1-or-later
// Registration of GStreamer's CUDA memory, and the copy for all other.
#include "nvenc/nvenc-input.h"

#include <gst/cuda/gstcudamemory.h>

namespace vitrine {
namespace {

constexpr unsigned kPitch = 256;

/// Kept with the memory it is about.
struct Registration {
  std::weak_ptr<NvencSession> session;
  unsigned epoch;
  NV_ENC_REGISTERED_PTR resource;

  ~Registration() {
    if (const auto alive = session.lock())
      alive->unregister_surface(resource, epoch);
  }
};

GQuark registration_quark() {
  static const GQuark quark = g_quark_from_static_string("vitrine-nvenc-registration");
  return quark;
}

struct PlaneSize {
  size_t row_bytes;
  size_t rows;
};

PlaneSize plane_size(const GstVideoInfo& info, int plane) {
  const auto width = static_cast<size_t>(info.width);
  const auto height = static_cast<size_t>(info.height);
  switch (GST_VIDEO_INFO_FORMAT(&info)) {
    case GST_VIDEO_FORMAT_NV12:
      return {width, plane == 0 ? height : height / 2};
    case GST_VIDEO_FORMAT_P010_10LE:
      return {width * 2, plane == 0 ? height : height / 2};
    case GST_VIDEO_FORMAT_Y444:
      return {width, height};
    default:
      return {width * 4, height};
  }
}

/// NVENC finds the second and third plane right behind the rows of the one before, in the same pitch.
bool lies_as_nvenc_wants(GstVideoFrame* frame) {
  const auto* first = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0));
  const int pitch = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
  size_t rows = 0;
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(frame); plane++) {
    if (GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane) != pitch ||
        GST_VIDEO_FRAME_PLANE_DATA(frame, plane) != first + rows * static_cast<size_t>(pitch))
      return false;
    rows += plane_size(frame->info, static_cast<int>(plane)).rows;
  }
  return pitch % 4 == 0;
}

}  // namespace

NvencInput::NvencInput(const CudaDriver& driver, GstCudaContext* context)
    : driver_(driver), context_(Ref<GstCudaContext>::share(context)) {
  if (const CudaScope scope(context); scope)
    succeeded("cuStreamCreate", driver.stream_create(&stream_, CU_STREAM_NON_BLOCKING));
}

NvencInput::~NvencInput() {
  release_surface();
  if (const CudaScope scope(context_.get()); scope && stream_)
    driver_.stream_destroy(stream_);
}

bool NvencInput::succeeded(const char* call, CUresult result) {
  if (result == CUDA_SUCCESS)
    return true;
  failure_ = "The NVIDIA driver refuses: " + driver_.describe(call, result);
  return false;
}

bool NvencInput::can_map_on_device(GstBuffer* buffer) const {
  GstMemory* memory = gst_buffer_n_memory(buffer) == 1 ? gst_buffer_peek_memory(buffer, 0) : nullptr;
  // Memory of another context must come through the host.
  const bool ours = memory && gst_is_cuda_memory(memory) && GST_CUDA_MEMORY_CAST(memory)->context == context_.get();
#if GST_CHECK_VERSION(1, 24, 0)
  if (ours)
    gst_cuda_memory_sync(GST_CUDA_MEMORY_CAST(memory));
#endif
  return ours;
}

NvencInputResource NvencInput::take(const std::shared_ptr<NvencSession>& session, GstVideoFrame* frame,
                                    bool on_device) {
  if (!on_device || !lies_as_nvenc_wants(frame))
    return copied(session, frame, on_device);
  return in_place(session, frame->map[0].memory,
                  {reinterpret_cast<CUdeviceptr>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0)),
                   static_cast<unsigned>(GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0))});
}

NvencInputResource NvencInput::in_place(const std::shared_ptr<NvencSession>& session, GstMemory* memory,
                                        const NvencSurface& surface) {
  const auto* known = static_cast<Registration*>(
      gst_mini_object_get_qdata(GST_MINI_OBJECT_CAST(memory), registration_quark()));
  if (known && known->session.lock() == session && known->epoch == session->epoch())
    return {known->resource, surface.pitch};
  NV_ENC_REGISTERED_PTR resource = session->register_surface(surface);
  if (!resource) {
    failure_ = session->failure();
    return {};
  }
  registrations_++;
  gst_mini_object_set_qdata(GST_MINI_OBJECT_CAST(memory), registration_quark(),
                            new Registration{session, session->epoch(), resource},
                            [](gpointer data) { delete static_cast<Registration*>(data); });
  return {resource, surface.pitch};
}

void NvencInput::release_surface() {
  if (surface_resource_) {
    if (const auto session = surface_session_.lock())
      session->unregister_surface(surface_resource_, surface_epoch_);
  }
  surface_resource_ = nullptr;
  if (const CudaScope scope(context_.get()); scope && surface_.address)
    driver_.mem_free(surface_.address);
  surface_ = {};
}

bool NvencInput::make_surface(const NvencSettings& settings) {
  release_surface();
  const bool packed = settings.format == NV_ENC_BUFFER_FORMAT_ARGB;
  const bool wide = nvenc_is_10_bit(settings.format);
  const auto row = static_cast<unsigned>(settings.width) * (packed ? 4 : wide ? 2 : 1);
  const auto height = static_cast<size_t>(settings.height);
  size_t rows = height;
  if (settings.format == NV_ENC_BUFFER_FORMAT_NV12 || wide)
    rows = height + height / 2;
  else if (nvenc_is_444(settings.format))
    rows = height * 3;
  surface_.pitch = (row + kPitch - 1) / kPitch * kPitch;
  return succeeded("cuMemAlloc", driver_.mem_alloc(&surface_.address, surface_.pitch * rows));
}

NvencInputResource NvencInput::copied(const std::shared_ptr<NvencSession>& session, GstVideoFrame* frame,
                                      bool on_device) {
  const CudaScope scope(context_.get());
  if (!scope || !stream_)
    return {};
  copies_++;
  if (!surface_resource_ || surface_session_.lock() != session || surface_epoch_ != session->epoch()) {
    if (!make_surface(session->settings()))
      return {};
    surface_resource_ = session->register_surface(surface_);
    if (!surface_resource_) {
      failure_ = session->failure();
      return {};
    }
    registrations_++;
    surface_session_ = session;
    surface_epoch_ = session->epoch();
  }
  size_t rows = 0;
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(frame); plane++) {
    const PlaneSize size = plane_size(frame->info, static_cast<int>(plane));
    void* data = GST_VIDEO_FRAME_PLANE_DATA(frame, plane);
    CUDA_MEMCPY2D copy{};
    copy.srcMemoryType = on_device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
    if (on_device)
      copy.srcDevice = reinterpret_cast<CUdeviceptr>(data);
    else
      copy.srcHost = data;
    copy.srcPitch = static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane));
    copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = surface_.address + rows * surface_.pitch;
    copy.dstPitch = surface_.pitch;
    copy.WidthInBytes = size.row_bytes;
    copy.Height = size.rows;
    if (!succeeded("cuMemcpy2DAsync", driver_.memcpy_2d_async(&copy, stream_)))
      return {};
    rows += size.rows;
  }
  if (!succeeded("cuStreamSynchronize", driver_.stream_synchronize(stream_)))
    return {};
  return {surface_resource_, surface_.pitch};
}

}  // namespace vitrine
