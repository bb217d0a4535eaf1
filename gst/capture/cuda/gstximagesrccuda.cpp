// SPDX-License-Identifier: LGPL-2.1-or-later
// ximagesrc-cuda: the GstPushSrc around the capture core, with pictures in CUDA memory.

/**
 * SECTION:element-ximagesrc-cuda
 * @title: ximagesrc-cuda
 * @see_also: ximagesrc-shm, ximagesrc
 *
 * Captures an X11 screen or window into CUDA memory, without a copy of the frame on the CPU. It is ximagesrc-shm, with
 * all its properties, messages and metas, up to the point where pixels are read: here the X server's framebuffer, or
 * the memory shared with it, is registered with the NVIDIA driver once, and the GPU reads what has changed from there,
 * converts it into a picture on the device and copies that into the buffer.
 *
 * Where the driver refuses to register the memory, changed pixels go through pinned memory, and where there is none of
 * that, they are uploaded; each is said once in the log.
 *
 * On an X server of NVIDIA's driver the pictures come by NvFBC, which leaves them in device memory, where the driver
 * permits that: on professional and data centre GPUs, for the screen of $DISPLAY. Elsewhere the next way is taken, and the
 * log says why.
 *
 * The CUDA context is the one that the pipeline shares; an encoder behind it gets the very same.
 *
 * It needs an NVIDIA driver (libcuda.so.1), no CUDA toolkit. Without a driver the element exists but refuses to start.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 ximagesrc-cuda ! nvh264enc ! h264parse ! matroskamux ! filesink location=a.mkv
 * ]|
 *
 * Since: 0.1
 */

#include "capture/cuda/gstximagesrccuda.h"

#include "capture/capture-element.h"
#include "capture/cuda/cuda-output.h"

GST_DEBUG_CATEGORY(capture_source_debug);

using vitrine::CaptureSourceBody;
using vitrine::CudaOutput;

struct _VitrineXImageSrcCuda {
  GstPushSrc parent;
  CaptureSourceBody* body;
};

using Element = vitrine::CaptureElement<VitrineXImageSrcCuda>;

G_DEFINE_TYPE(VitrineXImageSrcCuda, vitrine_ximage_src_cuda, GST_TYPE_PUSH_SRC)

GST_ELEMENT_REGISTER_DEFINE_WITH_CODE(ximagesrc_cuda, "ximagesrc-cuda", GST_RANK_NONE,
                                      VITRINE_TYPE_XIMAGE_SRC_CUDA,
                                      GST_DEBUG_CATEGORY_INIT(capture_source_debug, "ximagesrc-cuda", 0,
                                                              "X11 capture into CUDA memory"))

namespace {

constexpr guint kDeviceId = vitrine::kFirstOwnProperty;

CudaOutput& output_of(gpointer instance) {
  return static_cast<CudaOutput&>(Element::body_of(instance)->output());
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  if (id == kDeviceId)
    output_of(object).set_device_id(g_value_get_int(value));
  else
    Element::set_property(object, id, value, pspec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  if (id == kDeviceId)
    g_value_set_int(value, output_of(object).device_id());
  else
    Element::get_property(object, id, value, pspec);
}

void set_context(GstElement* element, GstContext* context) {
  output_of(element).set_context(context);
  GST_ELEMENT_CLASS(vitrine_ximage_src_cuda_parent_class)->set_context(element, context);
}

gboolean query(GstBaseSrc* src, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && output_of(src).answer_context_query(query))
    return TRUE;
  return Element::query(src, query);
}

}  // namespace

static void vitrine_ximage_src_cuda_class_init(VitrineXImageSrcCudaClass* klass) {
  Element::init_class(klass, vitrine::register_capture_mode("VitrineXImageSrcCudaCaptureMode", true));
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  g_object_class_install_property(
      object_class, kDeviceId,
      g_param_spec_int("cuda-device-id", "CUDA device", "Number of the GPU to use (-1 = the pipeline's, or the first)", -1,
                       G_MAXINT, -1,
                       static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->set_context = set_context;
  GST_BASE_SRC_CLASS(klass)->query = query;
  vitrine::Ref<GstCaps> caps = CudaOutput(nullptr).caps({});
  gst_element_class_add_pad_template(element_class,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_set_static_metadata(element_class, "X11 damage-driven CUDA video source",
                                        "Source/Video/Hardware",
                                        "Captures an X11 screen or window into CUDA memory, without a copy by the CPU",
                                        "The Vitrine authors");
}

static void vitrine_ximage_src_cuda_init(VitrineXImageSrcCuda* self) {
  Element::init(self, std::make_unique<CudaOutput>(GST_ELEMENT(self)));
}
