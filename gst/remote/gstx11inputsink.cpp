// SPDX-License-Identifier: LGPL-2.1-or-later
// The element x11inputsink: properties, pad and states around InputSinkBody.

/**
 * SECTION:element-x11inputsink
 * @title: x11inputsink
 *
 * Injects keyboard and pointer input into an X display by XTEST. Takes the records that `webrtcsignallerbin` emits on `control_src`
 * (docs/protocol.md, section 4), or the same records from a file, cut anywhere. Of the messages on the same stream it
 * takes `desktop/keyboard` (section 5); the others are left alone.
 *
 * Keys go by position (scancode) or by what they print (keysym), whichever gives what the viewer typed on the display's layout;
 * Shift and AltGr are pressed or lifted for a key that needs it, and characters that no key of the layout prints are bound to
 * spare keycodes for as long as the element runs. The viewer may say for each key which of the two it means. The display's layout
 * is set to the viewer's where that is known (#GstX11InputSink:follow-layout), and put back when the element stops.
 *
 * Keys and buttons that are held go up when the viewer leaves, loses focus or falls silent (#GstX11InputSink:release-timeout), and
 * when the element stops.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=input.bin ! x11inputsink
 * ]| Plays recorded input on the display that $DISPLAY names.
 *
 * Since: 0.1
 */

#include "remote/gstx11inputsink.h"

#include "remote/input-sink-body.h"

GST_DEBUG_CATEGORY(x11inputsink_debug);
#define GST_CAT_DEFAULT x11inputsink_debug

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-vitrine-control, version=(int)1"));

using namespace vitrine;

namespace {

enum Property { PROP_0, PROP_DISPLAY_NAME, PROP_KEY_MODE, PROP_REPEAT, PROP_RELEASE_TIMEOUT, PROP_FOLLOW_LAYOUT, PROP_STATS };

const InputSinkSettings kDefaults;

GType key_mode_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(KeyMode::automatic),
       "As the viewer says; by position where that prints what the viewer typed, else by keysym", "auto"},
      {static_cast<int>(KeyMode::scancode), "By position", "scancode"},
      {static_cast<int>(KeyMode::keysym), "By what the key prints", "keysym"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstX11InputSinkKeyMode", values);
  return type;
}

GType repeat_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(Repeat::sink), "The server's repeat is off while we run; the viewer's keyboard repeats", "sink"},
      {static_cast<int>(Repeat::server), "The server's repeat is left as it is, the viewer's is ignored", "server"},
      {static_cast<int>(Repeat::off), "Nothing repeats: the server's repeat is off while we run, the viewer's is ignored", "off"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstX11InputSinkRepeat", values);
  return type;
}

}  // namespace

struct _GstX11InputSink {
  GstBaseSink parent;
  InputSinkBody* body;
  InputSinkSettings* settings;  // guarded by the object lock
};

G_DEFINE_TYPE(GstX11InputSink, gst_x11_input_sink, GST_TYPE_BASE_SINK)

static void gst_x11_input_sink_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  InputSinkSettings& settings = *GST_X11_INPUT_SINK(object)->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_DISPLAY_NAME: {
      const char* text = g_value_get_string(value);
      settings.display_name = text ? text : "";
      break;
    }
    case PROP_KEY_MODE:
      settings.key_mode = static_cast<KeyMode>(g_value_get_enum(value));
      break;
    case PROP_REPEAT:
      settings.repeat = static_cast<Repeat>(g_value_get_enum(value));
      break;
    case PROP_RELEASE_TIMEOUT:
      settings.release_timeout_ms = g_value_get_uint(value);
      break;
    case PROP_FOLLOW_LAYOUT:
      settings.follow_layout = g_value_get_boolean(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_x11_input_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  if (id == PROP_STATS) {
    g_value_take_boxed(value, GST_X11_INPUT_SINK(object)->body->stats());
    return;
  }
  const InputSinkSettings& settings = *GST_X11_INPUT_SINK(object)->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_DISPLAY_NAME:
      g_value_set_string(value, settings.display_name.empty() ? nullptr : settings.display_name.c_str());
      break;
    case PROP_KEY_MODE:
      g_value_set_enum(value, static_cast<int>(settings.key_mode));
      break;
    case PROP_REPEAT:
      g_value_set_enum(value, static_cast<int>(settings.repeat));
      break;
    case PROP_RELEASE_TIMEOUT:
      g_value_set_uint(value, settings.release_timeout_ms);
      break;
    case PROP_FOLLOW_LAYOUT:
      g_value_set_boolean(value, settings.follow_layout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

// In place of GstBaseSink's start(): after that has failed, the base class posts an error of its own on top.
static GstStateChangeReturn gst_x11_input_sink_change_state(GstElement* element, GstStateChange transition) {
  InputSinkBody& body = *GST_X11_INPUT_SINK(element)->body;
  const bool starts = transition == GST_STATE_CHANGE_READY_TO_PAUSED;
  GST_OBJECT_LOCK(element);
  const InputSinkSettings settings = *GST_X11_INPUT_SINK(element)->settings;
  GST_OBJECT_UNLOCK(element);
  if (starts && !body.start(settings))
    return GST_STATE_CHANGE_FAILURE;
  const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_x11_input_sink_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY || (starts && result == GST_STATE_CHANGE_FAILURE))
    body.stop();
  return result;
}

static GstFlowReturn gst_x11_input_sink_render(GstBaseSink* sink, GstBuffer* buffer) {
  return GST_X11_INPUT_SINK(sink)->body->render(buffer);
}

static gboolean gst_x11_input_sink_event(GstBaseSink* sink, GstEvent* event) {
  InputSinkBody& body = *GST_X11_INPUT_SINK(sink)->body;
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS || GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START)
    body.release_all();
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
    body.forget_pending();
  return GST_BASE_SINK_CLASS(gst_x11_input_sink_parent_class)->event(sink, event);
}

static void gst_x11_input_sink_finalize(GObject* object) {
  delete GST_X11_INPUT_SINK(object)->body;
  delete GST_X11_INPUT_SINK(object)->settings;
  G_OBJECT_CLASS(gst_x11_input_sink_parent_class)->finalize(object);
}

static void gst_x11_input_sink_class_init(GstX11InputSinkClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  auto* sink_class = GST_BASE_SINK_CLASS(klass);
  object_class->set_property = gst_x11_input_sink_set_property;
  object_class->get_property = gst_x11_input_sink_get_property;
  object_class->finalize = gst_x11_input_sink_finalize;
  const auto flags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object_class, PROP_DISPLAY_NAME,
      g_param_spec_string("display-name", "Display", "X display to send input to, such as :1 (NULL = $DISPLAY)", nullptr, flags));
  g_object_class_install_property(
      object_class, PROP_KEY_MODE,
      g_param_spec_enum("key-mode", "Key mode", "How a key of the viewer becomes a key of the display", key_mode_get_type(),
                        static_cast<int>(kDefaults.key_mode), flags));
  g_object_class_install_property(
      object_class, PROP_REPEAT,
      g_param_spec_enum("repeat", "Repeat", "Who repeats a key that is held", repeat_get_type(),
                        static_cast<int>(kDefaults.repeat), flags));
  g_object_class_install_property(
      object_class, PROP_RELEASE_TIMEOUT,
      g_param_spec_uint("release-timeout", "Release timeout",
                        "Time without any record after which held keys and buttons go up, in milliseconds (0 = never)", 0, G_MAXUINT,
                        kDefaults.release_timeout_ms, flags));
  g_object_class_install_property(
      object_class, PROP_FOLLOW_LAYOUT,
      g_param_spec_boolean("follow-layout", "Follow layout",
                           "Set the display's keyboard layout to the viewer's where that is known, until the element stops",
                           kDefaults.follow_layout, flags));
  g_object_class_install_property(
      object_class, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics",
                         "Counters of this run: records, events, batches, refused, unknown-keys, clamped, release-timeouts, "
                         "layouts (guint64), keys-held (guint)",
                         GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  element_class->change_state = gst_x11_input_sink_change_state;
  gst_type_mark_as_plugin_api(key_mode_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(repeat_get_type(), GstPluginAPIFlags(0));
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(element_class, "X11 input sink", "Sink/Input",
                                        "Injects keyboard and pointer input into an X display", "The Vitrine developers");
  sink_class->render = gst_x11_input_sink_render;
  sink_class->event = gst_x11_input_sink_event;
}

static void gst_x11_input_sink_init(GstX11InputSink* self) {
  self->body = new InputSinkBody(GST_ELEMENT(self));
  self->settings = new InputSinkSettings;
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_last_sample_enabled(GST_BASE_SINK(self), FALSE);
}

gboolean vitrine_register_x11inputsink(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(x11inputsink_debug, "x11inputsink", 0, "x11inputsink element");
  return gst_element_register(plugin, "x11inputsink", GST_RANK_NONE, GST_TYPE_X11_INPUT_SINK);
}
