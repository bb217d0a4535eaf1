// SPDX-License-Identifier: LGPL-2.1-or-later
// The element virtualgamepads: properties, pads and states around GamepadBody.

/**
 * SECTION:element-virtualgamepads
 * @title: virtualgamepads
 *
 * Makes up to four gamepads of what `webrtcsignallerbin` emits on `control_src` (docs/protocol.md, sections 4, 5 and 7), and tells its
 * `control_sink` what programs want their motors to do. Input of other kinds on the same stream is left alone.
 *
 * Where `/dev/uinput` may be opened the gamepads are devices of the kernel. Elsewhere they are files and sockets in a folder
 * (#GstVirtualGamepads:folder), which programs take for `/dev/input` that run with `LD_PRELOAD=…/vitrine-gamepads.so`,
 * `VITRINE_GAMEPAD_FOLDER=FOLDER` and, for SDL, `SDL_JOYSTICK_DISABLE_UDEV=1`. No privilege is needed.
 *
 * A gamepad of the browser's standard mapping becomes an Xbox 360 pad, any other a joystick with as many buttons and axes. They go to rest
 * when the viewer leaves, loses control or focus, or falls silent (#GstVirtualGamepads:release-timeout).
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=input.bin ! virtualgamepads ! fakesink
 * ]| Plays recorded gamepads.
 *
 * Since: 0.1
 */

#include "remote/gamepad/gstvirtualgamepads.h"

#include <algorithm>
#include <string>

#include "common/ref.h"
#include "common/text.h"
#include "remote/gamepad/gamepad-body.h"

GST_DEBUG_CATEGORY(virtualgamepads_debug);
#define GST_CAT_DEFAULT virtualgamepads_debug

#define CONTROL_CAPS "application/x-vitrine-control, version=(int)1"
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(CONTROL_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(CONTROL_CAPS));

using namespace vitrine;

namespace {

enum Property { PROP_0, PROP_BACKEND, PROP_FOLDER, PROP_RELEASE_TIMEOUT, PROP_UNPLUG_DELAY, PROP_STATS };

const GamepadSettings kDefaults;

GType backend_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(GamepadBackend::automatic), "The kernel's uinput where it may be opened, else for the preload library", "auto"},
      {static_cast<int>(GamepadBackend::uinput), "Devices of the kernel, through /dev/uinput", "uinput"},
      {static_cast<int>(GamepadBackend::preload), "A folder and sockets for the preload library", "preload"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstVirtualGamepadsBackend", values);
  return type;
}

}  // namespace

struct _GstVirtualGamepads {
  GstElement parent;
  GstPad* src;
  GamepadBody* body;
  GamepadSettings* settings;  // guarded by the object lock
  bool announced;             // of the body's thread: stream-start, caps and segment have gone out
};

G_DEFINE_TYPE(GstVirtualGamepads, gst_virtual_gamepads, GST_TYPE_ELEMENT)

/// On the body's thread.
static void send_message(GstVirtualGamepads* self, const std::string& message) {
  if (!self->announced) {
    self->announced = true;
    GCharPtr id(gst_pad_create_stream_id(self->src, GST_ELEMENT(self), nullptr));
    gst_pad_push_event(self->src, gst_event_new_stream_start(id.get()));
    auto caps = Ref<GstCaps>::adopt(gst_caps_from_string(CONTROL_CAPS));
    gst_pad_push_event(self->src, gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(self->src, gst_event_new_segment(&segment));
  }
  const GstFlowReturn flow = gst_pad_push(self->src, gst_buffer_new_memdup(message.data(), message.size()));
  if (flow != GST_FLOW_OK)
    GST_DEBUG_OBJECT(self, "a message got lost: %s", gst_flow_get_name(flow));
}

static GstStateChangeReturn gst_virtual_gamepads_change_state(GstElement* element, GstStateChange transition) {
  GstVirtualGamepads* self = GST_VIRTUAL_GAMEPADS(element);
  // The pads are active only after the parent's part: the body may speak as soon as it runs.
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    self->body->stop();
  const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_virtual_gamepads_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE || transition != GST_STATE_CHANGE_READY_TO_PAUSED)
    return result;
  GST_OBJECT_LOCK(self);
  const GamepadSettings settings = *self->settings;
  GST_OBJECT_UNLOCK(self);
  self->announced = false;
  if (self->body->start(settings))
    return result;
  GST_ELEMENT_CLASS(gst_virtual_gamepads_parent_class)->change_state(element, GST_STATE_CHANGE_PAUSED_TO_READY);
  return GST_STATE_CHANGE_FAILURE;
}

static GstFlowReturn gst_virtual_gamepads_chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  GstVirtualGamepads* self = GST_VIRTUAL_GAMEPADS(parent);
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR(self, RESOURCE, READ, (_("Cannot read a buffer of input")), (nullptr));
    return GST_FLOW_ERROR;
  }
  self->body->take({map.data, map.size});
  gst_buffer_unmap(buffer, &map);
  return GST_FLOW_OK;
}

static gboolean gst_virtual_gamepads_sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS || GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START)
    GST_VIRTUAL_GAMEPADS(parent)->body->release_all();
  // Our output has a stream of its own; only its end is the same.
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    return gst_pad_event_default(pad, parent, event);
  gst_event_unref(event);
  return TRUE;
}

static void gst_virtual_gamepads_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  GamepadSettings& settings = *GST_VIRTUAL_GAMEPADS(object)->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_BACKEND:
      settings.backend = static_cast<GamepadBackend>(g_value_get_enum(value));
      break;
    case PROP_FOLDER:
      settings.folder = g_value_get_string(value) ? g_value_get_string(value) : "";
      break;
    case PROP_RELEASE_TIMEOUT:
      settings.release_timeout_ms = g_value_get_uint(value);
      break;
    case PROP_UNPLUG_DELAY:
      settings.unplug_delay_ms = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_virtual_gamepads_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (id == PROP_STATS) {
    g_value_take_boxed(value, GST_VIRTUAL_GAMEPADS(object)->body->stats());
    return;
  }
  const GamepadSettings& settings = *GST_VIRTUAL_GAMEPADS(object)->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_BACKEND:
      g_value_set_enum(value, static_cast<int>(settings.backend));
      break;
    case PROP_FOLDER:
      g_value_set_string(value, settings.folder.empty() ? nullptr : settings.folder.c_str());
      break;
    case PROP_RELEASE_TIMEOUT:
      g_value_set_uint(value, settings.release_timeout_ms);
      break;
    case PROP_UNPLUG_DELAY:
      g_value_set_uint(value, settings.unplug_delay_ms);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_virtual_gamepads_finalize(GObject* object) {
  delete GST_VIRTUAL_GAMEPADS(object)->body;
  delete GST_VIRTUAL_GAMEPADS(object)->settings;
  G_OBJECT_CLASS(gst_virtual_gamepads_parent_class)->finalize(object);
}

static void gst_virtual_gamepads_class_init(GstVirtualGamepadsClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = gst_virtual_gamepads_set_property;
  object_class->get_property = gst_virtual_gamepads_get_property;
  object_class->finalize = gst_virtual_gamepads_finalize;
  const auto flags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto install = [object_class](Property id, GParamSpec* spec) { g_object_class_install_property(object_class, id, spec); };
  install(PROP_BACKEND, g_param_spec_enum("backend", "Backend", "Where gamepads appear to programs", backend_get_type(),
                                          static_cast<int>(kDefaults.backend), flags));
  install(PROP_FOLDER, g_param_spec_string("folder", "Folder",
                                           "Absolute path of the folder for the preload library, made at the start and removed at the end; short, "
                                           "for there are sockets in it (NULL = vitrine-gamepads in the user's runtime folder)",
                                           nullptr, flags));
  install(PROP_RELEASE_TIMEOUT, g_param_spec_uint("release-timeout", "Release timeout",
                                                  "Time without any record after which gamepads go to rest, in milliseconds (0 = never)", 0,
                                                  G_MAXUINT, kDefaults.release_timeout_ms, flags));
  install(PROP_UNPLUG_DELAY, g_param_spec_uint("unplug-delay", "Unplug delay",
                                               "How long gamepads stay plugged in, at rest, when their viewer has lost control, in milliseconds", 0,
                                               G_MAXUINT, kDefaults.unplug_delay_ms, flags));
  install(PROP_STATS, g_param_spec_boxed("stats", "Statistics",
                                         "Counters of this run: records, events, plugged, refused, release-timeouts, rumbles (guint64), gamepads "
                                         "plugged in now (guint)",
                                         GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  gst_type_mark_as_plugin_api(backend_get_type(), GstPluginAPIFlags(0));
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "Virtual gamepads", "Sink/Input", "Makes gamepads of a viewer's input",
                                        "The Vitrine developers");
  element_class->change_state = gst_virtual_gamepads_change_state;
}

static void gst_virtual_gamepads_init(GstVirtualGamepads* self) {
  self->body = new GamepadBody(GST_ELEMENT(self), [self](const std::string& message) { send_message(self, message); });
  self->settings = new GamepadSettings;
  GstPad* sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(sink, gst_virtual_gamepads_chain);
  gst_pad_set_event_function(sink, gst_virtual_gamepads_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), sink);
  self->src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_use_fixed_caps(self->src);
  gst_element_add_pad(GST_ELEMENT(self), self->src);
}

gboolean vitrine_register_virtualgamepads(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(virtualgamepads_debug, "virtualgamepads", 0, "virtualgamepads element");
  return gst_element_register(plugin, "virtualgamepads", GST_RANK_NONE, GST_TYPE_VIRTUAL_GAMEPADS);
}
