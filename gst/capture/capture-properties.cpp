// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties that all capture elements have.
#include "capture/capture-properties.h"

namespace vitrine {
namespace {

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
  PROP_END,
};
static_assert(PROP_END == kFirstOwnProperty);

std::string or_empty(const char* text) {
  return text ? text : "";
}

}  // namespace

GType register_capture_mode(const char* type_name, bool with_device) {
  static const GEnumValue values[] = {
      {static_cast<int>(CaptureMode::kAuto), "The first that works", "auto"},
      {static_cast<int>(CaptureMode::kFramebuffer), "The framebuffer of Xvfb -shmem or -fbdir", "fb"},
      {static_cast<int>(CaptureMode::kShm), "MIT-SHM", "shm"},
      {static_cast<int>(CaptureMode::kGetImage), "Through the socket", "getimage"},
      {static_cast<int>(CaptureMode::kNvFbc), "NvFBC of an NVIDIA X server", "nvfbc"},
      {0, nullptr, nullptr},
  };
  static const GEnumValue without_device[] = {values[0], values[1], values[2], values[3], {0, nullptr, nullptr}};
  const GType type = g_enum_register_static(type_name, with_device ? values : without_device);
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

bool set_capture_property(CaptureSourceOptions& options, guint id, const GValue* value) {
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

bool get_capture_property(CaptureSourceBody& body, guint id, GValue* value) {
  const CaptureSourceOptions options = body.options();
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

void install_capture_properties(GObjectClass* object_class, GType capture_mode) {
  const CaptureSourceOptions defaults;
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
                            capture_mode, static_cast<int>(CaptureMode::kAuto), startup));
  install(PROP_CAPTURE_MODE_USED,
          g_param_spec_string("capture-mode-used", "Capture mode used",
                              "How pixels are being read: fb, shm, getimage or nvfbc (NULL = not started)", nullptr,
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
                                                 "Time between these repeats, in milliseconds; no less than between pictures"
                                                 " by the framerate", 1, 10000,
                                                 defaults.refine_interval, live));
  install(PROP_STATS,
          g_param_spec_boxed("stats", "Statistics",
                             "Since the start, as 64 bit counts: captured, repeated, retries (pictures read "
                             "a second time because something was painted meanwhile)",
                             GST_TYPE_STRUCTURE, read_only));
}

}  // namespace vitrine
