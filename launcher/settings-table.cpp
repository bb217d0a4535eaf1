// SPDX-License-Identifier: LGPL-2.1-or-later
// The table of all options, and what their values may be.
#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "settings.h"
#include "text.h"

namespace vitrine {

// A row: name, variable, kind, argument in --help, default, help, then of numbers least and most, then the property of webrtcsignallerbin
// that takes the value. A secret, and a URL that may hold one, needs a row NAME-file after it. docs/environment.md, man page and completion are made from this.
const std::vector<OptionSpec>& option_table() {
  static const std::vector<OptionSpec> table = {
      {"config", "VITRINE_CONFIG", OptionKind::file, "FILE", nullptr,
       N_("read settings from this file too; it wins over /etc/vitrine/vitrine.conf and ~/.config/vitrine/vitrine.conf")},
      {"virtual", "VITRINE_VIRTUAL", OptionKind::optional_size, "WIDTHxHEIGHT", nullptr,
       N_("start a private X server of this size; done by itself when there is no $DISPLAY")},
      {"size", "VITRINE_SIZE", OptionKind::size, "WIDTHxHEIGHT", "1920x1080",
       N_("size of the private X server, where --virtual gives none")},
      {"dpi", "VITRINE_DPI", OptionKind::number, "NUMBER", "96", N_("dots per inch of the private X server"), 48, 480},
      {"display", "VITRINE_DISPLAY", OptionKind::text, "NAME", nullptr, N_("stream this X display instead of $DISPLAY")},
      {"command", "VITRINE_COMMAND", OptionKind::text, "LINE", nullptr,
       N_("what /bin/sh runs on the display when no COMMAND is given after --")},
      {"restart", "VITRINE_RESTART", OptionKind::choice, "never|on-crash|always", "on-crash",
       N_("when COMMAND is started again: after a crash (a signal such as SIGSEGV or SIGKILL, or the loss of its display), or after "
          "every end; until that happens again and again")},
      {"wait-for-file", "VITRINE_WAIT_FOR_FILE", OptionKind::file, "FILE", nullptr,
       N_("start once this file is there, which some other program makes when it is ready")},
      {"port", "VITRINE_PORT", OptionKind::number, "NUMBER", "8080", N_("the one port, TCP and UDP"), 1, 65535, "port"},
      {"listen", "VITRINE_LISTEN", OptionKind::text, "ADDRESS", nullptr, N_("IP address to listen on instead of all"), 0, 0,
       "listen-address"},
      {"user", "VITRINE_USER", OptionKind::text, "NAME", "user", N_("user name that goes with the password")},
      {"password", "VITRINE_PASSWORD", OptionKind::secret, nullptr, nullptr,
       N_("the password; without any a one-time one is made and printed")},
      {"password-file", "VITRINE_PASSWORD_FILE", OptionKind::file, "FILE", nullptr, N_("file whose first line is the password")},
      {"accounts-file", "VITRINE_ACCOUNTS_FILE", OptionKind::file, "FILE", nullptr,
       N_("more accounts, a line each: name:password-or-crypt-hash:control|view")},
      {"no-auth", "VITRINE_NO_AUTH", OptionKind::flag, nullptr, nullptr, N_("let everybody in who reaches the port")},
      {"profile", "VITRINE_PROFILE", OptionKind::text, "NAME|FILE", "auto", N_("how to capture and encode; auto takes what is best here, measured once beside the first session or by 'vitrine probe'")},
      {"probe", "VITRINE_PROBE", OptionKind::choice, "calm|now|off", "calm",
       N_("when to find out, beside the first session, which encoder is best: once the machine has little to do, at once, or never")},
      {"framerate", "VITRINE_FRAMERATE", OptionKind::number, "FPS", "60", N_("pictures per second at most"), 1, 240},
      {"bitrate", "VITRINE_BITRATE", OptionKind::number, "KBIT", "8000", N_("video bitrate in kbit/s"), 100, 1000000},
      {"congestion-control", "VITRINE_CONGESTION_CONTROL", OptionKind::choice, "desktop|gcc|off", nullptr,
       N_("how the bitrate follows what the network carries: made for desktops, as for cameras, or not at all"), 0, 0, "congestion-control"},
      {"chroma", "VITRINE_CHROMA", OptionKind::choice, "420|444", "420",
       N_("colour resolution: a quarter of the picture's (4:2:0), or all of it (4:4:4), where coloured text stays sharp, for more bits "
          "and time; browsers that do not decode that get VP8")},
      {"no-audio", "VITRINE_NO_AUDIO", OptionKind::flag, nullptr, nullptr, N_("no sound")},
      {"sound-server", "VITRINE_SOUND_SERVER", OptionKind::choice, "auto|private|shared", "auto",
       N_("what programs play to: a private sound server where the display is private and none answers, always a private one, or none of ours")},
      {"no-microphone", "VITRINE_NO_MICROPHONE", OptionKind::flag, nullptr, nullptr,
       N_("no microphone on the desktop: else who holds control may speak, once asked by his browser")},
      {"gamepads", "VITRINE_GAMEPADS", OptionKind::choice, "auto|uinput|preload|off", "auto",
       N_("how programs see the viewer's gamepads: as devices of the kernel through /dev/uinput, by a library that COMMAND is started "
          "with, which needs no privilege, or not at all; auto is uinput where programs would see its devices, else preload")},
      {"clipboard", "VITRINE_CLIPBOARD", OptionKind::choice, "both|in|out|off", "both",
       N_("which way the clipboard is shared: in is from viewers to the desktop")},
      {"clipboard-limit", "VITRINE_CLIPBOARD_LIMIT", OptionKind::number, "MIB", "32", N_("how large what is copied may be, in MiB"), 1, 256},
      {"primary-selection", "VITRINE_PRIMARY_SELECTION", OptionKind::flag, nullptr, nullptr,
       N_("share what is selected too, not only what is copied")},
      {"cursor", "VITRINE_CURSOR", OptionKind::choice, "viewer|picture", "viewer",
       N_("who draws the pointer: the viewer's browser, without any delay, or it is part of the picture")},
      {"resize", "VITRINE_RESIZE", OptionKind::choice, "auto|on|off", "auto",
       N_("whether the display takes the size of the viewer's window: where it has no monitor, always, or never")},
      {"max-size", "VITRINE_MAX_SIZE", OptionKind::size, "WIDTHxHEIGHT", "3840x2400", N_("size of the display at most")},
      {"upload-folder", "VITRINE_UPLOAD_FOLDER", OptionKind::file, "FOLDER", nullptr,
       N_("take files that are dropped on the page, and put them here; made if it is not there"), 0, 0, "upload-folder"},
      {"upload-limit", "VITRINE_UPLOAD_LIMIT", OptionKind::number, "MIB", nullptr, N_("how large such a file may be, in MiB (4096 by default)"), 1,
       16777216, "upload-limit"},
      {"download-folder", "VITRINE_DOWNLOAD_FOLDER", OptionKind::file, "FOLDER", nullptr,
       N_("offer the files in this folder on the page; made if it is not there"), 0, 0, "download-folder"},
      {"title", "VITRINE_TITLE", OptionKind::text, "TEXT", "Vitrine", N_("name of the session, shown by the page"), 0, 0, "title"},
      {"max-viewers", "VITRINE_MAX_VIEWERS", OptionKind::number, "NUMBER", "16", N_("viewers at the same time"), 1, 1000,
       "max-viewers"},
      {"public-address", "VITRINE_PUBLIC_ADDRESS", OptionKind::text, "HOST[:PORT]", nullptr,
       N_("where browsers reach the media port, if not where they reach the page"), 0, 0, "public-address"},
      {"tls-cert", "VITRINE_TLS_CERT", OptionKind::file, "FILE", nullptr, N_("PEM certificate: https instead of http"), 0, 0,
       "tls-certificate"},
      {"tls-key", "VITRINE_TLS_KEY", OptionKind::file, "FILE", nullptr, N_("PEM key that goes with it"), 0, 0, "tls-key"},
      {"no-udp", "VITRINE_NO_UDP", OptionKind::flag, nullptr, nullptr, N_("media by TCP alone")},
      {"transport", "VITRINE_TRANSPORT", OptionKind::choice, "auto|webrtc|websocket", nullptr,
       N_("what carries the picture: WebRTC, WebSocket, or what works"), 0, 0, "transport"},
      {"ice-mode", "VITRINE_ICE_MODE", OptionKind::choice, "auto|lite|nice", nullptr,
       N_("how media reaches viewers: by the one port (lite), by ports of libnice with STUN and TURN (nice), or what works"), 0, 0,
       "ice-mode"},
      {"ice-transport-policy", "VITRINE_ICE_TRANSPORT_POLICY", OptionKind::choice, "all|relay", nullptr,
       N_("which paths media may take: every one, or TURN servers only"), 0, 0, "ice-transport-policy"},
      {"stun-server", "VITRINE_STUN_SERVER", OptionKind::text, "HOST[:PORT],…", nullptr, N_("STUN servers"), 0, 0, "stun-server"},
      {"turn-servers", "VITRINE_TURN_SERVERS", OptionKind::text, "URL,…", nullptr,
       N_("TURN servers, turn: or turns: URLs without user and password"), 0, 0, "turn-servers"},
      {"turn-user", "VITRINE_TURN_USER", OptionKind::text, "NAME", nullptr, N_("user name for the TURN servers"), 0, 0, "turn-user"},
      {"turn-password", "VITRINE_TURN_PASSWORD", OptionKind::secret, nullptr, nullptr, N_("password for the TURN servers"), 0, 0,
       "turn-password"},
      {"turn-password-file", "VITRINE_TURN_PASSWORD_FILE", OptionKind::file, "FILE", nullptr,
       N_("file whose first line is the password for the TURN servers")},
      {"turn-shared-secret", "VITRINE_TURN_SHARED_SECRET", OptionKind::secret, nullptr, nullptr,
       N_("secret shared with the TURN servers, for credentials that last a limited time"), 0, 0, "turn-shared-secret"},
      {"turn-shared-secret-file", "VITRINE_TURN_SHARED_SECRET_FILE", OptionKind::file, "FILE", nullptr,
       N_("file whose first line is the secret shared with the TURN servers")},
      {"turn-lifetime", "VITRINE_TURN_LIFETIME", OptionKind::number, "SECONDS", nullptr,
       N_("how long credentials made from the shared secret last"), 60, 604800, "turn-lifetime"},
      {"turn-rest-uri", "VITRINE_TURN_REST_URI", OptionKind::text, "URL", nullptr,
       N_("http or https address that answers with STUN and TURN servers and their credentials"), 0, 0, "turn-rest-uri"},
      {"turn-rest-uri-file", "VITRINE_TURN_REST_URI_FILE", OptionKind::file, "FILE", nullptr,
       N_("file whose first line is that address, for one with a password or a key in it")},
      {"turn-rest-user", "VITRINE_TURN_REST_USER", OptionKind::text, "NAME", nullptr, N_("user name that this address is told"), 0, 0,
       "turn-rest-user"},
      {"turn-rest-protocol", "VITRINE_TURN_REST_PROTOCOL", OptionKind::choice, "udp|tcp", nullptr,
       N_("which kind of TURN server this address is asked for"), 0, 0, "turn-rest-protocol"},
      {"turn-rest-tls", "VITRINE_TURN_REST_TLS", OptionKind::flag, nullptr, nullptr, N_("ask this address for TURN over TLS"), 0, 0,
       "turn-rest-tls"},
      {"rtc-config-file", "VITRINE_RTC_CONFIG_FILE", OptionKind::file, "FILE", nullptr,
       N_("JSON file with iceServers, taken over whenever it changes"), 0, 0, "rtc-config-file"},
      {"turn-ca-file", "VITRINE_TURN_CA_FILE", OptionKind::file, "FILE", nullptr,
       N_("PEM file with the authorities that vouch for TURN servers and the address above, instead of the system's"), 0, 0,
       "turn-ca-file"},
      {"base-path", "VITRINE_BASE_PATH", OptionKind::text, "PATH", nullptr,
       N_("path under which a proxy passes requests on, like /desk"), 0, 0, "base-path"},
      {"trusted-proxies", "VITRINE_TRUSTED_PROXIES", OptionKind::text, "NETWORK,…", nullptr,
       N_("proxies whose word on who asks is believed: addresses and networks"), 0, 0, "trusted-proxies"},
      {"signalling-server", "VITRINE_SIGNALLING_SERVER", OptionKind::text, "URL", nullptr,
       N_("ws or wss address of a signalling server, by which viewers can come too"), 0, 0, "signalling-server"},
      {"signalling-id", "VITRINE_SIGNALLING_ID", OptionKind::text, "NAME,…", nullptr,
       N_("names of this desktop there; each serves one viewer at a time"), 0, 0, "signalling-id"},
      {"signalling-peer", "VITRINE_SIGNALLING_PEER", OptionKind::text, "NAME,…", nullptr,
       N_("whom each of these names calls, instead of waiting to be called"), 0, 0, "signalling-peer"},
      {"signalling-role", "VITRINE_SIGNALLING_ROLE", OptionKind::choice, "view|control", nullptr,
       N_("what viewers that come by the signalling server may do"), 0, 0, "signalling-role"},
      {"signalling-user", "VITRINE_SIGNALLING_USER", OptionKind::text, "NAME", nullptr, N_("user name for the signalling server"), 0, 0,
       "signalling-user"},
      {"signalling-password", "VITRINE_SIGNALLING_PASSWORD", OptionKind::secret, nullptr, nullptr, N_("password for the signalling server"),
       0, 0, "signalling-password"},
      {"signalling-password-file", "VITRINE_SIGNALLING_PASSWORD_FILE", OptionKind::file, "FILE", nullptr,
       N_("file whose first line is the password for the signalling server")},
      {"signalling-ca-file", "VITRINE_SIGNALLING_CA_FILE", OptionKind::file, "FILE", nullptr,
       N_("PEM file with the authorities that vouch for the signalling server, instead of the system's"), 0, 0, "signalling-ca-file"},
      {"allowed-origins", "VITRINE_ALLOWED_ORIGINS", OptionKind::text, "ORIGIN,…", nullptr,
       N_("other sites whose pages may watch by WHEP or use 'vitrine signalling', like https://desk.example; * for all"), 0, 0,
       "allowed-origins"},
      {"log-level", "VITRINE_LOG_LEVEL", OptionKind::choice, "error|warning|info|debug", "info",
       N_("which lines are written: those of this level and worse; debug has what Vitrine's GStreamer elements do too")},
      {"log-format", "VITRINE_LOG_FORMAT", OptionKind::choice, "text|json", "text",
       N_("lines for people, or one JSON object per line")},
      {"print-config", nullptr, OptionKind::flag, nullptr, nullptr, N_("show each setting and where it came from")},
      {"json", nullptr, OptionKind::flag, nullptr, nullptr, N_("print the report of 'vitrine probe' as JSON")},
      {"help", nullptr, OptionKind::flag, nullptr, nullptr, N_("show this text")},
      {"version", nullptr, OptionKind::flag, nullptr, nullptr, N_("show the versions of Vitrine, its plugins and GStreamer")},
  };
  return table;
}

bool changes_live(const OptionSpec& option) {
  static const char* const names[] = {
      "user", "password", "password-file", "accounts-file", "framerate", "bitrate", "upload-limit", "title", "max-viewers", "public-address",
      "tls-cert", "tls-key", "transport", "ice-mode", "ice-transport-policy", "stun-server", "turn-servers", "turn-user", "turn-password",
      "turn-password-file", "turn-shared-secret", "turn-shared-secret-file", "turn-lifetime", "turn-rest-uri", "turn-rest-uri-file",
      "turn-rest-user", "turn-rest-protocol", "turn-rest-tls", "rtc-config-file", "trusted-proxies", "log-level", "log-format"};
  return std::find(std::begin(names), std::end(names), std::string(option.name)) != std::end(names);
}

const OptionSpec* find_option(const std::string& name) {
  for (const auto& option : option_table())
    if (name == option.name)
      return &option;
  return nullptr;
}

const OptionSpec* file_option(const OptionSpec& option) { return find_option(std::string(option.name) + "-file"); }

std::optional<long> parse_number(const std::string& text) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::strtol(text.c_str(), nullptr, 10);
}

bool is_service_link(const std::string& text) { return text.starts_with("tcp://") || text.starts_with("udp://") || text.starts_with("sctp://"); }

std::optional<bool> parse_flag(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes")
    return true;
  if (text == "false" || text == "0" || text == "no")
    return false;
  return std::nullopt;
}

std::optional<Size> parse_size(const std::string& text) {
  const size_t cross = text.find('x');
  if (cross == std::string::npos)
    return std::nullopt;
  const auto width = parse_number(text.substr(0, cross)), height = parse_number(text.substr(cross + 1));
  if (!width || !height || *width < 16 || *height < 16 || *width > 16384 || *height > 16384)
    return std::nullopt;
  return Size{static_cast<int>(*width), static_cast<int>(*height)};
}

std::vector<std::string> choices_of(const OptionSpec& option) {
  std::vector<std::string> choices;
  std::string rest = option.kind == OptionKind::choice ? option.argument : "";
  for (size_t bar = 0; !rest.empty(); rest = bar == std::string::npos ? "" : rest.substr(bar + 1)) {
    bar = rest.find('|');
    choices.push_back(rest.substr(0, bar));
  }
  return choices;
}

std::string value_problem(const OptionSpec& option, const std::string& value) {
  switch (option.kind) {
    case OptionKind::number:
      if (const auto number = parse_number(value); !number || *number < option.min || *number > option.max)
        return "'" + value + "' " + _("is not a number from") + " " + std::to_string(option.min) + " " + _("to") + " " +
               std::to_string(option.max);
      break;
    case OptionKind::flag:
      if (!parse_flag(value))
        return "'" + value + "' " + _("is neither true nor false");
      break;
    case OptionKind::size:
    case OptionKind::optional_size:
      if (!(option.kind == OptionKind::optional_size && parse_flag(value)) && !parse_size(value))
        return "'" + value + "' " + _("is not a size like 1920x1080");
      break;
    case OptionKind::choice: {
      bool known = false;
      for (const auto& choice : choices_of(option))
        known = known || choice == value;
      if (!known)
        return "'" + value + "' " + _("is none of") + " " + option.argument;
      break;
    }
    case OptionKind::text:
    case OptionKind::file:
    case OptionKind::secret:
      if (value.empty())
        return _("needs a value");
  }
  return "";
}

std::string shown_value(const OptionSpec& option, const std::string& value) {
  if (option.kind == OptionKind::secret)
    return "***";
  const size_t scheme = value.find("://"), end = scheme == std::string::npos ? scheme : value.find_first_of("/?#", scheme + 3);
  if (scheme == std::string::npos)
    return value;
  std::string shown = value;
  if (const size_t query = value.find('?', scheme); query != std::string::npos)
    shown.replace(query + 1, value.find_first_of("# ", query) - query - 1, "***");
  if (const size_t at = value.substr(0, end).rfind('@'); at != std::string::npos && at > scheme)
    shown.replace(scheme + 3, at - scheme - 3, "***");
  return shown;
}

}  // namespace vitrine
