// SPDX-License-Identifier: LGPL-2.1-or-later
// Variables of container images around streaming servers: desktops with EGL and GLX, cloud desktops, app images, TURN servers.
#include "settings-aliases.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr char kScript[] = N_("an image's start script, not Vitrine itself");
constexpr char kDriver[] = N_("NVIDIA's container toolkit and libraries");
constexpr char kPrograms[] = N_("the desktop's programs");
constexpr char kCoturn[] = N_("a TURN server of its own, if there is one");
constexpr char kBundled[] = N_("no TURN server is needed inside: media goes by the one port; name another server with VITRINE_TURN_SERVERS");
constexpr char kVnc[] = N_("where WebRTC is blocked the page falls back to a WebSocket by itself; VNC comes with the services' image");
constexpr char kOnePort[] = N_("page, signalling and media share the one port, see VITRINE_PORT");
constexpr char kViewPassword[] = N_("a view-only account is a line in VITRINE_ACCOUNTS_FILE: name:password:view");
constexpr char kDesktop[] = N_("the image decides what runs on the desktop");
constexpr char kServices[] = N_("the services' image, docs/containers.md");
constexpr char kXorg[] = N_("the image desktop-glx");
constexpr char kDisplayMode[] = N_("the private X server has no such mode");
constexpr char kDepth[] = N_("colours have 24 bits");
constexpr char kBroker[] = N_("there is no broker: each session has an address of its own");
constexpr char kWorkspace[] = N_("WORKSPACE is used as it is mounted");
constexpr char kSyncthing[] = N_("there is no Syncthing; VITRINE_UPLOAD_FOLDER and VITRINE_DOWNLOAD_FOLDER let files through");
constexpr char kTurnAccess[] = N_("who may ask 'vitrine turn-rest' is said by VITRINE_PASSWORD and VITRINE_ACCOUNTS_FILE");
constexpr char kTurnServers[] = N_("VITRINE_TURN_SERVERS names the servers that 'vitrine turn-rest' hands out");
constexpr char kTurnPorts[] = N_("read by a TURN server of its own, if there is one");
constexpr char kNoServerPaths[] = N_("the private X server has neither zink nor DRI3");

using enum AliasRule;

std::vector<AliasSpec> make_table() {
  std::vector<AliasSpec> table = {
      // What stood before the server counts: users came in by it.
      {"NGINX_PORT", number, "port"},
      {"CUSTOM_PORT", number, "port"},
      {"SELKIES_PORT_HOST", number, "port"},
      {"WEBRTC_PORT", number, "port"},
      {"CUSTOM_WS_PORT", number, "port"},
      {"CUSTOM_HTTPS_PORT", gone, nullptr, kOnePort},
      {"SELKIES_CONTROL_PORT", gone, nullptr, kOnePort},
      {"SELKIES_PORT_LOCAL", gone, nullptr, kOnePort},
      {"SELKIES_PORT_METRICS", gone, nullptr, kOnePort},

      {"DISPLAY", kept, nullptr, N_("Vitrine too: the display that is streamed unless VITRINE_DISPLAY names one")},
      {"DISPLAY_SIZEW", part, "size"},
      {"SIZEW", part, "size"},
      {"DISPLAY_WIDTH", part, "size"},
      {"DISPLAY_SIZEH", part, "size"},
      {"SIZEH", part, "size"},
      {"DISPLAY_HEIGHT", part, "size"},
      {"RESOLUTION", same, "size"},
      {"DISPLAY_DPI", number, "dpi"},
      {"DPI", number, "dpi"},
      {"DISPLAY_REFRESH", gone, nullptr, N_("the private X server has no refresh rate; VITRINE_FRAMERATE says how often it is captured"), "60"},
      {"REFRESH", gone, nullptr, N_("the private X server has no refresh rate; VITRINE_FRAMERATE says how often it is captured"), "60"},
      {"DISPLAY_CDEPTH", gone, nullptr, kDepth, "24"},
      {"CDEPTH", gone, nullptr, kDepth, "24"},
      {"VIDEO_PORT", kept, nullptr, kXorg},
      {"MAX_RES", kept, nullptr, kXorg},
      {"X11_DRIVER", gone, nullptr, kDisplayMode},
      {"VGL_DISPLAY", kept, nullptr, N_("VirtualGL")},

      {"WEB_ENABLE_AUTH", inverse, "no-auth"},
      {"WEB_USER", same, "user"},
      {"CUSTOM_USER", same, "user"},
      {"WEB_PASSWORD", same, "password", nullptr, nullptr, true},
      {"WEB_PASSWORD_HASH", same, "password", nullptr, nullptr, true},
      {"PASSWORD", same, "password", nullptr, nullptr, true},
      {"PASSWD", same, "password", nullptr, nullptr, true},
      {"NOVNC_VIEWPASS", gone, nullptr, kViewPassword, nullptr, true},
      {"VIEWONLY_PASSWORD", gone, nullptr, kViewPassword, nullptr, true},

      {"EXEC_CMD", same, "command"},
      {"SUBFOLDER", same, "base-path", nullptr, "/"},
      {"TITLE", same, "title"},
      {"ENABLE_WM", kept, nullptr, kScript},
      {"WM_ARGS", kept, nullptr, kScript},
      {"SELKIES_ENABLE_NVFBC", gone, nullptr, N_("a profile says how to capture, see VITRINE_PROFILE"), "false"},
      {"DRI_NODE", gone, nullptr, N_("a profile says how to encode, see VITRINE_PROFILE")},
      {"DRINODE", gone, nullptr, N_("VGL_DISPLAY says where VirtualGL draws, a profile how to encode")},
      {"AUTO_GPU", gone, nullptr, N_("a profile says how to encode, see VITRINE_PROFILE"), "true"},
      {"PIXELFLUX_WAYLAND", gone, nullptr, N_("Vitrine streams X displays"), "false"},
      {"FILE_MANAGER_PATH", part, "upload-folder"},
      {"WATERMARK_PNG", gone, nullptr, N_("nothing is drawn over the desktop")},
      {"WATERMARK_LOCATION", gone, nullptr, N_("nothing is drawn over the desktop"), "-1"},
      {"NO_GAMEPAD", words, "gamepads", "true=off|false=auto"},
      {"DISABLE_IPV6", gone, nullptr, N_("VITRINE_LISTEN=0.0.0.0 leaves IPv6 out"), "false"},
      {"DASHBOARD", gone, nullptr, N_("there is one page")},
      {"CF_TUNNEL_TOKEN", kept, nullptr, kServices, nullptr, true},
      {"VNC_PASSWORD", kept, nullptr, kServices, nullptr, true},
      {"DIRECT_ADDRESS_GET_WAN", gone, nullptr, N_("VITRINE_PUBLIC_ADDRESS says where browsers reach the media port"), "false"},
      {"ENABLE_COTURN", gone, nullptr, kBundled, "false"},
      {"SELKIES_ARGS", gone, nullptr, N_("options are given to vitrine")},
      {"WATCHDOG_TIMEOUT", gone, nullptr, N_("a session does not end by itself; watch vitrine_viewers in /metrics")},
      {"IDLE_TIMEOUT", gone, nullptr, N_("a session does not end by itself; watch vitrine_viewers in /metrics")},
      {"PULSE_SERVER", kept, nullptr, N_("Vitrine too: where sound is taken from, unless there is a private sound server (`--sound-server`)")},
  };
  const auto all = [&](AliasRule rule, std::initializer_list<const char*> names, const char* note, const char* harmless = nullptr) {
    for (const char* name : names)
      table.push_back({name, rule, nullptr, note, harmless});
  };
  all(gone, {"KASMVNC_DISPLAY", "KASMVNC_THREADS", "KASMVNC_FLAG", "KASMVNC_PROXY_FLAG", "VNC_DISPLAY", "VNC_PORT_HOST", "VNC_PORT_LOCAL",
             "VNC_PORT_METRICS"},
      kVnc);
  all(gone, {"TURN_RANDOM_PASSWORD", "COTURN_USER", "COTURN_PASSWORD", "COTURN_LISTEN_ADDRESS", "COTURN_PORT_HOST", "COTURN_FLAGS"}, kBundled);
  all(kept, {"TURN_EXTERNAL_IP", "TURN_CHANNEL_LIFETIME", "TURN_EXTRA_ARGS", "TURN_ALT_PORT", "TURN_REALM"}, kCoturn);
  for (const char* name : {"TURN_MIN_PORT", "TURN_MAX_PORT"})
    table.push_back({name, part, "turn-servers", kTurnPorts});
  table.push_back({"TURN_TTL", number, "turn-lifetime"});
  for (const char* name : {"TURN_API_KEY", "HTPASSWD_DATA64"})
    table.push_back({name, gone, nullptr, kTurnAccess, nullptr, true});
  all(gone, {"TURN_HTPASSWD_FILE"}, kTurnAccess);
  all(gone, {"AUTH_HEADER_NAME"}, N_("the header is x-auth-user"), "x-auth-user");
  all(gone, {"DISCOVERY_ENDPOINTS_NAME", "DISCOVERY_ENDPOINTS_NAMESPACE", "DISCOVERY_ENDPOINTS_SRV_SERVICE_NAME", "MIG_DISCO_FILTER",
             "MIG_DISCO_PROJECT_ID"},
      kTurnServers);
  all(kept, {"NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_DRIVER_VERSION", "__GL_SYNC_TO_VBLANK"}, kDriver);
  all(kept, {"VNC_ENABLE", "NOVNC_ENABLE", "KASMVNC_ENABLE", "CF_QUICK_TUNNELS", "DIRECT_ADDRESS", "SERVICEPORTAL", "SERVICEPORTAL_PORT_HOST", "SSH_PORT",
             "SSH_PORT_LOCAL", "SSH_PUBKEY", "PROVISIONING_SCRIPT", "PROVISIONING_SHA256", "WORKSPACE"},
      kServices);
  all(kept, {"PUID", "PGID", "UMASK", "USERNAME"}, kScript);
  all(gone, {"WORKSPACE_SYNC", "WORKSPACE_UID", "SKIP_ACL"}, kWorkspace, "false");
  all(gone, {"SYNCTHING_UI_PORT_HOST", "SYNCTHING_TRANSPORT_PORT_HOST"}, kSyncthing);
  all(gone, {"APP_NAME", "POD_USER", "BROKER_ENDPOINT"}, kBroker);
  table.push_back({"BROKER_COOKIE", gone, nullptr, kBroker, nullptr, true});
  all(gone, {"GPU_COUNT"}, N_("the GPUs are those that the container is given"));
  all(gone, {"SERVERLESS"}, N_("there is no such mode"), "false");
  all(gone, {"ACCEPT_NVIDIA_LICENSE"}, N_("nothing of NVIDIA's is installed at the start"));
  all(gone, {"SELKIES_VERSION"}, N_("the version is the image's"));
  all(gone, {"START_DOCKER"}, N_("there is no Docker in the image"), "false");
  all(gone, {"DEV_MODE"}, N_("an image is not changed while it runs; build one on it"), "false");
  all(gone, {"DISABLE_ZINK", "DISABLE_DRI3"}, kNoServerPaths, "true|1");
  all(kept, {"CHROME_FLAGS"}, N_("the image chromium"));
  all(kept, {"RCLONE_*"}, N_("rclone, if it is installed"));
  // Logins set the first everywhere, so it says nothing about who may come in.
  all(kept, {"USER", "TZ", "XAUTHORITY", "XDG_RUNTIME_DIR", "PIPEWIRE_LATENCY", "PULSE_LATENCY_MSEC", "LC_ALL", "DESKTOP_SESSION", "XDG_CURRENT_DESKTOP",
             "KWIN_COMPOSE", "KWIN_X11_NO_SYNC_TO_VBLANK", "GTK_IM_MODULE", "QT_IM_MODULE", "APPIMAGE_EXTRACT_AND_RUN"},
      kPrograms);
  all(kept, {"GST_DEBUG", "GSTREAMER_PATH"}, N_("GStreamer"));
  all(gone, {"SELKIES_DESKTOP", "PELORUS", "NO_DECOR", "NO_FULL", "HARDEN_DESKTOP", "HARDEN_OPENBOX", "HARDEN_KEYBINDS",
             "DISABLE_OPEN_TOOLS", "DISABLE_SUDO", "DISABLE_TERMINALS", "DISABLE_CLOSE_BUTTON", "DISABLE_MOUSE_BUTTONS"},
      kDesktop, "false");
  table.push_back({"RESTART_APP", part, "restart"});
  return table;
}

}  // namespace

const std::vector<AliasSpec>& image_aliases() {
  static const std::vector<AliasSpec> table = make_table();
  return table;
}

}  // namespace vitrine
