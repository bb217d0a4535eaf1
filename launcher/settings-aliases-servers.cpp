// SPDX-License-Identifier: LGPL-2.1-or-later
// Variables of streaming servers: selkies-gstreamer 1.0 to 1.6, selkies 2, and the web page image that went with the first.
#include "settings-aliases.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr char kOnePort[] = N_("page, signalling and media share the one port, see VITRINE_PORT");
constexpr char kMetrics[] = N_("figures are always at /metrics, on the one port and behind the password");
constexpr char kPad[] = N_("Vitrine has no such socket: input goes to the X server itself, gamepads as VITRINE_GAMEPADS says");
constexpr char kLoss[] = N_("lost packets are sent again, none are sent twice");
constexpr char kSoundLoss[] = N_("sound is sent twice (RED) while packets are lost, by itself");
constexpr char kKeyframes[] = N_("keyframes are sent when a viewer needs one, never by the clock");
constexpr char kRate[] = N_("the rate always follows what the network carries, with VITRINE_BITRATE as the most");
constexpr char kQuality[] = N_("quality follows from the bitrate; write a profile to change an encoder");
constexpr char kHeaders[] = N_("the headers are x-auth-user, x-turn-protocol and x-turn-tls");
constexpr char kPage[] = N_("the page has no such part");
constexpr char kWayland[] = N_("Vitrine streams X displays");
constexpr char kShare[] = N_("who may watch or control is said by VITRINE_ACCOUNTS_FILE");
constexpr char kTransferRate[] = N_("files go as fast as the line carries them");
constexpr char kAudio[] = N_("sound is stereo Opus in frames of 10 ms");
constexpr char kCloudflare[] = N_("use VITRINE_TURN_SERVERS with the user and password that the service gives, or VITRINE_RTC_CONFIG_FILE");

using enum AliasRule;

std::vector<AliasSpec> make_table() {
  std::vector<AliasSpec> table = {
      {"SELKIES_ADDR", address, "listen"},
      {"LISTEN_HOST", address, "listen"},
      {"SELKIES_PORT", number, "port"},
      {"LISTEN_PORT", number, "port"},
      {"GST_WEB_PORT", number, "port"},
      {"SELKIES_UNIX_SOCKET", gone, nullptr, kOnePort},
      {"SIGNALLING_SERVER", part, "signalling-server"},
      {"SELKIES_WEB_ROOT", gone, nullptr, N_("Vitrine serves its own page; VITRINE_WEB_ROOT names another folder"), "/opt/gst-web"},
      {"WEB_ROOT", gone, nullptr, N_("Vitrine serves its own page; VITRINE_WEB_ROOT names another folder"), "/opt/gst-web"},
      {"SELKIES_JSON_CONFIG", gone, nullptr, N_("settings are read from vitrine.conf, see VITRINE_CONFIG"), "/tmp/selkies_config.json"},
      {"JSON_CONFIG", gone, nullptr, N_("settings are read from vitrine.conf, see VITRINE_CONFIG"),
       "/tmp/selkies_config.json|/var/run/appconfig/streaming_args.json"},
      {"SELKIES_SUBFOLDER", same, "base-path"},
      {"PATH_PREFIX", same, "base-path"},
      {"SELKIES_UI_TITLE", same, "title"},
      {"PWA_APP_NAME", same, "title"},
      {"PWA_APP_PATH", gone, nullptr, N_("the page can be installed at the address where it is")},
      {"PWA_ICON_URL", gone, nullptr, N_("the page has its own icon")},
      {"SELKIES_ALLOWED_ORIGINS", gone, nullptr, N_("only the page itself may open sessions")},

      {"SELKIES_ENABLE_HTTPS", part, "tls-cert"},
      {"ENABLE_HTTPS_WEB", part, "tls-cert"},
      {"SELKIES_HTTPS_CERT", part, "tls-cert"},
      {"HTTPS_WEB_CERT", part, "tls-cert"},
      {"SELKIES_HTTPS_KEY", part, "tls-key"},
      {"HTTPS_WEB_KEY", part, "tls-key"},
      {"SELKIES_CERT_RELOAD_INTERVAL", gone, nullptr, N_("renewed certificates are read on SIGHUP, see docs/service.md")},

      {"SELKIES_ENABLE_BASIC_AUTH", inverse, "no-auth"},
      {"ENABLE_BASIC_AUTH", inverse, "no-auth"},
      {"SELKIES_BASIC_AUTH_USER", same, "user"},
      {"BASIC_AUTH_USER", same, "user"},
      {"SELKIES_BASIC_AUTH_PASSWORD", same, "password", nullptr, nullptr, true},
      {"BASIC_AUTH_PASSWORD", same, "password", nullptr, nullptr, true},
      {"SELKIES_BASIC_AUTH_VIEWONLY_PASSWORD", gone, nullptr, kShare, nullptr, true},
      {"SELKIES_MASTER_TOKEN", gone, nullptr, kShare, nullptr, true},

      {"SELKIES_RTC_CONFIG_JSON", same, "rtc-config-file"},
      {"RTC_CONFIG_JSON", same, "rtc-config-file"},
      {"SELKIES_TURN_REST_URI", same, "turn-rest-uri", nullptr, nullptr, true},
      {"COTURN_WEB_URI", same, "turn-rest-uri", nullptr, nullptr, true},
      {"SELKIES_TURN_REST_USERNAME", same, "turn-rest-user"},
      {"COTURN_WEB_USERNAME", same, "turn-rest-user"},
      {"SELKIES_TURN_REST_API_KEY", gone, nullptr, N_("put it into VITRINE_TURN_REST_URI, as the service wants it there"), nullptr, true},
      {"SELKIES_TURN_REST_USERNAME_AUTH_HEADER", gone, nullptr, kHeaders, "x-auth-user"},
      {"COTURN_AUTH_HEADER_NAME", gone, nullptr, kHeaders, "x-auth-user"},
      {"SELKIES_TURN_REST_PROTOCOL_HEADER", gone, nullptr, kHeaders, "x-turn-protocol"},
      {"SELKIES_TURN_REST_TLS_HEADER", gone, nullptr, kHeaders, "x-turn-tls"},
      {"SELKIES_TURN_HOST", part, "turn-servers"},
      {"TURN_HOST", part, "turn-servers"},
      {"SELKIES_TURN_PORT", part, "turn-servers"},
      {"TURN_PORT", part, "turn-servers"},
      {"SELKIES_TURN_PROTOCOL", part, "turn-servers"},
      {"TURN_PROTOCOL", part, "turn-servers"},
      {"SELKIES_TURN_TLS", part, "turn-servers"},
      {"TURN_TLS", part, "turn-servers"},
      {"SELKIES_TURN_SHARED_SECRET", part, "turn-shared-secret", nullptr, nullptr, true},
      {"TURN_SHARED_SECRET", part, "turn-shared-secret", nullptr, nullptr, true},
      {"SELKIES_TURN_USERNAME", part, "turn-user"},
      {"TURN_USERNAME", part, "turn-user"},
      {"SELKIES_TURN_PASSWORD", part, "turn-password", nullptr, nullptr, true},
      {"TURN_PASSWORD", part, "turn-password", nullptr, nullptr, true},
      {"SELKIES_STUN_HOST", part, "stun-server"},
      {"STUN_HOST", part, "stun-server"},
      {"SELKIES_STUN_PORT", part, "stun-server"},
      {"STUN_PORT", part, "stun-server"},
      {"SELKIES_WEBRTC_PUBLIC_IP", same, "public-address"},
      {"SELKIES_ENABLE_CLOUDFLARE_TURN", gone, nullptr, kCloudflare, "false"},
      {"SELKIES_CLOUDFLARE_TURN_TOKEN_ID", gone, nullptr, kCloudflare, nullptr, true},
      {"SELKIES_CLOUDFLARE_TURN_API_TOKEN", gone, nullptr, kCloudflare, nullptr, true},

      {"SELKIES_FILE_TRANSFERS", part, "upload-folder"},
      {"SELKIES_FILE_MANAGER_PATH", part, "upload-folder"},
      {"SELKIES_APP_WAIT_READY", part, "wait-for-file"},
      {"APP_AUTO_INIT", part, "wait-for-file"},
      {"SELKIES_APP_READY_FILE", part, "wait-for-file"},
      {"APP_READY_FILE", part, "wait-for-file"},

      {"SELKIES_ENCODER", encoder, "profile"},
      {"WEBRTC_ENCODER", encoder, "profile"},
      {"SELKIES_FRAMERATE", number, "framerate"},
      {"WEBRTC_FRAMERATE", number, "framerate"},
      {"SELKIES_VIDEO_BITRATE", number, "bitrate"},
      {"WEBRTC_VIDEO_BITRATE", number, "bitrate"},
      {"SELKIES_VIDEO_FULLCOLOR", words, "chroma", "true=444|false=420"},
      {"SELKIES_GPU_ID", gone, nullptr, N_("the first GPU that works is used; a profile can name another"), "0"},
      {"SELKIES_KEYFRAME_DISTANCE", gone, nullptr, kKeyframes, "-1"},
      {"SELKIES_KEYFRAME_INTERVAL", gone, nullptr, kKeyframes, "0|0.0"},
      {"SELKIES_CONGESTION_CONTROL", words, "congestion-control", "true=desktop|false=off"},
      {"SELKIES_WEBRTC_PACER", gone, nullptr, N_("pacing belongs to congestion control, see VITRINE_CONGESTION_CONTROL"), "true"},
      {"SELKIES_WEBRTC_PACER_STALE_MS", gone, nullptr, kRate},
      {"SELKIES_BACKPRESSURE_QUEUE_SIZE", gone, nullptr, kRate},
      {"SELKIES_VIDEO_PACKETLOSS_PERCENT", gone, nullptr, kLoss, "0"},
      {"SELKIES_AUDIO_PACKETLOSS_PERCENT", gone, nullptr, kSoundLoss, "0"},
      {"SELKIES_AUDIO_REDUNDANCY", gone, nullptr, kSoundLoss, "false"},
      {"SELKIES_AUDIO_REDUNDANCY_DISTANCE", gone, nullptr, kSoundLoss, "0"},

      {"SELKIES_AUDIO_ENABLED", inverse, "no-audio"},
      {"SELKIES_ENABLE_AUDIO", inverse, "no-audio"},
      {"ENABLE_AUDIO", inverse, "no-audio"},
      {"SELKIES_AUDIO_BITRATE", gone, nullptr, N_("sound takes 128 kbit/s"), "128000"},
      {"WEBRTC_AUDIO_BITRATE", gone, nullptr, N_("sound takes 128 kbit/s"), "128000"},
      {"SELKIES_AUDIO_CHANNELS", gone, nullptr, kAudio, "2"},
      {"WEBRTC_AUDIO_CHANNELS", gone, nullptr, kAudio, "2"},
      {"SELKIES_AUDIO_FRAME_DURATION_MS", gone, nullptr, kAudio, "10"},
      {"SELKIES_AUDIO_DEVICE_NAME", gone, nullptr, N_("what is heard is the default sink of PULSE_SERVER"), "output.monitor"},
      {"SELKIES_MICROPHONE_ENABLED", inverse, "no-microphone"},

      {"SELKIES_ENABLE_CLIPBOARD", words, "clipboard", "true=both|false=off|in=in|out=out"},
      {"ENABLE_CLIPBOARD", words, "clipboard", "true=both|false=off|in=in|out=out"},
      {"SELKIES_ENABLE_BINARY_CLIPBOARD", gone, nullptr, N_("pictures are shared with the rest of the clipboard, see VITRINE_CLIPBOARD"), "true"},
      {"SELKIES_ENABLE_RESIZE", words, "resize", "true=auto|false=off"},
      {"WEBRTC_ENABLE_RESIZE", words, "resize", "true=auto|false=off"},
      {"SELKIES_FORCE_ALIGNED_RESOLUTION", gone, nullptr, N_("any size works"), "false"},
      {"SELKIES_IS_MANUAL_RESOLUTION_MODE", gone, nullptr, N_("the size is VITRINE_SIZE")},
      {"SELKIES_MANUAL_WIDTH", part, "size"},
      {"SELKIES_MANUAL_HEIGHT", part, "size"},
      {"SELKIES_SCALING_DPI", number, "dpi"},
      {"SELKIES_ENABLE_CURSORS", gone, nullptr, N_("the pointer is always shown, see VITRINE_CURSOR"), "true"},
      {"WEBRTC_ENABLE_CURSORS", gone, nullptr, N_("the pointer is always shown, see VITRINE_CURSOR"), "true"},
      {"SELKIES_USE_BROWSER_CURSORS", words, "cursor", "true=viewer|false=picture"},
      {"SELKIES_DEBUG_CURSORS", gone, nullptr, N_("GST_DEBUG=vitrine:5 shows more"), "false"},
      {"WEBRTC_DEBUG_CURSORS", gone, nullptr, N_("GST_DEBUG=vitrine:5 shows more"), "false"},
      {"SELKIES_DEBUG", words, "log-level", "true=debug|false=info"},
      {"SELKIES_CURSOR_SIZE", gone, nullptr, N_("programs read XCURSOR_SIZE"), "-1"},
      {"WEBRTC_CURSOR_SIZE", gone, nullptr, N_("programs read XCURSOR_SIZE"), "-1"},
      {"XCURSOR_SIZE", kept, nullptr, N_("the desktop's programs")},

      {"SELKIES_UINPUT_MOUSE_SOCKET", gone, nullptr, kPad},
      {"UINPUT_MOUSE_SOCKET", gone, nullptr, kPad},
      {"SELKIES_JS_SOCKET_PATH", gone, nullptr, kPad, "/tmp"},
      {"UINPUT_JS_SOCKET", gone, nullptr, kPad},
      {"SELKIES_GAMEPAD_ENABLED", words, "gamepads", "true=auto|false=off"},
      {"SELKIES_UINPUT_GAMEPAD", words, "gamepads", "auto=auto|true=uinput|false=preload"},
      {"SELKIES_INTERPOSER", gone, nullptr, kPad},
      {"JS_LOG", gone, nullptr, kPad, "0|false"},
      {"SDL_JOYSTICK_DEVICE", kept, nullptr, N_("the desktop's programs")},
      {"LD_PRELOAD", kept, nullptr, N_("the desktop's programs")},

      {"SELKIES_ENABLE_WEBRTC_STATISTICS", gone, nullptr, kMetrics, "false"},
      {"SELKIES_WEBRTC_STATISTICS_DIR", gone, nullptr, kMetrics, "/tmp"},
      {"SELKIES_ENABLE_METRICS_HTTP", gone, nullptr, kMetrics, "true|false"},
      {"SELKIES_METRICS_HTTP_PORT", gone, nullptr, kMetrics},
      {"METRICS_PORT", gone, nullptr, kMetrics},
      {"WEBRTC_METRICS_PORT", gone, nullptr, kMetrics},

      {"SELKIES_MODE", gone, nullptr, N_("the page uses what reaches it, WebRTC or WebSocket, by itself")},
      {"SELKIES_ENABLE_DUAL_MODE", gone, nullptr, N_("the page uses what reaches it, WebRTC or WebSocket, by itself")},
      {"SELKIES_COMMAND_ENABLED", gone, nullptr, N_("viewers cannot run commands but by the desktop"), "false"},
      {"SELKIES_RUN_AFTER_CONNECT", gone, nullptr, N_("run COMMAND and watch vitrine_viewers in /metrics")},
      {"SELKIES_RUN_AFTER_DISCONNECT", gone, nullptr, N_("run COMMAND and watch vitrine_viewers in /metrics")},
      {"SELKIES_SECOND_SCREEN", gone, nullptr, N_("one screen is streamed")},
      {"SELKIES_USE_CSS_SCALING", gone, nullptr, N_("the page scales the picture to its window")},
      {"SELKIES_USE_CPU", gone, nullptr, N_("a profile says how to encode, see VITRINE_PROFILE"), "false"},
      {"SELKIES_ENCODE_DRI", gone, nullptr, N_("a profile says how to encode, see VITRINE_PROFILE")},
      {"SELKIES_RENDER_DRI", gone, nullptr, kWayland},
      {"SELKIES_AUTO_GPU", gone, nullptr, kWayland, "true"},
      {"SELKIES_COMPUTER_USE_BIND", gone, nullptr, N_("there is no such interface")},
      {"PIXELFLUX_CU", gone, nullptr, N_("there is no such interface")},
      {"SELKIES_RECORDING_SOCKET", gone, nullptr, N_("record with gst-launch-1.0 and the line of vitrine pipeline")},
      {"PIXELFLUX_RECORDING_SOCKET", gone, nullptr, N_("record with gst-launch-1.0 and the line of vitrine pipeline")},
      {"SELKIES_WATERMARK_PATH", gone, nullptr, N_("nothing is drawn over the desktop")},
      {"SELKIES_WATERMARK_LOCATION", gone, nullptr, N_("nothing is drawn over the desktop"), "-1"},
  };
  const auto all_gone = [&](std::initializer_list<const char*> names, const char* note, const char* harmless = nullptr) {
    for (const char* name : names)
      table.push_back({name, gone, nullptr, note, harmless});
  };
  all_gone({"SELKIES_VIDEO_CRF", "SELKIES_VIDEO_MIN_QP", "SELKIES_VIDEO_MAX_QP", "SELKIES_JPEG_QUALITY", "SELKIES_PAINT_OVER_JPEG_QUALITY",
            "SELKIES_VIDEO_PAINTOVER_CRF", "SELKIES_VIDEO_PAINTOVER_BURST_FRAMES", "SELKIES_USE_PAINT_OVER_QUALITY",
            "SELKIES_VIDEO_STREAMING_MODE", "SELKIES_ENABLE_RATE_CONTROL"},
           kQuality);
  all_gone({"SELKIES_RATE_CONTROL_MODE"}, kQuality, "cbr");
  all_gone({"SELKIES_ENABLE_SHARING", "SELKIES_ENABLE_COLLAB", "SELKIES_ENABLE_SHARED", "SELKIES_ENABLE_PLAYER2", "SELKIES_ENABLE_PLAYER3",
            "SELKIES_ENABLE_PLAYER4"},
           kShare);
  all_gone({"SELKIES_FILE_TRANSFER_LIMIT_MBPS"}, kTransferRate, "0|0.0");
  all_gone({"SELKIES_FILE_TRANSFER_CC"}, kTransferRate, "false");
  all_gone({"SELKIES_WAYLAND", "SELKIES_APP_WAYLAND_DISPLAY", "SELKIES_WAYLAND_HOST_DISPLAY", "SELKIES_WAYLAND_SOCKET_INDEX"}, kWayland,
           "false");
  all_gone({"SELKIES_UI_SHOW_LOGO", "SELKIES_UI_SHOW_CORE_BUTTONS", "SELKIES_UI_SHOW_SIDEBAR", "SELKIES_UI_SIDEBAR_SHOW_VIDEO_SETTINGS",
            "SELKIES_UI_SIDEBAR_SHOW_SCREEN_SETTINGS", "SELKIES_UI_SIDEBAR_SHOW_AUDIO_SETTINGS", "SELKIES_UI_SIDEBAR_SHOW_STATS",
            "SELKIES_UI_SIDEBAR_SHOW_SHORTCUTS", "SELKIES_UI_SIDEBAR_SHOW_CLIPBOARD", "SELKIES_UI_SIDEBAR_SHOW_FILES",
            "SELKIES_UI_SIDEBAR_SHOW_APPS", "SELKIES_UI_SIDEBAR_SHOW_SHARING", "SELKIES_UI_SIDEBAR_SHOW_GAMEPADS",
            "SELKIES_UI_SIDEBAR_SHOW_FULLSCREEN", "SELKIES_UI_SIDEBAR_SHOW_GAMING_MODE", "SELKIES_UI_SIDEBAR_SHOW_TRACKPAD",
            "SELKIES_UI_SIDEBAR_SHOW_KEYBOARD_BUTTON", "SELKIES_UI_SIDEBAR_SHOW_SOFT_BUTTONS"},
           kPage);
  return table;
}

}  // namespace

const std::vector<AliasSpec>& server_aliases() {
  static const std::vector<AliasSpec> table = make_table();
  return table;
}

}  // namespace vitrine
