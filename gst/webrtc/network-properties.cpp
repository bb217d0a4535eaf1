// SPDX-License-Identifier: LGPL-2.1-or-later
// One table of the network properties.
#include "webrtc/network-properties.h"

#include <gst/gst.h>

namespace vitrine {
namespace {

GType ice_mode_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(IceMode::automatic), "The one port; ports of libnice, with STUN and TURN, when it cannot be reached", "auto"},
      {static_cast<int>(IceMode::lite), "The one port only", "lite"},
      {static_cast<int>(IceMode::nice), "Ports of libnice, with STUN and TURN", "nice"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstWebRTCSignallerBinIceMode", values);
  return type;
}

GType transport_get_type() {
  static const GEnumValue values[] = {
      {static_cast<int>(TransportChoice::automatic), "WebRTC, and WebSocket where that does not work", "auto"},
      {static_cast<int>(TransportChoice::webrtc), "WebRTC only", "webrtc"},
      {static_cast<int>(TransportChoice::websocket), "WebSocket only", "websocket"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstWebRTCSignallerBinTransport", values);
  return type;
}

GType ice_policy_get_type() {
  static const GEnumValue values[] = {{0, "Every path", "all"}, {1, "TURN servers only", "relay"}, {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstWebRTCSignallerBinIceTransportPolicy", values);
  return type;
}

GType signalling_role_get_type() {
  static const GEnumValue values[] = {
      {0, "They look", "view"}, {1, "They can take control, as the role control of an account", "control"}, {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstWebRTCSignallerBinSignallingRole", values);
  return type;
}

struct Text {
  const char* name;
  const char* nick;
  const char* blurb;
  std::string& (*member)(NetworkSettings&);
  bool secret = false;  // can be set, but not read: graphs of a pipeline show what can be read
};
#define MEMBER(path) [](NetworkSettings& s) -> std::string& { return s.path; }
constexpr Text kTexts[] = {
    {"stun-server", "STUN server", "List of STUN servers, host[:port] or stun: URLs, separated by commas", MEMBER(turn.stun_servers)},
    {"turn-servers", "TURN servers",
     "List of TURN servers, turn: or turns: URLs without user and password, separated by commas", MEMBER(turn.turn_servers)},
    {"turn-user", "TURN user", "User name for turn-servers, with turn-password", MEMBER(turn.user)},
    {"turn-password", "TURN password", "Password for turn-servers", MEMBER(turn.password), true},
    {"turn-shared-secret", "TURN shared secret",
     "Secret shared with turn-servers, for time-limited credentials (coturn: use-auth-secret)", MEMBER(turn.shared_secret), true},
    {"turn-rest-uri", "TURN REST address",
     "http: or https: address that answers with an RTC configuration; its user and password go into an Authorization header",
     MEMBER(turn.rest_uri), true},
    {"turn-rest-user", "TURN REST user", "User name that turn-rest-uri is told", MEMBER(turn.rest_user)},
    {"turn-rest-protocol", "TURN REST protocol", "udp or tcp: what turn-rest-uri is asked for", MEMBER(turn.rest_protocol)},
    {"rtc-config-file", "RTC configuration file",
     "JSON file with iceServers, taken over whenever it changes; a broken one keeps the last good one", MEMBER(turn.rtc_config_file)},
    {"turn-ca-file", "TURN certificate authorities",
     "PEM file with the authorities that vouch for turns: servers and turn-rest-uri (NULL = the system's)", MEMBER(turn.tls_ca_file)},
    {"base-path", "Base path", "Path under which a proxy passes requests on, like /desk (NULL = /)", MEMBER(base_path)},
    {"trusted-proxies", "Trusted proxies",
     "Addresses and networks of proxies whose X-Forwarded-For, -Proto, -Host and -Port headers are believed, separated by commas",
     MEMBER(trusted_proxies)},
    {"allowed-origins", "Allowed origins",
     "Other sites whose pages may watch by WHEP, like https://wall.example, separated by commas; * for all (NULL = none)", MEMBER(allowed_origins)},
    {"signalling-server", "Signalling server",
     "ws: or wss: address of an external signalling server that speaks the protocol of GStreamer's WebRTC demos (NULL = none)", MEMBER(signaller.url)},
    {"signalling-id", "Signalling id",
     "List of names under which to register there, separated by commas; each serves one viewer at a time", MEMBER(signaller.ids)},
    {"signalling-peer", "Signalling peer", "List of names to call, one for each of signalling-id (NULL = wait to be called)",
     MEMBER(signaller.peers)},
    {"signalling-user", "Signalling user", "User name that goes with signalling-password", MEMBER(signaller.user)},
    {"signalling-password", "Signalling password", "Password for signalling-server", MEMBER(signaller.password), true},
    {"signalling-ca-file", "Signalling certificate authorities",
     "PEM file with the authorities that vouch for signalling-server (NULL = the system's)", MEMBER(signaller.ca_file)},
};
#undef MEMBER
constexpr guint kFirstOther = G_N_ELEMENTS(kTexts);
enum Other : guint { kIceMode = kFirstOther, kPolicy, kLifetime, kRestTls, kTransport, kSignallingRole };

}  // namespace

void install_network_properties(GObjectClass* klass, guint first, GParamFlags flags) {
  NetworkSettings initial;
  for (guint i = 0; i < kFirstOther; ++i) {
    const Text& text = kTexts[i];
    const std::string value = text.member(initial);
    g_object_class_install_property(
        klass, first + i,
        g_param_spec_string(text.name, text.nick, text.blurb, value.empty() ? nullptr : value.c_str(),
                            text.secret ? GParamFlags(flags & ~G_PARAM_READABLE) : flags));
  }
  g_object_class_install_property(klass, first + kIceMode,
                                  g_param_spec_enum("ice-mode", "ICE mode", "How media reaches viewers", ice_mode_get_type(),
                                                    static_cast<int>(IceMode::automatic), flags));
  g_object_class_install_property(
      klass, first + kPolicy,
      g_param_spec_enum("ice-transport-policy", "ICE transport policy", "Which paths media may take", ice_policy_get_type(), 0, flags));
  g_object_class_install_property(
      klass, first + kLifetime,
      g_param_spec_uint("turn-lifetime", "TURN lifetime", "Seconds for which credentials made from turn-shared-secret are good",
                        kTurnLifetimeMin, kTurnLifetimeMax, kTurnLifetimeDefault, flags));
  g_object_class_install_property(
      klass, first + kRestTls,
      g_param_spec_boolean("turn-rest-tls", "TURN REST TLS", "Whether turn-rest-uri is asked for turns: servers", FALSE, flags));
  g_object_class_install_property(
      klass, first + kTransport,
      g_param_spec_enum("transport", "Transport", "What carries the picture to viewers", transport_get_type(),
                        static_cast<int>(TransportChoice::automatic), flags));
  g_object_class_install_property(klass, first + kSignallingRole,
                                  g_param_spec_enum("signalling-role", "Signalling role", "What viewers that come by signalling-server may do",
                                                    signalling_role_get_type(), 0, flags));
  gst_type_mark_as_plugin_api(signalling_role_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(transport_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(ice_mode_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(ice_policy_get_type(), GstPluginAPIFlags(0));
}

bool set_network_property(NetworkSettings& settings, guint index, const GValue* value) {
  if (index < kFirstOther) {
    const char* text = g_value_get_string(value);
    kTexts[index].member(settings) = text ? text : "";
    return true;
  }
  switch (index) {
    case kIceMode:
      settings.ice_mode = static_cast<IceMode>(g_value_get_enum(value));
      return true;
    case kPolicy:
      settings.turn.relay_only = g_value_get_enum(value) == 1;
      return true;
    case kLifetime:
      settings.turn.lifetime_s = g_value_get_uint(value);
      return true;
    case kRestTls:
      settings.turn.rest_tls = g_value_get_boolean(value);
      return true;
    case kTransport:
      settings.transport = static_cast<TransportChoice>(g_value_get_enum(value));
      return true;
    case kSignallingRole:
      settings.signaller.control = g_value_get_enum(value) == 1;
      return true;
    default:
      return false;
  }
}

bool get_network_property(const NetworkSettings& settings, guint index, GValue* value) {
  if (index < kFirstOther) {
    const std::string& text = kTexts[index].member(const_cast<NetworkSettings&>(settings));
    g_value_set_string(value, text.empty() ? nullptr : text.c_str());
    return true;
  }
  switch (index) {
    case kIceMode:
      g_value_set_enum(value, static_cast<int>(settings.ice_mode));
      return true;
    case kPolicy:
      g_value_set_enum(value, settings.turn.relay_only ? 1 : 0);
      return true;
    case kLifetime:
      g_value_set_uint(value, static_cast<guint>(settings.turn.lifetime_s));
      return true;
    case kRestTls:
      g_value_set_boolean(value, settings.turn.rest_tls);
      return true;
    case kTransport:
      g_value_set_enum(value, static_cast<int>(settings.transport));
      return true;
    case kSignallingRole:
      g_value_set_enum(value, settings.signaller.control ? 1 : 0);
      return true;
    default:
      return false;
  }
}

}  // namespace vitrine
