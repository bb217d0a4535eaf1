// SPDX-License-Identifier: LGPL-2.1-or-later
// The element: bytes in, records out to InputPlayer, and a watchdog that lets go of keys when the viewer falls silent.

/**
 * SECTION:element-x11inputsink
 * @title: x11inputsink
 *
 * Injects keyboard and pointer input into an X display by XTEST. Takes the records that `webrtcsignallerbin` emits on `control_src`
 * (docs/protocol.md, section 4), or the same records from a file, cut anywhere. Messages for `x11desktop` on the same stream are
 * left alone.
 *
 * Keys go by position (scancode) or by what they print (keysym), whichever gives what the viewer typed on the display's layout;
 * Shift and AltGr are pressed or lifted for a key that needs it, and characters that no key of the layout prints are bound to
 * spare keycodes for as long as the element runs. Keys and buttons that are held go up when the viewer leaves, loses focus or
 * falls silent (#GstX11InputSink:release-timeout), and when the element stops.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=input.bin ! x11inputsink
 * ]| Plays recorded input on the display that $DISPLAY names.
 *
 * Since: 0.1
 */

#include "remote/gstx11inputsink.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <bit>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/unique-fd.h"
#include "remote/injector-xtest.h"
#include "remote/input-player.h"

GST_DEBUG_CATEGORY_STATIC(x11inputsink_debug);
#define GST_CAT_DEFAULT x11inputsink_debug

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-vitrine-control, version=(int)1"));

namespace {

enum Property { PROP_0, PROP_DISPLAY_NAME, PROP_KEY_MODE, PROP_REPEAT, PROP_RELEASE_TIMEOUT, PROP_STATS };
enum Repeat { REPEAT_SINK, REPEAT_SERVER, REPEAT_OFF };
constexpr guint kDefaultReleaseTimeoutMs = 2000;

GType key_mode_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(vitrine::KeyMode::automatic), "By position where that prints what the viewer typed, else by keysym", "auto"},
      {static_cast<int>(vitrine::KeyMode::scancode), "By position", "scancode"},
      {static_cast<int>(vitrine::KeyMode::keysym), "By what the key prints", "keysym"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstX11InputSinkKeyMode", values);
  return type;
}

GType repeat_get_type() {
  static const GEnumValue values[] = {
      {REPEAT_SINK, "The server's repeat is off while we run; the viewer's keyboard repeats", "sink"},
      {REPEAT_SERVER, "The server's repeat is left as it is, the viewer's is ignored", "server"},
      {REPEAT_OFF, "Nothing repeats: the server's repeat is off while we run, the viewer's is ignored", "off"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstX11InputSinkRepeat", values);
  return type;
}

}  // namespace

namespace vitrine {

/// Properties are guarded by the element's object lock, the rest by mutex_; one is never taken while the other is held. Records
/// are played on the streaming thread; a thread of its own lets go when the viewer falls silent and notices a lost display.
class X11InputSink {
 public:
  explicit X11InputSink(GstX11InputSink* element) : element_(element), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  bool start();
  void stop();
  GstFlowReturn render(GstBuffer* buffer);
  void release_all();
  void forget_pending();
  GstStructure* stats();

  std::string display_name;
  KeyMode key_mode = KeyMode::automatic;
  Repeat repeat = REPEAT_SINK;
  guint release_timeout_ms = kDefaultReleaseTimeoutMs;

 private:
  using Clock = std::chrono::steady_clock;

  void report_unusable(XTestInjector::OpenError error, const std::string& name);
  void take(std::span<const uint8_t> bytes, std::vector<InputRecord>& records) REQUIRES(mutex_);
  void refuse(size_t bytes, InputError error) REQUIRES(mutex_);
  std::optional<std::string> drop_lost_display() REQUIRES(mutex_);
  void report_lost(const std::string& name);
  int release_if_silent() REQUIRES(mutex_);
  void watch();
  void wake() const;

  GstX11InputSink* const element_;
  const UniqueFd wake_;  // ends the watcher's poll()
  Mutex mutex_;
  std::unique_ptr<XTestInjector> injector_ GUARDED_BY(mutex_);  // null when stopped, and when the display is lost
  std::unique_ptr<InputPlayer> player_ GUARDED_BY(mutex_);      // null when injector_ is
  std::vector<uint8_t> pending_ GUARDED_BY(mutex_);  // the start of a record whose rest is in the next buffer
  bool stopping_ GUARDED_BY(mutex_) = false;
  InputStatistics last_run_ GUARDED_BY(mutex_);  // of the player that is gone
  uint64_t batches_ GUARDED_BY(mutex_) = 0, refused_ GUARDED_BY(mutex_) = 0, timeouts_ GUARDED_BY(mutex_) = 0;
  Clock::time_point last_record_ GUARDED_BY(mutex_);
  std::chrono::milliseconds release_timeout_ GUARDED_BY(mutex_){0};  // 0: never
  std::thread watcher_;
};

}  // namespace vitrine

using namespace vitrine;

struct _GstX11InputSink {
  GstBaseSink parent;
  X11InputSink* body;
};

G_DEFINE_TYPE(GstX11InputSink, gst_x11_input_sink, GST_TYPE_BASE_SINK)

namespace vitrine {

void X11InputSink::report_unusable(XTestInjector::OpenError error, const std::string& name) {
  const std::string shown = X11Connection::display_name_for(name);
  switch (error) {
    case XTestInjector::OpenError::none:
      break;
    case XTestInjector::OpenError::display:
      if (shown.empty())
        GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND,
                          ("No X display to send input to: set $DISPLAY or the property display-name"), (nullptr));
      else
        GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_WRITE,
                          ("Cannot open X display \"%s\": is its server running, and may this user connect to it?", shown.c_str()),
                          ("display-name is %s", name.empty() ? "not set, $DISPLAY is used" : "set"));
      break;
    case XTestInjector::OpenError::xtest:
      GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND,
                        ("X display \"%s\" takes no input: start its server with the XTEST extension", shown.c_str()), (nullptr));
      break;
    case XTestInjector::OpenError::xkb:
      GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND,
                        ("X display \"%s\" tells no keymap: start its server with the XKEYBOARD extension", shown.c_str()),
                        (nullptr));
      break;
  }
}

bool X11InputSink::start() {
  GST_OBJECT_LOCK(element_);
  const std::string name = display_name;
  const KeyMode mode = key_mode;
  const Repeat repeat_mode = repeat;
  const guint timeout_ms = release_timeout_ms;
  GST_OBJECT_UNLOCK(element_);

  XTestInjector::OpenError error;
  auto injector = XTestInjector::open(name, error);
  if (!injector) {
    report_unusable(error, name);
    return false;
  }
  if (repeat_mode != REPEAT_SERVER)
    injector->take_over_repeat();
  GST_INFO_OBJECT(element_, "input goes to X display %s, %dx%d, room for %zu more characters", injector->display_name().c_str(),
                  injector->width(), injector->height(), injector->keymap().spares().size());
  MutexLock lock(mutex_);
  player_ = std::make_unique<InputPlayer>(*injector, mode, repeat_mode == REPEAT_SINK);
  injector_ = std::move(injector);
  release_timeout_ = std::chrono::milliseconds(timeout_ms);
  pending_.clear();
  stopping_ = false;
  batches_ = refused_ = timeouts_ = 0;
  watcher_ = std::thread([this] { watch(); });
  return true;
}

void X11InputSink::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake();
  if (watcher_.joinable())
    watcher_.join();
  MutexLock lock(mutex_);
  if (!injector_)
    return;
  injector_->update();
  if (injector_->alive())
    player_->release_all();
  last_run_ = player_->statistics();
  player_.reset();
  injector_.reset();
}

void X11InputSink::wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

/// Called after each use of the display, on the thread that used it: only that one may close a display that was lost.
std::optional<std::string> X11InputSink::drop_lost_display() {
  if (!injector_ || injector_->alive())
    return std::nullopt;
  std::string name = injector_->display_name();
  last_run_ = player_->statistics();
  player_.reset();
  injector_.reset();
  return name;
}

void X11InputSink::report_lost(const std::string& name) {
  GST_ELEMENT_ERROR(element_, RESOURCE, WRITE, ("Lost the connection to X display \"%s\"", name.c_str()),
                    ("its server has ended or has closed the connection"));
}

/// Returns how many milliseconds to wait before it should be asked again, -1 for ever.
int X11InputSink::release_if_silent() {
  if (!player_->holds_anything() || release_timeout_.count() == 0)
    return -1;
  const auto left = last_record_ + release_timeout_ - Clock::now();
  if (left > Clock::duration::zero()) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::min<int64_t>(ms, G_MAXINT));
  }
  GST_INFO_OBJECT(element_, "the viewer fell silent: releasing what it holds");
  ++timeouts_;
  player_->release_all();
  return -1;
}

void X11InputSink::watch() {
  for (;;) {
    MutexLock lock(mutex_);
    if (stopping_)
      return;
    int timeout = -1, display_fd = -1;
    if (injector_) {
      injector_->update();
      if (injector_->alive())
        timeout = release_if_silent();
      if (const auto lost = drop_lost_display()) {
        lock.unlock();
        report_lost(*lost);
        continue;
      }
      display_fd = injector_->fd();
    }
    lock.unlock();
    pollfd waiting[] = {{wake_.get(), POLLIN, 0}, {display_fd, POLLIN, 0}};
    poll(waiting, 2, timeout);
    uint64_t count;
    if (waiting[0].revents)
      [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
  }
}

void X11InputSink::release_all() {
  MutexLock lock(mutex_);
  if (!injector_)
    return;
  injector_->update();
  if (injector_->alive())
    player_->release_all();
  if (const auto lost = drop_lost_display()) {
    lock.unlock();
    report_lost(*lost);
  }
}

void X11InputSink::forget_pending() {
  MutexLock lock(mutex_);
  pending_.clear();
}

/// Records have no marker to find the next one by: the rest of the buffer is lost, the next one starts anew.
void X11InputSink::refuse(size_t bytes, InputError error) {
  pending_.clear();
  ++refused_;
  if (std::has_single_bit(refused_))
    GST_WARNING_OBJECT(element_, "refused %zu bytes of input: %s (%" G_GUINT64_FORMAT " times so far)", bytes, to_string(error),
                       refused_);
  else
    GST_DEBUG_OBJECT(element_, "refused %zu bytes of input: %s", bytes, to_string(error));
}

void X11InputSink::take(std::span<const uint8_t> bytes, std::vector<InputRecord>& records) {
  std::vector<uint8_t> joined;
  if (!pending_.empty()) {
    joined = std::move(pending_);
    joined.insert(joined.end(), bytes.begin(), bytes.end());
    bytes = joined;
  }
  while (!bytes.empty()) {
    std::optional<InputRecord> record;
    InputError error;
    const auto size = decode_input_at(bytes, record, error);
    if (!size) {
      refuse(bytes.size(), error);
      return;
    }
    if (*size == 0)
      break;
    if (record)
      records.push_back(std::move(*record));
    bytes = bytes.subspan(*size);
  }
  // Less than one record, which the decoder keeps below kInputMessageMax.
  pending_.assign(bytes.begin(), bytes.end());
}

GstFlowReturn X11InputSink::render(GstBuffer* buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR(element_, RESOURCE, READ, ("Cannot read a buffer of input"), (nullptr));
    return GST_FLOW_ERROR;
  }
  MutexLock lock(mutex_);
  std::optional<std::string> lost;
  bool wake_watcher = false;
  // JSON messages on the same stream are for x11desktop.
  const bool is_message = pending_.empty() && map.size > 0 && map.data[0] == '{';
  if (player_ && !is_message) {
    std::vector<InputRecord> records;
    take({map.data, map.size}, records);
    injector_->update();
    if (injector_->alive() && !records.empty()) {
      const bool held = player_->holds_anything();
      last_record_ = Clock::now();
      ++batches_;
      player_->play(records);
      GST_LOG_OBJECT(element_, "played %zu records", records.size());
      // While something is held, its deadline only moves away: the watcher looks again when the old one has passed.
      wake_watcher = !held && player_->holds_anything();
    }
    lost = drop_lost_display();
  }
  const bool usable = player_ != nullptr;
  lock.unlock();
  gst_buffer_unmap(buffer, &map);
  if (wake_watcher)
    wake();
  if (lost)
    report_lost(*lost);
  return usable ? GST_FLOW_OK : GST_FLOW_EOS;  // GST_FLOW_ERROR would make a source post an error of its own on top
}

GstStructure* X11InputSink::stats() {
  MutexLock lock(mutex_);
  const InputStatistics s = player_ ? player_->statistics() : last_run_;
  return gst_structure_new("application/x-vitrine-input-stats", "records", G_TYPE_UINT64, s.records, "events", G_TYPE_UINT64,
                           s.events, "batches", G_TYPE_UINT64, batches_, "refused", G_TYPE_UINT64, refused_, "unknown-keys",
                           G_TYPE_UINT64, s.unknown_keys, "clamped", G_TYPE_UINT64, s.clamped, "release-timeouts",
                           G_TYPE_UINT64, timeouts_, "keys-held", G_TYPE_UINT,
                           static_cast<guint>(player_ ? player_->keys_held() : 0), nullptr);
}

}  // namespace vitrine

static void gst_x11_input_sink_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  X11InputSink& body = *GST_X11_INPUT_SINK(object)->body;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_DISPLAY_NAME: {
      const char* text = g_value_get_string(value);
      body.display_name = text ? text : "";
      break;
    }
    case PROP_KEY_MODE:
      body.key_mode = static_cast<KeyMode>(g_value_get_enum(value));
      break;
    case PROP_REPEAT:
      body.repeat = static_cast<Repeat>(g_value_get_enum(value));
      break;
    case PROP_RELEASE_TIMEOUT:
      body.release_timeout_ms = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_x11_input_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  X11InputSink& body = *GST_X11_INPUT_SINK(object)->body;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, body.stats());
    return;
  }
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_DISPLAY_NAME:
      g_value_set_string(value, body.display_name.empty() ? nullptr : body.display_name.c_str());
      break;
    case PROP_KEY_MODE:
      g_value_set_enum(value, static_cast<int>(body.key_mode));
      break;
    case PROP_REPEAT:
      g_value_set_enum(value, body.repeat);
      break;
    case PROP_RELEASE_TIMEOUT:
      g_value_set_uint(value, body.release_timeout_ms);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

// In place of GstBaseSink's start(): after that has failed, the base class posts an error of its own on top.
static GstStateChangeReturn gst_x11_input_sink_change_state(GstElement* element, GstStateChange transition) {
  X11InputSink& body = *GST_X11_INPUT_SINK(element)->body;
  const bool starts = transition == GST_STATE_CHANGE_READY_TO_PAUSED;
  if (starts && !body.start())
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
  X11InputSink& body = *GST_X11_INPUT_SINK(sink)->body;
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS || GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START)
    body.release_all();
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
    body.forget_pending();
  return GST_BASE_SINK_CLASS(gst_x11_input_sink_parent_class)->event(sink, event);
}

static void gst_x11_input_sink_finalize(GObject* object) {
  delete GST_X11_INPUT_SINK(object)->body;
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
                        static_cast<int>(KeyMode::automatic), flags));
  g_object_class_install_property(
      object_class, PROP_REPEAT,
      g_param_spec_enum("repeat", "Repeat", "Who repeats a key that is held", repeat_get_type(), REPEAT_SINK, flags));
  g_object_class_install_property(
      object_class, PROP_RELEASE_TIMEOUT,
      g_param_spec_uint("release-timeout", "Release timeout",
                        "Time without any record after which held keys and buttons go up, in milliseconds (0 = never)", 0, G_MAXUINT,
                        kDefaultReleaseTimeoutMs, flags));
  g_object_class_install_property(
      object_class, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics",
                         "Counters of this run: records, events, batches, refused, unknown-keys, clamped, release-timeouts "
                         "(guint64), keys-held (guint)",
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
  self->body = new X11InputSink(self);
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_last_sample_enabled(GST_BASE_SINK(self), FALSE);
}

gboolean vitrine_register_x11inputsink(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(x11inputsink_debug, "x11inputsink", 0, "x11inputsink element");
  return gst_element_register(plugin, "x11inputsink", GST_RANK_NONE, GST_TYPE_X11_INPUT_SINK);
}
