// SPDX-License-Identifier: LGPL-2.1-or-later
// ximagesrc-shm: the GstPushSrc around the capture core.

/**
 * SECTION:element-ximagesrc-shm
 * @title: ximagesrc-shm
 * @see_also: ximagesrc
 *
 * Captures an X11 screen or window and costs only what has changed on it. It takes the place of ximagesrc,
 * whose property names it keeps, and of a videoconvert behind it.
 *
 * A picture is made when the screen changes, at most as often as the framerate in the caps says, and not on a
 * timer. Only changed tiles are read and converted. When nothing changes the last picture is repeated
 * #ximagesrc-shm:refine-frames times, so that an encoder can sharpen it, and then only as
 * #ximagesrc-shm:idle-framerate asks. A force-key-unit event from downstream repeats it at once, and so does
 * a custom upstream event with a structure named `vitrine-repeat-frame`, for whoever sits behind an encoder,
 * which keeps force-key-unit events to itself.
 *
 * Backends, in the order tried: `fb` reads the framebuffer of an Xvfb that was started with `-shmem` or
 * `-fbdir` by the same user, `shm` is MIT-SHM, `getimage` goes through the socket.
 *
 * Each buffer has a #GstReferenceTimestampMeta with the caps `timestamp/x-vitrine-capture`: the time in
 * nanoseconds of CLOCK_MONOTONIC at which the screen was as the buffer shows it; a repeat has the time of its
 * original. Changed areas are #GstVideoRegionOfInterestMeta of type `damage`; a repeat has none.
 *
 * While the pointer is not drawn (#ximagesrc-shm:show-pointer is %FALSE), each new pointer picture is posted
 * as an element message `vitrine-cursor` with the fields `serial` (guint64), `width`, `height`, `x-hot`,
 * `y-hot`, `x`, `y` (gint) and `argb` (GBytes, 32 bits per pixel in host order, premultiplied).
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 ximagesrc-shm num-buffers=60 idle-framerate=30 ! x264enc ! mp4mux ! filesink location=a.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "capture/gstximagesrcshm.h"

#include "capture/shm-source-body.h"

#include <string>

#include <gst/video/video.h>

GST_DEBUG_CATEGORY(ximagesrc_shm_debug);
#define GST_CAT_DEFAULT ximagesrc_shm_debug

namespace vitrine {
namespace {

constexpr GstClockTime kLatency = 5 * GST_MSECOND;
constexpr char kRepeatRequest[] = "vitrine-repeat-frame";

enum Property {
  PROP_DISPLAY_NAME = 1,
  PROP_XID,
  PROP_XNAME,
  PROP_START_X,
  PROP_START_Y,
  PROP_END_X,
  PROP_END_Y,
  PROP_SHOW_POINTER,
  PROP_USE_DAMAGE,
  PROP_REMOTE,
  PROP_CAPTURE_MODE,
  PROP_CAPTURE_MODE_USED,
  PROP_IDLE_FRAMERATE,
  PROP_REFINE_FRAMES,
  PROP_REFINE_INTERVAL,
  PROP_STATS,
};

GType capture_mode_get_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(CaptureMode::kAuto), "The first that works", "auto"},
        {static_cast<int>(CaptureMode::kFramebuffer), "The framebuffer of Xvfb -shmem or -fbdir", "fb"},
        {static_cast<int>(CaptureMode::kShm), "MIT-SHM", "shm"},
        {static_cast<int>(CaptureMode::kGetImage), "Through the socket", "getimage"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("VitrineXImageSrcShmCaptureMode", values);
  }();
  return type;
}

std::string or_empty(const char* text) {
  return text ? text : "";
}

/// False when there is no such property.
bool set_option(ShmSourceOptions& options, guint id, const GValue* value) {
  CaptureSettings& capture = options.capture;
  switch (id) {
    case PROP_DISPLAY_NAME:
      capture.display_name = or_empty(g_value_get_string(value));
      break;
    case PROP_XID:
      capture.xid = g_value_get_uint64(value);
      break;
    case PROP_XNAME:
      capture.xname = or_empty(g_value_get_string(value));
      break;
    case PROP_START_X:
      capture.start_x = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_START_Y:
      capture.start_y = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_END_X:
      capture.end_x = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_END_Y:
      capture.end_y = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_SHOW_POINTER:
      capture.show_pointer = g_value_get_boolean(value);
      break;
    case PROP_USE_DAMAGE:
      capture.use_damage = g_value_get_boolean(value);
      break;
    case PROP_REMOTE:
      capture.remote = g_value_get_boolean(value);
      break;
    case PROP_CAPTURE_MODE:
      capture.mode = static_cast<CaptureMode>(g_value_get_enum(value));
      break;
    case PROP_IDLE_FRAMERATE:
      options.idle_numerator = gst_value_get_fraction_numerator(value);
      options.idle_denominator = gst_value_get_fraction_denominator(value);
      break;
    case PROP_REFINE_FRAMES:
      options.refine_frames = g_value_get_int(value);
      break;
    case PROP_REFINE_INTERVAL:
      options.refine_interval = g_value_get_int(value);
      break;
    default:
      return false;
  }
  return true;
}

/// False when there is no such property.
bool get_option(ShmSourceBody& body, guint id, GValue* value) {
  const ShmSourceOptions options = body.options();
  const CaptureSettings& capture = options.capture;
  const auto set_text = [value](const std::string& text) {
    g_value_set_string(value, text.empty() ? nullptr : text.c_str());
  };
  switch (id) {
    case PROP_DISPLAY_NAME:
      set_text(capture.display_name);
      break;
    case PROP_XID:
      g_value_set_uint64(value, capture.xid);
      break;
    case PROP_XNAME:
      set_text(capture.xname);
      break;
    case PROP_START_X:
      g_value_set_uint(value, capture.start_x);
      break;
    case PROP_START_Y:
      g_value_set_uint(value, capture.start_y);
      break;
    case PROP_END_X:
      g_value_set_uint(value, capture.end_x);
      break;
    case PROP_END_Y:
      g_value_set_uint(value, capture.end_y);
      break;
    case PROP_SHOW_POINTER:
      g_value_set_boolean(value, capture.show_pointer);
      break;
    case PROP_USE_DAMAGE:
      g_value_set_boolean(value, capture.use_damage);
      break;
    case PROP_REMOTE:
      g_value_set_boolean(value, capture.remote);
      break;
    case PROP_CAPTURE_MODE:
      g_value_set_enum(value, static_cast<int>(capture.mode));
      break;
    case PROP_CAPTURE_MODE_USED:
      set_text(body.mode_used());
      break;
    case PROP_IDLE_FRAMERATE:
      gst_value_set_fraction(value, options.idle_numerator, options.idle_denominator);
      break;
    case PROP_REFINE_FRAMES:
      g_value_set_int(value, options.refine_frames);
      break;
    case PROP_REFINE_INTERVAL:
      g_value_set_int(value, options.refine_interval);
      break;
    case PROP_STATS:
      g_value_take_boxed(value, body.stats().release());
      break;
    default:
      return false;
  }
  return true;
}

}  // namespace
}  // namespace vitrine

using vitrine::ShmSourceBody;

struct _VitrineXImageSrcShm {
  GstPushSrc parent;
  ShmSourceBody* body;
};

G_DEFINE_TYPE(VitrineXImageSrcShm, vitrine_ximage_src_shm, GST_TYPE_PUSH_SRC)

GST_ELEMENT_REGISTER_DEFINE_WITH_CODE(ximagesrc_shm, "ximagesrc-shm", GST_RANK_NONE,
                                      VITRINE_TYPE_XIMAGE_SRC_SHM,
                                      GST_DEBUG_CATEGORY_INIT(ximagesrc_shm_debug, "ximagesrc-shm", 0,
                                                              "X11 capture in shared memory"))

static ShmSourceBody* body_of(gpointer instance) {
  return VITRINE_XIMAGE_SRC_SHM(instance)->body;
}

static void set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  bool known = false;
  body_of(object)->change_options(
      [&](vitrine::ShmSourceOptions& options) { known = vitrine::set_option(options, id, value); });
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  if (!vitrine::get_option(*body_of(object), id, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static gboolean start(GstBaseSrc* src) {
  return body_of(src)->start();
}

static gboolean stop(GstBaseSrc* src) {
  body_of(src)->stop();
  return TRUE;
}

static gboolean unlock(GstBaseSrc* src) {
  body_of(src)->unlock();
  return TRUE;
}

static gboolean unlock_stop(GstBaseSrc* src) {
  body_of(src)->unlock_stop();
  return TRUE;
}

static GstCaps* get_caps(GstBaseSrc* src, GstCaps* filter) {
  vitrine::Ref<GstCaps> caps = body_of(src)->caps();
  return filter ? gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST) : caps.release();
}

static gboolean set_caps(GstBaseSrc* src, GstCaps* caps) {
  return body_of(src)->set_caps(caps);
}

static GstCaps* fixate(GstBaseSrc* src, GstCaps* caps) {
  caps = gst_caps_truncate(gst_caps_make_writable(caps));
  gst_structure_fixate_field_nearest_fraction(gst_caps_get_structure(caps, 0), "framerate",
                                              vitrine::kDefaultFramerate, 1);
  return GST_BASE_SRC_CLASS(vitrine_ximage_src_shm_parent_class)->fixate(src, caps);
}

// Frames come from the canvas's own store, never from a pool of the peer.
static gboolean decide_allocation(GstBaseSrc*, GstQuery* query) {
  while (gst_query_get_n_allocation_pools(query) > 0)
    gst_query_remove_nth_allocation_pool(query, 0);
  return TRUE;
}

static gboolean query(GstBaseSrc* src, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    gst_query_set_latency(query, TRUE, vitrine::kLatency, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(vitrine_ximage_src_shm_parent_class)->query(src, query);
}

static gboolean event(GstBaseSrc* src, GstEvent* event) {
  const bool wants_frame =
      GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM &&
      (gst_video_event_is_force_key_unit(event) || gst_event_has_name(event, vitrine::kRepeatRequest));
  if (wants_frame) {
    body_of(src)->request_frame();
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(vitrine_ximage_src_shm_parent_class)->event(src, event);
}

static GstFlowReturn create(GstPushSrc* src, GstBuffer** buffer) {
  *buffer = nullptr;
  return body_of(src)->create(buffer);
}

static void vitrine_ximage_src_shm_finalize(GObject* object) {
  delete body_of(object);
  G_OBJECT_CLASS(vitrine_ximage_src_shm_parent_class)->finalize(object);
}

static void install_properties(GObjectClass* object_class) {
  using namespace vitrine;
  const ShmSourceOptions defaults;
  const auto read_write = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  const auto startup = static_cast<GParamFlags>(read_write | GST_PARAM_MUTABLE_READY);
  const auto live = static_cast<GParamFlags>(read_write | GST_PARAM_MUTABLE_PLAYING);
  const auto read_only = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto install = [object_class](guint id, GParamSpec* pspec) {
    g_object_class_install_property(object_class, id, pspec);
  };
  install(PROP_DISPLAY_NAME, g_param_spec_string("display-name", "Display",
                                                 "X display to capture (NULL = $DISPLAY)", nullptr, startup));
  install(PROP_XID,
          g_param_spec_uint64("xid", "Window XID", "X id of the window to capture (0 = the whole screen)", 0,
                              G_MAXUINT64, 0, startup));
  install(PROP_XNAME,
          g_param_spec_string("xname", "Window name",
                              "Name of the window to capture, unless xid is set (NULL = the whole screen)",
                              nullptr, startup));
  install(PROP_START_X, g_param_spec_uint("startx", "Start X", "Left edge of the captured area, in pixels", 0,
                                          G_MAXINT, 0, startup));
  install(PROP_START_Y, g_param_spec_uint("starty", "Start Y", "Top edge of the captured area, in pixels", 0,
                                          G_MAXINT, 0, startup));
  install(PROP_END_X,
          g_param_spec_uint("endx", "End X",
                            "Last column of the captured area, in pixels (0 = up to the right edge)", 0,
                            G_MAXINT - 1, 0, startup));
  install(PROP_END_Y,
          g_param_spec_uint("endy", "End Y",
                            "Last row of the captured area, in pixels (0 = down to the bottom edge)", 0,
                            G_MAXINT - 1, 0, startup));
  install(PROP_SHOW_POINTER,
          g_param_spec_boolean(
              "show-pointer", "Show pointer",
              "Draw the mouse pointer; if not, its pictures are posted as vitrine-cursor messages", TRUE,
              startup));
  install(PROP_USE_DAMAGE,
          g_param_spec_boolean("use-damage", "Use damage",
                               "Capture what has changed when it changes; if not, all of it at the framerate",
                               TRUE, startup));
  install(PROP_REMOTE,
          g_param_spec_boolean("remote", "Remote", "The display is on another machine: share no memory",
                               FALSE, startup));
  install(PROP_CAPTURE_MODE,
          g_param_spec_enum("capture-mode", "Capture mode",
                            "How pixels are read; one that does not work here gives way to the next",
                            capture_mode_get_type(), static_cast<int>(CaptureMode::kAuto), startup));
  install(PROP_CAPTURE_MODE_USED,
          g_param_spec_string("capture-mode-used", "Capture mode used",
                              "How pixels are being read: fb, shm or getimage (NULL = not started)", nullptr,
                              read_only));
  install(PROP_IDLE_FRAMERATE,
          gst_param_spec_fraction("idle-framerate", "Idle framerate",
                                  "Repeats of the last picture per second while nothing changes (0/1 = none)",
                                  0, 1, 1000, 1, 0, 1, live));
  install(PROP_REFINE_FRAMES,
          g_param_spec_int("refine-frames", "Refine frames",
                           "Repeats of the last picture after motion stops, for the encoder to sharpen it", 0,
                           1000, defaults.refine_frames, live));
  install(PROP_REFINE_INTERVAL, g_param_spec_int("refine-interval", "Refine interval",
                                                 "Time between these repeats, in milliseconds", 1, 10000,
                                                 defaults.refine_interval, live));
  install(PROP_STATS,
          g_param_spec_boxed("stats", "Statistics",
                             "Since the start, as 64 bit counts: captured, repeated, retries (pictures read "
                             "a second time because something was painted meanwhile)",
                             GST_TYPE_STRUCTURE, read_only));
}

static void vitrine_ximage_src_shm_class_init(VitrineXImageSrcShmClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  GstBaseSrcClass* src_class = GST_BASE_SRC_CLASS(klass);

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = vitrine_ximage_src_shm_finalize;
  install_properties(object_class);

  vitrine::Ref<GstCaps> caps = vitrine::output_caps({});
  gst_element_class_add_pad_template(element_class,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_set_static_metadata(element_class, "X11 damage-driven video source", "Source/Video",
                                        "Captures an X11 screen or window at the cost of what changed on it",
                                        "The Vitrine authors");
  gst_type_mark_as_plugin_api(vitrine::capture_mode_get_type(), static_cast<GstPluginAPIFlags>(0));

  src_class->start = start;
  src_class->stop = stop;
  src_class->unlock = unlock;
  src_class->unlock_stop = unlock_stop;
  src_class->get_caps = get_caps;
  src_class->set_caps = set_caps;
  src_class->fixate = fixate;
  src_class->decide_allocation = decide_allocation;
  src_class->query = query;
  src_class->event = event;
  GST_PUSH_SRC_CLASS(klass)->create = create;
}

static void vitrine_ximage_src_shm_init(VitrineXImageSrcShm* self) {
  self->body = new ShmSourceBody(GST_BASE_SRC(self));
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}
