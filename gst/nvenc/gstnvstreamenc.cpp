// SPDX-License-Identifier: LGPL-2.1-or-later
// nvstreamenc: the GstVideoEncoder around an NVENC session.

/**
 * SECTION:element-nvstreamenc
 * @title: nvstreamenc
 *
 * Encodes H.264, H.265 and AV1 on NVIDIA GPUs for live streams: presets P1 to P7 tuned for ultra low latency, constant bitrate
 * with a buffer of few frames, no frame held back, keyframes only when asked for, parameter sets before each of them.
 * It asks the driver for nothing that newer drivers have dropped, so it works where the NVENC elements of GStreamer 1.22
 * do not.
 *
 * Bitrate, quantizer limits and framerate change without a keyframe. Another size up to #nvstreamenc:max-width and
 * #nvstreamenc:max-height needs no new session, only a keyframe.
 *
 * CUDA memory of the same context is registered once and read where it is; other memory is copied to the device.
 *
 * An upstream event with a structure `vitrine-lost-frames` and a field `pts` (guint64, nanoseconds of stream time as in
 * the buffers) tells that the receiver lacks that frame and all after it: the next frame refers to none of them where the
 * GPU can do so, else it is a keyframe.
 *
 * With #nvstreamenc:damage-qp-offset, blocks that a #GstVideoRegionOfInterestMeta of type `damage` covers get another
 * quantizer than the rest.
 *
 * It needs an NVIDIA driver of 470 or newer with libnvidia-encode.so.1; for AV1 one of 525 or newer, and a GPU of the Ada
 * generation or later. H.265 and AV1 take P010_10LE for 10 bit, H.264 and H.265 Y444 for 4:4:4, where the GPU can.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 ximagesrc-cuda ! nvstreamenc bitrate=12000 ! h264parse ! matroskamux ! filesink location=a.mkv
 * ]|
 *
 * Since: 0.1
 */

#include "nvenc/gstnvstreamenc.h"

#include <gst/video/video.h>

#include "nvenc/nvstreamenc-body.h"

GST_DEBUG_CATEGORY(nvstreamenc_debug);
#define GST_CAT_DEFAULT nvstreamenc_debug

using vitrine::NvStreamEncBody;
using vitrine::NvStreamEncOptions;

struct _VitrineNvStreamEnc {
  GstVideoEncoder parent;
  NvStreamEncBody* body;
};

G_DEFINE_TYPE(VitrineNvStreamEnc, vitrine_nv_stream_enc, GST_TYPE_VIDEO_ENCODER)

GST_ELEMENT_REGISTER_DEFINE_WITH_CODE(nvstreamenc, "nvstreamenc", GST_RANK_NONE, VITRINE_TYPE_NV_STREAM_ENC,
                                      GST_DEBUG_CATEGORY_INIT(nvstreamenc_debug, "nvstreamenc", 0,
                                                              "NVENC for live streams"))

namespace {

// Chroma is shared by two pixels and two rows.
#define VITRINE_EVEN_SIZE "width=[16,8192,2], height=[16,8192,2], framerate=[0/1,2147483647/1]"
#define VITRINE_ANY_SIZE "width=[16,8192], height=[16,8192], framerate=[0/1,2147483647/1]"

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("video/x-raw(memory:CUDAMemory), format={NV12,P010_10LE,BGRA,BGRx}, " VITRINE_EVEN_SIZE
                    "; video/x-raw(memory:CUDAMemory), format=Y444, " VITRINE_ANY_SIZE
                    "; video/x-raw, format={NV12,P010_10LE,BGRA,BGRx}, " VITRINE_EVEN_SIZE
                    "; video/x-raw, format=Y444, " VITRINE_ANY_SIZE));

GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("video/x-h264, stream-format=byte-stream, alignment=au, "
                    "profile={high,main,constrained-baseline,high-4:4:4}; "
                    "video/x-h265, stream-format=byte-stream, alignment=au, profile={main,main-10,main-444}; "
                    "video/x-av1, stream-format=obu-stream, alignment=tu, profile=main"));

enum Property {
  PROP_DEVICE_ID = 1,
  PROP_BITRATE,
  PROP_PRESET,
  PROP_VBV_FRAMES,
  PROP_LOSSLESS,
  PROP_INTRA_REFRESH_PERIOD,
  PROP_QP_MIN,
  PROP_QP_MAX,
  PROP_DAMAGE_QP_OFFSET,
  PROP_MAX_WIDTH,
  PROP_MAX_HEIGHT,
  PROP_STATS,
  PROP_CAPABILITIES,
};

NvStreamEncBody* body_of(gpointer instance) {
  return VITRINE_NV_STREAM_ENC(instance)->body;
}

GType preset_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {1, "Fastest", "p1"}, {2, "Faster", "p2"}, {3, "Fast", "p3"}, {4, "Medium", "p4"},
        {5, "Slow", "p5"},    {6, "Slower", "p6"}, {7, "Best", "p7"}, {0, nullptr, nullptr},
    };
    const GType registered = g_enum_register_static("VitrineNvStreamEncPreset", values);
    gst_type_mark_as_plugin_api(registered, static_cast<GstPluginAPIFlags>(0));
    return registered;
  }();
  return type;
}

bool set_option(NvStreamEncOptions& options, guint id, const GValue* value) {
  switch (id) {
    case PROP_BITRATE:
      options.bitrate = g_value_get_uint(value);
      break;
    case PROP_PRESET:
      options.preset = g_value_get_enum(value);
      break;
    case PROP_VBV_FRAMES:
      options.vbv_frames = g_value_get_double(value);
      break;
    case PROP_LOSSLESS:
      options.lossless = g_value_get_boolean(value);
      break;
    case PROP_INTRA_REFRESH_PERIOD:
      options.intra_refresh_period = g_value_get_int(value);
      break;
    case PROP_QP_MIN:
      options.qp_min = g_value_get_int(value);
      break;
    case PROP_QP_MAX:
      options.qp_max = g_value_get_int(value);
      break;
    case PROP_DAMAGE_QP_OFFSET:
      options.damage_qp_offset = g_value_get_int(value);
      break;
    case PROP_MAX_WIDTH:
      options.max_width = g_value_get_int(value);
      break;
    case PROP_MAX_HEIGHT:
      options.max_height = g_value_get_int(value);
      break;
    default:
      return false;
  }
  return true;
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  if (id == PROP_DEVICE_ID) {
    body_of(object)->set_device_id(g_value_get_int(value));
    return;
  }
  bool known = false;
  body_of(object)->change_options([&](NvStreamEncOptions& options) { known = set_option(options, id, value); });
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  const NvStreamEncOptions options = body_of(object)->options();
  switch (id) {
    case PROP_DEVICE_ID:
      g_value_set_int(value, body_of(object)->device_id());
      break;
    case PROP_BITRATE:
      g_value_set_uint(value, options.bitrate);
      break;
    case PROP_PRESET:
      g_value_set_enum(value, options.preset);
      break;
    case PROP_VBV_FRAMES:
      g_value_set_double(value, options.vbv_frames);
      break;
    case PROP_LOSSLESS:
      g_value_set_boolean(value, options.lossless);
      break;
    case PROP_INTRA_REFRESH_PERIOD:
      g_value_set_int(value, options.intra_refresh_period);
      break;
    case PROP_QP_MIN:
      g_value_set_int(value, options.qp_min);
      break;
    case PROP_QP_MAX:
      g_value_set_int(value, options.qp_max);
      break;
    case PROP_DAMAGE_QP_OFFSET:
      g_value_set_int(value, options.damage_qp_offset);
      break;
    case PROP_MAX_WIDTH:
      g_value_set_int(value, options.max_width);
      break;
    case PROP_MAX_HEIGHT:
      g_value_set_int(value, options.max_height);
      break;
    case PROP_STATS:
      g_value_take_boxed(value, body_of(object)->stats().release());
      break;
    case PROP_CAPABILITIES:
      g_value_take_boxed(value, body_of(object)->capabilities().release());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void finalize(GObject* object) {
  delete body_of(object);
  G_OBJECT_CLASS(vitrine_nv_stream_enc_parent_class)->finalize(object);
}

void set_context(GstElement* element, GstContext* context) {
  body_of(element)->set_context(context);
  GST_ELEMENT_CLASS(vitrine_nv_stream_enc_parent_class)->set_context(element, context);
}

gboolean sink_query(GstVideoEncoder* encoder, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && body_of(encoder)->answer_context_query(query))
    return TRUE;
  return GST_VIDEO_ENCODER_CLASS(vitrine_nv_stream_enc_parent_class)->sink_query(encoder, query);
}

gboolean src_query(GstVideoEncoder* encoder, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && body_of(encoder)->answer_context_query(query))
    return TRUE;
  return GST_VIDEO_ENCODER_CLASS(vitrine_nv_stream_enc_parent_class)->src_query(encoder, query);
}

gboolean src_event(GstVideoEncoder* encoder, GstEvent* event) {
  if (!gst_event_has_name(event, "vitrine-lost-frames"))
    return GST_VIDEO_ENCODER_CLASS(vitrine_nv_stream_enc_parent_class)->src_event(encoder, event);
  guint64 pts = 0;
  const bool has_pts = gst_structure_get_uint64(gst_event_get_structure(event), "pts", &pts);
  gst_event_unref(event);
  if (has_pts)
    body_of(encoder)->invalidate_from(pts);
  else
    GST_WARNING_OBJECT(encoder, "an event vitrine-lost-frames has no field pts of type guint64");
  return has_pts;
}

void install_properties(GObjectClass* object_class) {
  const NvStreamEncOptions defaults;
  const auto read_write = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  const auto startup = static_cast<GParamFlags>(read_write | GST_PARAM_MUTABLE_READY);
  const auto live = static_cast<GParamFlags>(read_write | GST_PARAM_MUTABLE_PLAYING);
  const auto read_only = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto install = [object_class](guint id, GParamSpec* pspec) {
    g_object_class_install_property(object_class, id, pspec);
  };
  install(PROP_DEVICE_ID,
          g_param_spec_int("cuda-device-id", "CUDA device", "Number of the GPU to use (-1 = the pipeline's, or the first)",
                           -1, G_MAXINT, -1, startup));
  install(PROP_BITRATE, g_param_spec_uint("bitrate", "Bitrate", "Bitrate in kbit/s; changes without a keyframe", 1,
                                          4000000, defaults.bitrate, live));
  install(PROP_PRESET, g_param_spec_enum("preset", "Preset", "Speed against quality; a change begins with a keyframe",
                                         preset_type(), defaults.preset, live));
  install(PROP_VBV_FRAMES,
          g_param_spec_double("vbv-frames", "VBV frames",
                              "Size of the rate control's buffer in frames at the bitrate: how far a frame may exceed it",
                              1, 1000, defaults.vbv_frames, live));
  install(PROP_LOSSLESS, g_param_spec_boolean("lossless", "Lossless", "Encode without loss; the bitrate has no effect",
                                              defaults.lossless, startup));
  install(PROP_INTRA_REFRESH_PERIOD,
          g_param_spec_int("intra-refresh-period", "Intra refresh period",
                           "Frames in which the whole picture is refreshed bit by bit (0 = never)", 0, 10000,
                           defaults.intra_refresh_period, startup));
  install(PROP_QP_MIN, g_param_spec_int("qp-min", "Minimum QP", "Quantizer of best quality, up to 51, with AV1 255 (-1 = the driver's choice)",
                                        -1, 255, defaults.qp_min, live));
  install(PROP_QP_MAX, g_param_spec_int("qp-max", "Maximum QP", "Quantizer of worst quality, up to 51, with AV1 255 (-1 = the driver's choice)",
                                        -1, 255, defaults.qp_max, live));
  install(PROP_DAMAGE_QP_OFFSET,
          g_param_spec_int("damage-qp-offset", "Damage QP offset",
                           "Added to the quantizer of blocks in regions of interest of type damage", -51, 51,
                           defaults.damage_qp_offset, startup));
  install(PROP_MAX_WIDTH, g_param_spec_int("max-width", "Maximum width", "Width up to which no new session is needed", 16,
                                           8192, defaults.max_width, startup));
  install(PROP_MAX_HEIGHT, g_param_spec_int("max-height", "Maximum height",
                                            "Height up to which no new session is needed", 16, 8192,
                                            defaults.max_height, startup));
  install(PROP_STATS,
          g_param_spec_boxed("stats", "Statistics",
                             "Since the start: frames, idrs, reconfigures, invalidations, registrations, copies "
                             "(guint64), encode-ms (double, a running mean per frame), queue (guint, pictures "
                             "that are in it now)",
                             GST_TYPE_STRUCTURE, read_only));
  install(PROP_CAPABILITIES,
          g_param_spec_boxed("capabilities", "Capabilities",
                             "What NVENC on this GPU can do, by codec; a field error where it is nothing",
                             GST_TYPE_STRUCTURE, read_only));
}

}  // namespace

static void vitrine_nv_stream_enc_class_init(VitrineNvStreamEncClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->set_context = set_context;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "NVENC live video encoder", "Codec/Encoder/Video/Hardware",
                                        "Encodes H.264, H.265 and AV1 on NVIDIA GPUs for live streams",
                                        "The Vitrine authors");

  GstVideoEncoderClass* encoder_class = GST_VIDEO_ENCODER_CLASS(klass);
  encoder_class->open = [](GstVideoEncoder* encoder) -> gboolean { return body_of(encoder)->open(); };
  encoder_class->close = [](GstVideoEncoder* encoder) -> gboolean {
    body_of(encoder)->close();
    return TRUE;
  };
  encoder_class->stop = [](GstVideoEncoder* encoder) -> gboolean {
    body_of(encoder)->stop();
    return TRUE;
  };
  encoder_class->set_format = [](GstVideoEncoder* encoder, GstVideoCodecState* state) -> gboolean {
    return body_of(encoder)->set_format(state);
  };
  encoder_class->propose_allocation = [](GstVideoEncoder* encoder, GstQuery* query) -> gboolean {
    return body_of(encoder)->propose_allocation(query);
  };
  encoder_class->handle_frame = [](GstVideoEncoder* encoder, GstVideoCodecFrame* frame) {
    return body_of(encoder)->handle_frame(frame);
  };
  encoder_class->sink_query = sink_query;
  encoder_class->src_query = src_query;
  encoder_class->src_event = src_event;
}

static void vitrine_nv_stream_enc_init(VitrineNvStreamEnc* self) {
  self->body = new NvStreamEncBody(GST_VIDEO_ENCODER(self));
}
