// SPDX-License-Identifier: LGPL-2.1-or-later
// The skin of webrtcsignallerbin: properties, signals, states. What it does is in SignallerBin.

/**
 * SECTION:element-webrtcsignallerbin
 * @title: webrtcsignallerbin
 *
 * Serves encoded video and audio to any number of web browsers through one port: the page, signalling (WebSocket), and the media by
 * WebRTC. HTTP, WebSocket and ICE-TCP share the TCP port, ICE-UDP uses the same number. No STUN or TURN server is asked. The encoder
 * runs once for all viewers; a slow viewer never slows another.
 *
 * While nobody watches, no picture reaches an encoder that feeds nothing but this element.
 *
 * Input of the viewer that holds control comes out of `control_src` as `application/x-vitrine-control`, for `x11inputsink`.
 *
 * What a viewer that holds control says into its microphone comes out of `mic_src`, as Opus; viewers may only speak if that pad was requested.
 *
 * Without a password nothing but /health is served, unless #GstWebRTCSignallerBin:auth is `none`.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 ximagesrc use-damage=false ! video/x-raw,framerate=30/1 ! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=600 ! video/x-h264,profile=constrained-baseline ! webrtcsignallerbin name=w port=8080 password=change-me w.control_src ! x11inputsink
 * ]| Streams the X display, and lets the browser control it.
 *
 * Since: 0.1
 */

#include "webrtc/gstwebrtcsignallerbin.h"
#include "common/text.h"

#include <string>
#include <vector>

#include "vitrine-config.h"
#include "webrtc/debug.h"
#include "webrtc/gstrtpdesktopcc.h"
#include "webrtc/message.h"
#include "webrtc/network-properties.h"
#include "webrtc/signaller-bin.h"

using namespace vitrine;

GST_DEBUG_CATEGORY(vitrine_webrtc_debug);

#define VIDEO_CAPS                                                                                          \
  "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au; video/x-vp8; video/x-vp9; "        \
  "video/x-av1, stream-format=(string)obu-stream, alignment=(string)tu"

static GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE("video_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS(VIDEO_CAPS));
static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS("audio/x-opus"));
static GstStaticPadTemplate control_src_template =
    GST_STATIC_PAD_TEMPLATE("control_src", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(SignallerBin::kControlCaps));
static GstStaticPadTemplate mic_src_template =
    GST_STATIC_PAD_TEMPLATE("mic_src", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(SignallerBin::kTalkCaps));
static GstStaticPadTemplate control_sink_template =
    GST_STATIC_PAD_TEMPLATE("control_sink", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS(SignallerBin::kControlCaps));

namespace {

enum Property {
  PROP_0,
  PROP_PORT,
  PROP_LISTEN_ADDRESS,
  PROP_AUTH,
  PROP_USER,
  PROP_PASSWORD,
  PROP_ACCOUNTS_FILE,
  PROP_WEB_ROOT,
  PROP_PUBLIC_ADDRESS,
  PROP_TLS_CERTIFICATE,
  PROP_TLS_KEY,
  PROP_ENABLE_UDP,
  PROP_ENABLE_TCP,
  PROP_MAX_VIEWERS,
  PROP_TITLE,
  PROP_STATS,
  PROP_CONGESTION_CONTROL,
  PROP_MIN_BITRATE,
  PROP_START_BITRATE,
  PROP_MAX_BITRATE,
  PROP_UPLOAD_FOLDER,
  PROP_UPLOAD_LIMIT,
  PROP_DOWNLOAD_FOLDER,
  PROP_NETWORK,  // and on
};
enum Signal {
  SIGNAL_VIEWER_CONNECTED,
  SIGNAL_VIEWER_REMOVED,
  SIGNAL_CODEC_REQUEST,
  SIGNAL_STREAM_USERS,
  SIGNAL_ENCODER_TARGET,
  SIGNAL_KICK_VIEWER,
  SIGNAL_NOTIFY_VIEWERS,
  SIGNAL_SET_NOTICE,
  SIGNAL_RELOAD,
  SIGNAL_COUNT
};
guint signals[SIGNAL_COUNT];

enum Auth { AUTH_REQUIRED, AUTH_NONE };

GType congestion_control_get_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(ControlKind::desktop), "Made for desktops: uses what the path carries, keeps it free of a queue", "desktop"},
      {static_cast<gint>(ControlKind::gcc), "After draft-ietf-rmcat-gcc-02, made for cameras; to compare with", "gcc"},
      {static_cast<gint>(ControlKind::off), "None: as much as max-bitrate, whatever the path carries", "off"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("GstWebRTCSignallerCongestionControl", values);
  return type;
}

GType auth_get_type() {
  static const GEnumValue values[] = {
      {AUTH_REQUIRED, "User and password are asked for; nothing is served while none is set", "required"},
      {AUTH_NONE, "Everybody who reaches the port may see and control", "none"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstWebRTCSignallerBinAuth", values);
  return type;
}

}  // namespace

struct _GstWebRTCSignallerBin {
  GstBin parent;
  SignallerBin* body;
};

G_DEFINE_TYPE(GstWebRTCSignallerBin, gst_webrtc_signaller_bin, GST_TYPE_BIN)

static void gst_webrtc_signaller_bin_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  SignallerBin& body = *GST_WEBRTC_SIGNALLER_BIN(object)->body;
  const auto text = [value] {
    const char* string = g_value_get_string(value);
    return std::string(string ? string : "");
  };
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_PORT:
      body.settings.port = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_LISTEN_ADDRESS:
      body.settings.listen_address = text();
      break;
    case PROP_AUTH:
      body.require_auth = g_value_get_enum(value) == AUTH_REQUIRED;
      break;
    case PROP_USER:
      body.user = text();
      break;
    case PROP_PASSWORD:
      body.password = text();
      break;
    case PROP_ACCOUNTS_FILE:
      body.accounts_file = text();
      break;
    case PROP_WEB_ROOT:
      body.settings.web_root = text();
      break;
    case PROP_PUBLIC_ADDRESS:
      body.settings.public_address = text();
      break;
    case PROP_TLS_CERTIFICATE:
      body.settings.tls_certificate = text();
      break;
    case PROP_TLS_KEY:
      body.settings.tls_key = text();
      break;
    case PROP_ENABLE_UDP:
      body.settings.udp = g_value_get_boolean(value);
      break;
    case PROP_ENABLE_TCP:
      body.settings.tcp = g_value_get_boolean(value);
      break;
    case PROP_CONGESTION_CONTROL:
      body.settings.rate.control = static_cast<ControlKind>(g_value_get_enum(value));
      break;
    case PROP_MIN_BITRATE:
      body.settings.rate.min_bps = g_value_get_uint(value);
      break;
    case PROP_START_BITRATE:
      body.settings.rate.start_bps = g_value_get_uint(value);
      break;
    case PROP_MAX_BITRATE:
      body.settings.rate.max_bps = g_value_get_uint(value);
      break;
    case PROP_MAX_VIEWERS:
      body.settings.max_viewers = g_value_get_uint(value);
      break;
    case PROP_TITLE:
      body.settings.title = text();
      break;
    case PROP_UPLOAD_FOLDER:
      body.settings.files.upload_folder = text();
      break;
    case PROP_UPLOAD_LIMIT:
      body.settings.files.largest_upload = uint64_t{g_value_get_uint(value)} << 20;
      break;
    case PROP_DOWNLOAD_FOLDER:
      body.settings.files.download_folder = text();
      break;
    default:
      if (!set_network_property(body.settings.network, id - PROP_NETWORK, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

static void gst_webrtc_signaller_bin_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  SignallerBin& body = *GST_WEBRTC_SIGNALLER_BIN(object)->body;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, body.stats());
    return;
  }
  const auto text = [value](const std::string& string) {
    g_value_set_string(value, string.empty() ? nullptr : string.c_str());
  };
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_PORT:
      g_value_set_uint(value, static_cast<guint>(body.settings.port));
      break;
    case PROP_LISTEN_ADDRESS:
      text(body.settings.listen_address);
      break;
    case PROP_AUTH:
      g_value_set_enum(value, body.require_auth ? AUTH_REQUIRED : AUTH_NONE);
      break;
    case PROP_USER:
      text(body.user);
      break;
    case PROP_ACCOUNTS_FILE:
      text(body.accounts_file);
      break;
    case PROP_WEB_ROOT:
      text(body.settings.web_root);
      break;
    case PROP_PUBLIC_ADDRESS:
      text(body.settings.public_address);
      break;
    case PROP_TLS_CERTIFICATE:
      text(body.settings.tls_certificate);
      break;
    case PROP_TLS_KEY:
      text(body.settings.tls_key);
      break;
    case PROP_ENABLE_UDP:
      g_value_set_boolean(value, body.settings.udp);
      break;
    case PROP_ENABLE_TCP:
      g_value_set_boolean(value, body.settings.tcp);
      break;
    case PROP_MAX_VIEWERS:
      g_value_set_uint(value, static_cast<guint>(body.settings.max_viewers));
      break;
    case PROP_TITLE:
      text(body.settings.title);
      break;
    case PROP_UPLOAD_FOLDER:
      text(body.settings.files.upload_folder);
      break;
    case PROP_UPLOAD_LIMIT:
      g_value_set_uint(value, static_cast<guint>(body.settings.files.largest_upload >> 20));
      break;
    case PROP_DOWNLOAD_FOLDER:
      text(body.settings.files.download_folder);
      break;
    case PROP_CONGESTION_CONTROL:
      g_value_set_enum(value, static_cast<gint>(body.settings.rate.control));
      break;
    case PROP_MIN_BITRATE:
      g_value_set_uint(value, static_cast<guint>(body.settings.rate.min_bps));
      break;
    case PROP_START_BITRATE:
      g_value_set_uint(value, static_cast<guint>(body.settings.rate.start_bps));
      break;
    case PROP_MAX_BITRATE:
      g_value_set_uint(value, static_cast<guint>(body.settings.rate.max_bps));
      break;
    default:
      if (!get_network_property(body.settings.network, id - PROP_NETWORK, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
  GST_OBJECT_UNLOCK(object);
}

static GstPad* gst_webrtc_signaller_bin_request_new_pad(GstElement* element, GstPadTemplate* pad_template,
                                                        const gchar* name, const GstCaps*) {
  return GST_WEBRTC_SIGNALLER_BIN(element)->body->request_pad(pad_template, name);
}

static void gst_webrtc_signaller_bin_release_pad(GstElement* element, GstPad* pad) {
  GST_WEBRTC_SIGNALLER_BIN(element)->body->release_pad(pad);
}

static GstStateChangeReturn gst_webrtc_signaller_bin_change_state(GstElement* element, GstStateChange transition) {
  SignallerBin& body = *GST_WEBRTC_SIGNALLER_BIN(element)->body;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !body.open())
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    body.set_playing(false);
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_webrtc_signaller_bin_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) {
    if (transition == GST_STATE_CHANGE_NULL_TO_READY)
      body.close();
    return result;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    body.set_playing(true);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    body.restart_media();
  else if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    body.close();
  return result;
}

static void gst_webrtc_signaller_bin_finalize(GObject* object) {
  auto* self = GST_WEBRTC_SIGNALLER_BIN(object);
  delete self->body;
  G_OBJECT_CLASS(gst_webrtc_signaller_bin_parent_class)->finalize(object);
}

static void gst_webrtc_signaller_bin_kick_viewer(GstWebRTCSignallerBin* self, const char* id, const char* reason) {
  if (auto server = self->body->server())
    server->kick(id ? id : "", reason ? reason : "");
}

static void gst_webrtc_signaller_bin_notify_viewers(GstWebRTCSignallerBin* self, const char* level, const char* text) {
  if (auto server = self->body->server())
    server->send_to_viewers(
        MessageWriter("notice").text("level", level ? level : "info").text("text", text ? text : "").finish(), "");
}

static void gst_webrtc_signaller_bin_set_notice(GstWebRTCSignallerBin* self, const char* topic, const char* level, const char* text) {
  if (auto server = self->body->server())
    server->set_notice(topic ? topic : "", level ? level : "info", text ? text : "");
}

static char* gst_webrtc_signaller_bin_reload(GstWebRTCSignallerBin* self) {
  const std::string problem = self->body->reload();
  return problem.empty() ? nullptr : g_strdup(problem.c_str());
}

static void install_properties(GObjectClass* klass) {
  const auto flags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto string = [&](Property id, const char* name, const char* nick, const char* blurb, const char* initial) {
    g_object_class_install_property(klass, id, g_param_spec_string(name, nick, blurb, initial, flags));
  };
  g_object_class_install_property(
      klass, PROP_PORT,
      g_param_spec_uint("port", "Port", "The one port number: HTTP, WebSocket and ICE-TCP on TCP, ICE on UDP", 1, 65535,
                        SignallerBin::kDefaultPort, flags));
  string(PROP_LISTEN_ADDRESS, "listen-address", "Listen address",
         "IP address to listen on (NULL = all addresses, IPv4 and IPv6)", nullptr);
  g_object_class_install_property(
      klass, PROP_AUTH,
      g_param_spec_enum("auth", "Authentication", "Whether viewers have to authenticate", auth_get_type(), AUTH_REQUIRED,
                        flags));
  string(PROP_USER, "user", "User", "User name that goes with password", SignallerBin::kDefaultUser);
  g_object_class_install_property(
      klass, PROP_PASSWORD,
      g_param_spec_string("password", "Password",
                          "Password of user, who may view and control: plain text, or a crypt(5) hash starting with $", nullptr,
                          GParamFlags(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)));
  string(PROP_ACCOUNTS_FILE, "accounts-file", "Accounts file",
         "File with more accounts, a line each: name:password:role, the password as in password, the role control or view",
         nullptr);
  string(PROP_WEB_ROOT, "web-root", "Web root",
         "Folder with the page (NULL = $VITRINE_WEB_ROOT or the installed one)", nullptr);
  string(PROP_PUBLIC_ADDRESS, "public-address", "Public address",
         "host or host:port by which browsers reach the media port, in place of the one by which they reached the page", nullptr);
  string(PROP_TLS_CERTIFICATE, "tls-certificate", "TLS certificate",
         "PEM file with the certificate chain; https on the same port, http is redirected (NULL = no TLS)", nullptr);
  string(PROP_TLS_KEY, "tls-key", "TLS key", "PEM file with the private key (NULL = in tls-certificate)", nullptr);
  g_object_class_install_property(
      klass, PROP_ENABLE_UDP, g_param_spec_boolean("enable-udp", "Enable UDP", "Offer ICE over UDP", TRUE, flags));
  g_object_class_install_property(
      klass, PROP_ENABLE_TCP,
      g_param_spec_boolean("enable-tcp", "Enable TCP", "Offer ICE over TCP, on the page's own port", TRUE, flags));
  g_object_class_install_property(
      klass, PROP_MAX_VIEWERS,
      g_param_spec_uint("max-viewers", "Maximum viewers", "Viewers at the same time; more are refused", 1, 1000,
                        SignallerBin::kDefaultMaxViewers, flags));
  string(PROP_TITLE, "title", "Title", "Name of the session, shown by the page", SignallerBin::kDefaultTitle);
  string(PROP_UPLOAD_FOLDER, "upload-folder", "Upload folder",
         "Folder that files arrive in which viewers with the role control drop on the page; made if it is not there (NULL = no files are taken)",
         nullptr);
  g_object_class_install_property(
      klass, PROP_UPLOAD_LIMIT,
      g_param_spec_uint("upload-limit", "Upload limit", "How large such a file may be, MiB", 1, SignallerBin::kMostUploadMib,
                        SignallerBin::kDefaultUploadMib, flags));
  string(PROP_DOWNLOAD_FOLDER, "download-folder", "Download folder",
         "Folder whose files viewers with the role control can fetch; made if it is not there (NULL = no files are given)", nullptr);
  g_object_class_install_property(
      klass, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics",
                         "viewers, connected (uint); input-records, frames-sent, frames-dropped, bytes-sent (uint64) of the viewers "
                         "that are there",
                         GST_TYPE_STRUCTURE, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  const auto bitrate = [&](Property id, const char* name, const char* nick, const char* blurb, guint initial) {
    g_object_class_install_property(klass, id, g_param_spec_uint(name, nick, blurb, 100'000, 1'000'000'000, initial, flags));
  };
  g_object_class_install_property(
      klass, PROP_CONGESTION_CONTROL,
      g_param_spec_enum("congestion-control", "Congestion control", "How the bitrate of viewers follows what their paths carry; by WebRTC", congestion_control_get_type(),
                        static_cast<gint>(ControlKind::desktop), flags));
  bitrate(PROP_MIN_BITRATE, "min-bitrate", "Minimum bitrate", "No viewer's estimate is below this, bit/s", 150'000);
  bitrate(PROP_START_BITRATE, "start-bitrate", "Start bitrate", "A viewer's estimate before the first feedback, bit/s", 8'000'000);
  bitrate(PROP_MAX_BITRATE, "max-bitrate", "Maximum bitrate", "Bitrate of the video that encoder-target never exceeds, bit/s", 50'000'000);
  install_network_properties(klass, PROP_NETWORK, flags);
}

static void install_signals(GType type) {
  /**
   * GstWebRTCSignallerBin::viewer-connected:
   * @id: the viewer
   *
   * A viewer's media connection is up. Emitted on the element's session thread, which must not be held up.
   */
  signals[SIGNAL_VIEWER_CONNECTED] = g_signal_new("viewer-connected", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
                                                  G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * GstWebRTCSignallerBin::viewer-removed:
   * @id: the viewer
   * @reason: why, for logs
   *
   * A viewer has gone. Emitted on the element's session thread.
   */
  signals[SIGNAL_VIEWER_REMOVED] = g_signal_new("viewer-removed", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
                                                G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstWebRTCSignallerBin::codec-request:
   * @codecs: (array zero-terminated=1): what the viewer can decode, most wanted first: "H264", "VP8", "VP9", "AV1", "H265"
   *
   * A viewer can decode none of the video streams. Return %TRUE if a stream of one of these codecs is being added on a further video
   * pad: the viewer then waits for it; else it is refused. Emitted on the element's session thread, again every second while it waits.
   *
   * Returns: whether to wait
   */
  signals[SIGNAL_CODEC_REQUEST] = g_signal_new("codec-request", type, G_SIGNAL_RUN_LAST, 0, g_signal_accumulator_true_handled,
                                               nullptr, nullptr, G_TYPE_BOOLEAN, 1, G_TYPE_STRV);
  /**
   * GstWebRTCSignallerBin::stream-users:
   * @pad: name of a video or audio pad, or mic_src
   * @users: how many viewers use its stream now; of mic_src, how many speak
   *
   * Emitted on the element's session thread when the number has changed. A pad may be released at any time: viewers that use it get
   * another stream.
   */
  signals[SIGNAL_STREAM_USERS] = g_signal_new("stream-users", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 2,
                                              G_TYPE_STRING, G_TYPE_UINT);
  /**
   * GstWebRTCSignallerBin::encoder-target:
   * @target: stream (string, name of the pad), bitrate (uint, kbit/s), framerate (uint, pictures per second at most, 0 for no bound),
   *   frame-size (uint, bytes that a frame should not exceed), scale (double, 1, 0.75 or 0.5, of width and height)
   *
   * What the viewers' paths carry, for the encoder of a stream. The element keeps the framerate itself, by leaving out pictures before the
   * encoder. Changing the bitrate must not make a keyframe; keyframes are asked for by events, as ever. Emitted on the element's session
   * thread, which must not be held up.
   */
  signals[SIGNAL_ENCODER_TARGET] = g_signal_new("encoder-target", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 1,
                                                GST_TYPE_STRUCTURE);
  /**
   * GstWebRTCSignallerBin::kick-viewer:
   * @id: the viewer
   * @reason: shown to the viewer
   *
   * Ends a viewer's session. Unknown ids are ignored.
   */
  signals[SIGNAL_KICK_VIEWER] = g_signal_new_class_handler(
      "kick-viewer", type, GSignalFlags(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION), G_CALLBACK(gst_webrtc_signaller_bin_kick_viewer),
      nullptr, nullptr, nullptr, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstWebRTCSignallerBin::notify-viewers:
   * @level: "info", "warning" or "error"
   * @text: what to show
   *
   * Shows a text to all viewers.
   */
  signals[SIGNAL_NOTIFY_VIEWERS] = g_signal_new_class_handler(
      "notify-viewers", type, GSignalFlags(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
      G_CALLBACK(gst_webrtc_signaller_bin_notify_viewers), nullptr, nullptr, nullptr, G_TYPE_NONE, 2, G_TYPE_STRING,
      G_TYPE_STRING);
  /**
   * GstWebRTCSignallerBin::set-notice:
   * @topic: what the text is about
   * @level: "info", "warning" or "error"
   * @text: what to show, or ""
   *
   * Shows a text to all viewers, also those that come later, until another one with the same topic takes its place. "" takes it away.
   */
  signals[SIGNAL_SET_NOTICE] = g_signal_new_class_handler(
      "set-notice", type, GSignalFlags(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION), G_CALLBACK(gst_webrtc_signaller_bin_set_notice),
      nullptr, nullptr, nullptr, G_TYPE_NONE, 3, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * GstWebRTCSignallerBin::reload:
   *
   * Takes over, while the port is open, what these properties say now, and reads the files that they name again: user, password,
   * accounts-file, tls-certificate and tls-key (where there was one already), title, public-address, max-viewers, upload-limit, min-, start-
   * and max-bitrate, transport, ice-mode, ice-transport-policy, trusted-proxies, stun-server and all turn- properties but turn-ca-file,
   * rtc-config-file. The others count from NULL to READY on. Viewers stay; whose account is not as it was has to log in anew with the next request.
   *
   * Returns: (nullable): what is wrong, for people; then nothing has changed
   */
  signals[SIGNAL_RELOAD] = g_signal_new_class_handler(
      "reload", type, GSignalFlags(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION), G_CALLBACK(gst_webrtc_signaller_bin_reload), nullptr, nullptr,
      nullptr, G_TYPE_STRING, 0);
}

static bool gst_webrtc_signaller_bin_codec_request(GstWebRTCSignallerBin* self, const std::vector<std::string>& codecs) {
  std::vector<const char*> list;
  for (const auto& codec : codecs)
    list.push_back(codec.c_str());
  list.push_back(nullptr);
  gboolean comes = FALSE;
  g_signal_emit(self, signals[SIGNAL_CODEC_REQUEST], 0, list.data(), &comes);
  return comes;
}

static void gst_webrtc_signaller_bin_class_init(GstWebRTCSignallerBinClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = gst_webrtc_signaller_bin_set_property;
  object_class->get_property = gst_webrtc_signaller_bin_get_property;
  object_class->finalize = gst_webrtc_signaller_bin_finalize;
  install_properties(object_class);
  install_signals(G_TYPE_FROM_CLASS(klass));
  gst_type_mark_as_plugin_api(auth_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(congestion_control_get_type(), GstPluginAPIFlags(0));

  element_class->request_new_pad = gst_webrtc_signaller_bin_request_new_pad;
  element_class->release_pad = gst_webrtc_signaller_bin_release_pad;
  element_class->change_state = gst_webrtc_signaller_bin_change_state;
  for (auto* pad_template : {&video_template, &audio_template, &control_src_template, &control_sink_template, &mic_src_template})
    gst_element_class_add_static_pad_template(element_class, pad_template);
  gst_element_class_set_static_metadata(element_class, "WebRTC signaller bin", "Sink/Network/WebRTC",
                                        "Serves a desktop to web browsers: page, signalling and media through one port",
                                        "The Vitrine developers");
}

static void gst_webrtc_signaller_bin_encoder_target(GstWebRTCSignallerBin* self, const std::string& pad, const EncoderTarget& target) {
  const StructurePtr structure(gst_structure_new(
      "application/x-vitrine-encoder-target", "stream", G_TYPE_STRING, pad.c_str(), "bitrate", G_TYPE_UINT, target.bitrate_kbit, "framerate",
      G_TYPE_UINT, target.framerate, "frame-size", G_TYPE_UINT, target.frame_bytes_max, "scale", G_TYPE_DOUBLE, target.scale, nullptr));
  g_signal_emit(self, signals[SIGNAL_ENCODER_TARGET], 0, structure.get());
}

static void gst_webrtc_signaller_bin_init(GstWebRTCSignallerBin* self) {
  self->body = new SignallerBin(GST_BIN(self), {
      [self](const std::string& id) { g_signal_emit(self, signals[SIGNAL_VIEWER_CONNECTED], 0, id.c_str()); },
      [self](const std::string& id, const std::string& reason) {
        g_signal_emit(self, signals[SIGNAL_VIEWER_REMOVED], 0, id.c_str(), reason.c_str());
      },
      [self](const std::vector<std::string>& codecs) { return gst_webrtc_signaller_bin_codec_request(self, codecs); },
      [self](const std::string& pad, unsigned users) { g_signal_emit(self, signals[SIGNAL_STREAM_USERS], 0, pad.c_str(), users); },
      [self](const std::string& pad, const EncoderTarget& target) { gst_webrtc_signaller_bin_encoder_target(self, pad, target); }});
}

static gboolean plugin_init(GstPlugin* plugin) {
  vitrine::bind_texts();
  GST_DEBUG_CATEGORY_INIT(vitrine_webrtc_debug, "webrtcsignallerbin", 0, "webrtcsignallerbin element");
  return gst_element_register(plugin, "rtpdesktopcc", GST_RANK_NONE, GST_TYPE_RTP_DESKTOP_CC) &&
         gst_element_register(plugin, "webrtcsignallerbin", GST_RANK_NONE, GST_TYPE_WEBRTC_SIGNALLER_BIN);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, webrtcsignaller, "WebRTC desktop sessions for web browsers",
                  plugin_init, PACKAGE_VERSION, "LGPL", "vitrine", "https://vitrine.invalid/")
