// SPDX-License-Identifier: LGPL-2.1-or-later
// The element: pads, properties, states. What it does is in desktop-session.

/**
 * SECTION:element-x11desktop
 * @title: x11desktop
 *
 * Shares clipboard, pointer shape and screen size between an X display and the viewers of `webrtcsignallerbin`. Takes what that
 * emits on `control_src` and answers to its `control_sink` (docs/protocol.md, sections 5 and 7). Input records on the same stream
 * are left alone.
 *
 * The clipboard is followed by XFixes events, never by polling: text, HTML and PNG pictures, both ways, only to and from the viewer
 * that holds control. The screen takes the size of the holder's window by RandR; it gets back its own when the element stops.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 ximagesrc-shm show-pointer=false ! x264enc tune=zerolatency speed-preset=ultrafast ! video/x-h264,profile=constrained-baseline ! webrtcsignallerbin name=w port=8080 password=change-me w.control_src ! tee name=t ! x11inputsink t. ! x11desktop ! fakesink
 * ]|
 * Here viewers reach the desktop's clipboard and size. For the way back link it to `w.control_sink` instead. That closes a
 * loop, and GStreamer starts the elements of a loop in any order: an application starts its sources last, as vitrine does.
 *
 * Since: 0.1
 */

#include "remote/gstx11desktop.h"

#include <memory>
#include <string>

#include "common/mutex.h"
#include "common/ref.h"
#include "common/text.h"
#include "remote/desktop-session.h"

GST_DEBUG_CATEGORY_STATIC(x11desktop_debug);
#define GST_CAT_DEFAULT x11desktop_debug

#define CONTROL_CAPS "application/x-vitrine-control, version=(int)1"
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(CONTROL_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(CONTROL_CAPS));

using namespace vitrine;

namespace {

enum Property {
  PROP_0, PROP_DISPLAY_NAME, PROP_CLIPBOARD, PROP_CLIPBOARD_LIMIT, PROP_PRIMARY, PROP_CURSOR, PROP_RESIZE, PROP_MAX_WIDTH, PROP_MAX_HEIGHT,
  PROP_WIDTH, PROP_HEIGHT,
  PROP_STATS,
};
constexpr guint kDefaultLimit = 32 << 20, kMostLimit = 256 << 20;
constexpr int kDefaultMost = 8192;

GType ways_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(ClipboardWays::off), "Not shared", "off"},
      {static_cast<int>(ClipboardWays::in), "What the viewer copies comes to the desktop", "in"},
      {static_cast<int>(ClipboardWays::out), "What is copied on the desktop goes to the viewer", "out"},
      {static_cast<int>(ClipboardWays::both), "Both ways", "both"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstX11DesktopClipboard", values);
  return type;
}

GType resize_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(ResizePolicy::off), "The screen keeps its size", "off"},
      {static_cast<int>(ResizePolicy::automatic), "A screen without a monitor takes the size of the viewer's window", "auto"},
      {static_cast<int>(ResizePolicy::on), "A screen with one monitor takes it too", "on"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstX11DesktopResize", values);
  return type;
}

}  // namespace

namespace vitrine {

/// Settings are guarded by the element's object lock, the session by mutex.
struct X11Desktop {
  DesktopSettings settings;
  DesktopCounters counters;
  GstPad* sink = nullptr;
  GstPad* src = nullptr;
  Mutex mutex;
  std::shared_ptr<DesktopSession> session GUARDED_BY(mutex);
  bool announced = false;  // of the session's thread: stream-start, caps and segment have gone out
};

}  // namespace vitrine

struct _GstX11Desktop {
  GstElement parent;
  X11Desktop* body;
};

G_DEFINE_TYPE(GstX11Desktop, gst_x11_desktop, GST_TYPE_ELEMENT)

/// On the session's thread.
static void send_message(GstX11Desktop* self, const std::string& message) {
  if (!self->body->announced) {
    self->body->announced = true;
    GCharPtr id(gst_pad_create_stream_id(self->body->src, GST_ELEMENT(self), nullptr));
    gst_pad_push_event(self->body->src, gst_event_new_stream_start(id.get()));
    auto caps = Ref<GstCaps>::adopt(gst_caps_from_string(CONTROL_CAPS));
    gst_pad_push_event(self->body->src, gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(self->body->src, gst_event_new_segment(&segment));
  }
  const GstFlowReturn flow = gst_pad_push(self->body->src, gst_buffer_new_memdup(message.data(), message.size()));
  if (flow != GST_FLOW_OK)
    GST_DEBUG_OBJECT(self, "a message got lost: %s", gst_flow_get_name(flow));
}

static bool start(GstX11Desktop* self) {
  GST_OBJECT_LOCK(self);
  const DesktopSettings settings = self->body->settings;
  GST_OBJECT_UNLOCK(self);
  DesktopSession::Host host;
  host.send = [self](const std::string& message) { send_message(self, message); };
  host.warn = [self](const std::string& text) { GST_WARNING_OBJECT(self, "%s", text.c_str()); };
  host.display_lost = [self] {
    GST_ELEMENT_ERROR(self, RESOURCE, READ, (_("Lost the connection to the X display")), ("its server has ended or has closed the connection"));
  };
  self->body->announced = false;
  DesktopSession::OpenError error;
  std::shared_ptr<DesktopSession> session = DesktopSession::open(settings, self->body->counters, std::move(host), error);
  const std::string name = X11Connection::display_name_for(settings.display_name);
  if (!session && name.empty()) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, (_("No X display to share: set $DISPLAY or the property display-name")), (nullptr));
  } else if (!session && error == DesktopSession::OpenError::display) {
    GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ_WRITE,
                      (_("Cannot open X display \"%s\": is its server running, and may this user connect to it?"), name.c_str()), (nullptr));
  } else if (!session) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND,
                      (_("X display \"%s\" tells no changes of clipboard and pointer: start its server with the XFIXES extension"), name.c_str()),
                      (nullptr));
  }
  MutexLock lock(self->body->mutex);
  self->body->session = session;
  return session != nullptr;
}

static GstStateChangeReturn gst_x11_desktop_change_state(GstElement* element, GstStateChange transition) {
  GstX11Desktop* self = GST_X11_DESKTOP(element);
  // The pads are active only after the parent's part: the session may speak as soon as it is there.
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    MutexLock lock(self->body->mutex);
    const auto session = std::move(self->body->session);
    lock.unlock();
  }
  const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_x11_desktop_parent_class)->change_state(element, transition);
  if (result != GST_STATE_CHANGE_FAILURE && transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start(self)) {
    GST_ELEMENT_CLASS(gst_x11_desktop_parent_class)->change_state(element, GST_STATE_CHANGE_PAUSED_TO_READY);
    return GST_STATE_CHANGE_FAILURE;
  }
  return result;
}

static GstFlowReturn gst_x11_desktop_chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  GstX11Desktop* self = GST_X11_DESKTOP(parent);
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR(self, RESOURCE, READ, (_("Cannot read a control message")), (nullptr));
    return GST_FLOW_ERROR;
  }
  // The rest is input.
  if (map.size > 0 && map.data[0] == '{') {
    std::shared_ptr<DesktopSession> session;
    {
      MutexLock lock(self->body->mutex);
      session = self->body->session;
    }
    if (session)
      session->push(std::string(reinterpret_cast<const char*>(map.data), map.size));
  }
  gst_buffer_unmap(buffer, &map);
  return GST_FLOW_OK;
}

static gboolean gst_x11_desktop_sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  // Our output has a stream of its own; only its end is the same.
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    return gst_pad_event_default(pad, parent, event);
  gst_event_unref(event);
  return TRUE;
}

static GstStructure* stats_of(GstX11Desktop* self) {
  const DesktopCounters& c = self->body->counters;
  ScreenSize size;
  {
    MutexLock lock(self->body->mutex);
    if (self->body->session)
      size = self->body->session->size();
  }
  const auto count = [](const std::atomic<uint64_t>& value) { return static_cast<guint64>(value); };
  return gst_structure_new("application/x-vitrine-stats", "messages", G_TYPE_UINT64, count(c.messages), "refused", G_TYPE_UINT64,
                           count(c.refused), "overflows", G_TYPE_UINT64, count(c.overflows), "clipboard-in", G_TYPE_UINT64,
                           count(c.clipboard_in), "clipboard-out", G_TYPE_UINT64, count(c.clipboard_out), "clipboard-refused", G_TYPE_UINT64,
                           count(c.clipboard_refused), "clipboard-timeouts", G_TYPE_UINT64, count(c.clipboard_timeouts), "cursor-shapes",
                           G_TYPE_UINT64, count(c.cursor_shapes), "cursor-changes", G_TYPE_UINT64, count(c.cursor_changes), "resizes",
                           G_TYPE_UINT64, count(c.resizes), "resizes-refused", G_TYPE_UINT64, count(c.resizes_refused), "width", G_TYPE_INT,
                           size.width, "height", G_TYPE_INT, size.height, nullptr);
}

static void gst_x11_desktop_set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  DesktopSettings& settings = GST_X11_DESKTOP(object)->body->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_DISPLAY_NAME:
      settings.display_name = g_value_get_string(value) ? g_value_get_string(value) : "";
      break;
    case PROP_CLIPBOARD:
      settings.clipboard = static_cast<ClipboardWays>(g_value_get_enum(value));
      break;
    case PROP_CLIPBOARD_LIMIT:
      settings.clipboard_limit = g_value_get_uint(value);
      break;
    case PROP_PRIMARY:
      settings.primary = g_value_get_boolean(value);
      break;
    case PROP_CURSOR:
      settings.cursor = g_value_get_boolean(value);
      break;
    case PROP_RESIZE:
      settings.resize = static_cast<ResizePolicy>(g_value_get_enum(value));
      break;
    case PROP_MAX_WIDTH:
      settings.most.width = g_value_get_int(value);
      break;
    case PROP_MAX_HEIGHT:
      settings.most.height = g_value_get_int(value);
      break;
    case PROP_WIDTH:
      settings.first.width = g_value_get_int(value);
      break;
    case PROP_HEIGHT:
      settings.first.height = g_value_get_int(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_x11_desktop_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (id == PROP_STATS) {
    g_value_take_boxed(value, stats_of(GST_X11_DESKTOP(object)));
    return;
  }
  const DesktopSettings& settings = GST_X11_DESKTOP(object)->body->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_DISPLAY_NAME:
      g_value_set_string(value, settings.display_name.empty() ? nullptr : settings.display_name.c_str());
      break;
    case PROP_CLIPBOARD:
      g_value_set_enum(value, static_cast<int>(settings.clipboard));
      break;
    case PROP_CLIPBOARD_LIMIT:
      g_value_set_uint(value, static_cast<guint>(settings.clipboard_limit));
      break;
    case PROP_PRIMARY:
      g_value_set_boolean(value, settings.primary);
      break;
    case PROP_CURSOR:
      g_value_set_boolean(value, settings.cursor);
      break;
    case PROP_RESIZE:
      g_value_set_enum(value, static_cast<int>(settings.resize));
      break;
    case PROP_MAX_WIDTH:
      g_value_set_int(value, settings.most.width);
      break;
    case PROP_MAX_HEIGHT:
      g_value_set_int(value, settings.most.height);
      break;
    case PROP_WIDTH:
      g_value_set_int(value, settings.first.width);
      break;
    case PROP_HEIGHT:
      g_value_set_int(value, settings.first.height);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_x11_desktop_finalize(GObject* object) {
  delete GST_X11_DESKTOP(object)->body;
  G_OBJECT_CLASS(gst_x11_desktop_parent_class)->finalize(object);
}

static void gst_x11_desktop_class_init(GstX11DesktopClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = gst_x11_desktop_set_property;
  object_class->get_property = gst_x11_desktop_get_property;
  object_class->finalize = gst_x11_desktop_finalize;
  const auto flags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto install = [object_class](Property id, GParamSpec* spec) { g_object_class_install_property(object_class, id, spec); };
  install(PROP_DISPLAY_NAME, g_param_spec_string("display-name", "Display", "X display to share (unset = $DISPLAY)", nullptr, flags));
  install(PROP_CLIPBOARD, g_param_spec_enum("clipboard", "Clipboard", "Which way the clipboard is shared with the viewer that holds control",
                                            ways_get_type(), static_cast<int>(ClipboardWays::both), flags));
  install(PROP_CLIPBOARD_LIMIT, g_param_spec_uint("clipboard-limit", "Clipboard limit", "Bytes of one content at most, all its forms together",
                                                  1024, kMostLimit, kDefaultLimit, flags));
  install(PROP_PRIMARY, g_param_spec_boolean("primary", "Primary selection",
                                             "Share what is selected too (the X selection PRIMARY), not only what is copied", FALSE, flags));
  install(PROP_CURSOR, g_param_spec_boolean("cursor", "Cursor",
                                            "Send the pointer's shape to the viewers, which draw it; capture should not draw it then", TRUE, flags));
  install(PROP_RESIZE, g_param_spec_enum("resize", "Resize", "Which screens take the size of the window of the viewer that holds control",
                                         resize_get_type(), static_cast<int>(ResizePolicy::automatic), flags));
  install(PROP_MAX_WIDTH, g_param_spec_int("max-width", "Most width", "Width of the screen at most, pixels", 200, 32767, kDefaultMost, flags));
  install(PROP_MAX_HEIGHT, g_param_spec_int("max-height", "Most height", "Height of the screen at most, pixels", 200, 32767, kDefaultMost, flags));
  install(PROP_WIDTH, g_param_spec_int("width", "Width", "Width that the screen is given at the start, pixels (0 = as it is)", 0, 32767, 0, flags));
  install(PROP_HEIGHT, g_param_spec_int("height", "Height", "Height that the screen is given at the start, pixels (0 = as it is)", 0, 32767, 0, flags));
  install(PROP_STATS,
          g_param_spec_boxed("stats", "Statistics",
                             "Counters since the element was made: messages, refused, overflows, clipboard-in, clipboard-out, "
                             "clipboard-refused, clipboard-timeouts, cursor-shapes, cursor-changes, resizes, resizes-refused (guint64); "
                             "width, height of the screen (gint)",
                             GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  element_class->change_state = gst_x11_desktop_change_state;
  gst_type_mark_as_plugin_api(ways_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(resize_get_type(), GstPluginAPIFlags(0));
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "X11 desktop", "Filter/Control",
                                        "Shares clipboard, pointer shape and screen size of an X display with viewers",
                                        "The Vitrine developers");
}

static void gst_x11_desktop_init(GstX11Desktop* self) {
  self->body = new X11Desktop;
  self->body->settings.clipboard_limit = kDefaultLimit;
  self->body->settings.most = {kDefaultMost, kDefaultMost};
  self->body->sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(self->body->sink, gst_x11_desktop_chain);
  gst_pad_set_event_function(self->body->sink, gst_x11_desktop_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), self->body->sink);
  self->body->src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_use_fixed_caps(self->body->src);
  gst_element_add_pad(GST_ELEMENT(self), self->body->src);
}

gboolean vitrine_register_x11desktop(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(x11desktop_debug, "x11desktop", 0, "x11desktop element");
  return gst_element_register(plugin, "x11desktop", GST_RANK_NONE, GST_TYPE_X11_DESKTOP);
}
