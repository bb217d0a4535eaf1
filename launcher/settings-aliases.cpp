// SPDX-License-Identifier: LGPL-2.1-or-later
// Turning variables of other systems into options.
#include "settings-aliases.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "settings.h"
#include "text.h"

namespace vitrine {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Booleans of selkies: "true", "True", "true|locked".
std::optional<bool> their_flag(const std::string& text) { return parse_flag(lower(text.substr(0, text.find('|')))); }

bool is_harmless(const AliasSpec& alias, const std::string& value) {
  return alias.harmless && ("|" + lower(alias.harmless) + "|").find("|" + lower(value) + "|") != std::string::npos;
}

std::string profile_of(const std::string& encoder) {
  static const std::map<std::string, std::string> profiles = {
      {"x264enc", "software-h264"}, {"openh264enc", "software-h264"}, {"h264enc", "auto"}, {"h264enc-striped", "software-h264"},
      {"x265enc", "software-h265"}, {"vp8enc", "software-vp8"}, {"vp9enc", "software-vp9"}, {"av1enc", "software-av1"},
      {"svtav1enc", "software-av1"}, {"rav1enc", "software-av1"},
  };
  const auto found = profiles.find(encoder);
  if (found != profiles.end())
    return found->second;
  // Those of GPUs: whichever GPU is there, and software where there is none.
  return encoder.starts_with("nv") || encoder.starts_with("va") || encoder.starts_with("qsv") ? "auto" : "";
}

/// What the profile does not keep of what was asked for; empty if it keeps all.
std::string lost_with(const std::string& encoder, const std::string& profile) {
  if (encoder == "openh264enc")
    return _("the profile takes x264enc where it is installed; one of your own can name this encoder");
  if (profile == "auto" && encoder.find("h264") == std::string::npos)
    return _("the GPU is used, but its codec is what works best with the viewers' browsers; a profile of your own can name one");
  return "";
}

class Adoption {
 public:
  Adoption(const std::function<const char*(const char*)>& environment, std::vector<std::string>& warnings)
      : environment_(environment), warnings_(warnings) {}

  std::vector<AliasValue> run() {
    for (const auto& alias : alias_table())
      if (const char* value = environment_(alias.name))
        take(alias, value);
    compose_size();
    compose_tls();
    compose_turn();
    compose_stun();
    compose_signalling();
    compose_wait();
    compose_files();
    if (const auto [value, source] = first({"RESTART_APP"}); !value.empty() && their_flag(value) == true)
      put("restart", "always", source);
    return std::move(out_);
  }

 private:
  struct Given {
    std::string value, source;
  };

  void warn(const std::string& what) { warnings_.push_back(what); }

  /// The first that is given for an option counts.
  void put(const std::string& option, const std::string& value, const std::string& source) {
    if (std::none_of(out_.begin(), out_.end(), [&](const AliasValue& other) { return other.option == option; }))
      out_.push_back({option, value, source});
  }

  Given first(std::initializer_list<const char*> names) const {
    for (const char* name : names)
      if (const char* value = environment_(name); value && !is_service_link(value))
        return {value, name};
    return {};
  }

  void take(const AliasSpec& alias, const std::string& value) {
    const std::string name = alias.name;
    switch (alias.rule) {
      case AliasRule::same:
        if (!is_harmless(alias, value))
          put(alias.option, value, name);
        break;
      case AliasRule::flag:
      case AliasRule::inverse:
        if (const auto flag = their_flag(value))
          put(alias.option, *flag != (alias.rule == AliasRule::inverse) ? "true" : "false", name);
        else
          warn(name + ": '" + value + "' " + _("is neither true nor false") + "; " + _("ignored"));
        break;
      case AliasRule::number:
        take_number(alias, value);
        break;
      case AliasRule::address:
        put(alias.option, value == "localhost" ? "127.0.0.1" : value, name);
        break;
      case AliasRule::encoder: {
        const std::string encoder = lower(value.substr(0, value.find(',')));
        if (const std::string profile = profile_of(encoder); !profile.empty()) {
          put(alias.option, profile, name);
          if (const std::string lost = lost_with(encoder, profile); !lost.empty())
            warn(name + ": '" + encoder + "': " + lost);
        } else
          warn(name + ": " + _("no profile has the encoder") + " '" + encoder + "'; " + _("see vitrine profiles and VITRINE_PROFILE"));
        break;
      }
      case AliasRule::gone:
        if (!is_harmless(alias, value))
          warn(name + ": " + _("does nothing here:") + " " + _(alias.note));
        break;
      case AliasRule::words: {
        const std::string words = std::string("|") + alias.note + "|";
        const size_t found = words.find("|" + lower(value) + "=");
        if (found == std::string::npos || value.find_first_of("|=") != std::string::npos) {
          warn(name + ": '" + value + "' " + _("is none of") + " " + alias.note + "; " + _("ignored"));
          break;
        }
        const size_t start = words.find('=', found) + 1;
        put(alias.option, words.substr(start, words.find('|', start) - start), name);
        break;
      }
      case AliasRule::part:
      case AliasRule::kept:
        break;
    }
  }

  void take_number(const AliasSpec& alias, const std::string& value) {
    if (is_service_link(value)) {
      warn(std::string(alias.name) + ": " + _("was set by Kubernetes for a Service of that name; ignored"));
      return;
    }
    const std::string start = value.substr(0, value.find(','));
    const size_t dash = start.find('-', 1);
    // "8-240" allows a range and says no value; "60-60" is one.
    if (dash == std::string::npos)
      put(alias.option, start, alias.name);
    else if (start.substr(0, dash) == start.substr(dash + 1))
      put(alias.option, start.substr(0, dash), alias.name);
  }

  void compose_size() {
    const Given width = first({"DISPLAY_SIZEW", "SIZEW", "DISPLAY_WIDTH", "SELKIES_MANUAL_WIDTH"});
    const Given height = first({"DISPLAY_SIZEH", "SIZEH", "DISPLAY_HEIGHT", "SELKIES_MANUAL_HEIGHT"});
    const bool manual = width.value == "0" || height.value == "0";  // selkies' way to say "not set"
    if (manual || (width.value.empty() && height.value.empty()))
      return;
    put("size", (width.value.empty() ? "1920" : width.value) + "x" + (height.value.empty() ? "1080" : height.value),
        width.value.empty() ? height.source : width.source);
  }

  void compose_tls() {
    const Given enable = first({"SELKIES_ENABLE_HTTPS", "ENABLE_HTTPS_WEB"});
    if (their_flag(enable.value) != true)
      return;
    const Given cert = first({"SELKIES_HTTPS_CERT", "HTTPS_WEB_CERT"}), key = first({"SELKIES_HTTPS_KEY", "HTTPS_WEB_KEY"});
    put("tls-cert", cert.value.empty() ? "/etc/ssl/certs/ssl-cert-snakeoil.pem" : cert.value,
        cert.value.empty() ? enable.source : cert.source);
    // A certificate alone holds its key.
    put("tls-key", !key.value.empty() ? key.value : cert.value.empty() ? "/etc/ssl/private/ssl-cert-snakeoil.key" : cert.value,
        key.value.empty() ? enable.source : key.source);
  }

  void compose_turn() {
    const Given host = first({"SELKIES_TURN_HOST", "TURN_HOST"}), port = first({"SELKIES_TURN_PORT", "TURN_PORT"});
    const Given protocol = first({"SELKIES_TURN_PROTOCOL", "TURN_PROTOCOL"}), tls = first({"SELKIES_TURN_TLS", "TURN_TLS"});
    const bool secure = their_flag(tls.value) == true, tcp = lower(protocol.value) == "tcp";
    if (first({"SELKIES_TURN_REST_URI", "COTURN_WEB_URI"}).source.size()) {
      if (!protocol.value.empty())
        put("turn-rest-protocol", lower(protocol.value), protocol.source);
      if (secure)
        put("turn-rest-tls", "true", tls.source);
      return;
    }
    if (host.value.empty()) {
      // What they say of ports is not obeyed by the one port, so firewalls would be opened in vain.
      for (const char* name : {"SELKIES_TURN_PORT", "TURN_PORT", "SELKIES_TURN_PROTOCOL", "TURN_PROTOCOL", "TURN_MIN_PORT", "TURN_MAX_PORT"})
        if (!first({name}).source.empty())
          warn(std::string(name) + ": " + _("ignored without TURN_HOST: media goes by the one port"));
      return;
    }
    const Given user = first({"SELKIES_TURN_USERNAME", "TURN_USERNAME"}), password = first({"SELKIES_TURN_PASSWORD", "TURN_PASSWORD"});
    const Given secret = first({"SELKIES_TURN_SHARED_SECRET", "TURN_SHARED_SECRET"});
    if (!user.value.empty() && !password.value.empty()) {
      put("turn-user", user.value, user.source);
      put("turn-password", password.value, password.source);
    } else if (!secret.value.empty()) {
      put("turn-shared-secret", secret.value, secret.source);
    } else {
      warn(host.source + ": " + _("ignored, since there is neither a shared secret nor a user name with a password"));
      return;
    }
    put("turn-servers", std::string(secure ? "turns:" : "turn:") + host.value + (port.value.empty() ? "" : ":" + port.value) +
                            (tcp || secure ? "?transport=tcp" : "?transport=udp"),
        host.source);
  }

  void compose_stun() {
    const Given host = first({"SELKIES_STUN_HOST", "STUN_HOST"}), port = first({"SELKIES_STUN_PORT", "STUN_PORT"});
    if (!host.value.empty())
      put("stun-server", host.value + (port.value.empty() ? "" : ":" + port.value), host.source);
  }

  void compose_signalling() {
    const Given server = first({"SIGNALLING_SERVER"});
    if (server.value.empty())
      return;
    put("signalling-server", server.value, server.source);
    // The names in that system: its video server calls its page.
    put("signalling-id", "0", server.source);
    put("signalling-peer", "1", server.source);
  }

  void compose_wait() {
    const Given wait = first({"SELKIES_APP_WAIT_READY"}), start = first({"APP_AUTO_INIT"});
    const bool waits = !wait.value.empty() ? their_flag(wait.value) == true : their_flag(start.value) == false;
    const Given file = first({"SELKIES_APP_READY_FILE", "APP_READY_FILE"});
    if (waits)
      put("wait-for-file",
          !file.value.empty()    ? file.value
          : !wait.value.empty() ? "/tmp/selkies-appready"
                                : "/var/run/appconfig/appready",
          wait.value.empty() ? start.source : wait.source);
  }

  /// Both ways through one folder there; off unless one of the variables asks for it.
  void compose_files() {
    const Given folder = first({"FILE_MANAGER_PATH", "SELKIES_FILE_MANAGER_PATH"}), ways = first({"SELKIES_FILE_TRANSFERS"});
    const std::string& source = folder.value.empty() ? ways.source : folder.source;
    if (source.empty())
      return;
    std::string path = folder.value.empty() ? "~/Desktop" : folder.value;
    if (path.starts_with("~/"))
      path = first({"HOME"}).value + path.substr(1);
    if (!path.starts_with("/")) {
      warn(source + ": " + _("is no absolute path") + "; " + _("ignored"));
      return;
    }
    const bool said = !ways.source.empty();
    const std::string list = "," + lower(ways.value.substr(0, ways.value.find('|'))) + ",";
    if (!said || list.find(",upload,") != std::string::npos)
      put("upload-folder", path, source);
    if (!said || list.find(",download,") != std::string::npos)
      put("download-folder", path, source);
  }

  const std::function<const char*(const char*)>& environment_;
  std::vector<std::string>& warnings_;
  std::vector<AliasValue> out_;
};

}  // namespace

const std::vector<AliasSpec>& alias_table() {
  static const std::vector<AliasSpec> table = [] {
    // Images put their own in front of a server's.
    std::vector<AliasSpec> all = image_aliases();
    all.insert(all.end(), server_aliases().begin(), server_aliases().end());
    // But the server's own password is the more telling one.
    std::stable_partition(all.begin(), all.end(), [](const AliasSpec& alias) { return std::string(alias.name).find("BASIC_AUTH") != std::string::npos; });
    return all;
  }();
  return table;
}

std::vector<AliasValue> adopt_aliases(const std::function<const char*(const char*)>& environment, std::vector<std::string>& warnings) {
  return Adoption(environment, warnings).run();
}

}  // namespace vitrine
