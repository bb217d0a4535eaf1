// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts for people.
#include "report.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/random.h>

#include <cstdio>
#include <map>

#include "common/ref.h"
#include "log.h"
#include "text.h"
#include "vitrine-config.h"

GST_DEBUG_CATEGORY(vitrine_debug);

namespace vitrine {
namespace {

std::string first_address() {
  std::string found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0)
    return found;
  for (const ifaddrs* item = list; item && found.empty(); item = item->ifa_next) {
    if (!item->ifa_addr || item->ifa_addr->sa_family != AF_INET || !(item->ifa_flags & IFF_UP) || (item->ifa_flags & IFF_LOOPBACK))
      continue;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(item->ifa_addr)->sin_addr, text, sizeof text);
    found = text;
  }
  freeifaddrs(list);
  return found;
}

/// Which exit status a pipeline error stands for, by who posted it and why.
int status_of(const GError* error, const std::string& source) {
  if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY))
    return kExitPort;
  if (g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    return kExitMissing;
  if (error->domain == GST_RESOURCE_ERROR && (source == "capture" || source == "input" || source == "desktop"))
    return kExitDisplay;
  if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS))
    return kExitUsage;
  return kExitFailure;
}

}  // namespace

int complain(int status, const std::string& what) {
  log_line(LogLevel::error, what);
  return status;
}

int complain_about(GstMessage* message, const std::string& display, bool is_private) {
  ErrorSlot error;
  char* text = nullptr;
  gst_message_parse_error(message, error.out(), &text);
  const GCharPtr debug(text);
  const std::string source = GST_OBJECT_NAME(GST_MESSAGE_SRC(message));
  GST_INFO("error from %s: %s (%s)", source.c_str(), error.message(), debug ? debug.get() : "");
  const int status = status_of(error.get(), source);
  std::string what = error.message();
  if (what.ends_with("."))
    what.pop_back();
  if (status == kExitPort) {
    what += std::string("; ") + _("choose another with --port");
  } else if (status == kExitDisplay) {
    const char* environment = g_getenv("DISPLAY");
    const std::string shown = !display.empty() ? display : environment ? environment : "";
    if (what.find(shown) == std::string::npos)
      what += " (" + shown + ")";
    what += is_private ? std::string(_(": the private X server has ended"))
                       : std::string("; ") + _("name another with --display, or start one with --virtual");
  } else if (status == kExitFailure && debug) {
    // Stock elements say "Internal data stream error" here and the reason there.
    std::string reason = debug.get();
    what += ": " + reason.substr(reason.rfind('\n') == std::string::npos ? 0 : reason.rfind('\n') + 1);
  }
  return complain(status, what);
}

std::string version_text() {
  const GCharPtr gstreamer(gst_version_string());
  std::string out = "vitrine " VITRINE_VERSION " (" + std::string(gstreamer.get()) + ")\n";
  // By package, so that a plugin that is added is shown too.
  GList* plugins = gst_registry_get_plugin_list(gst_registry_get());
  std::map<std::string, std::string> ours;
  for (GList* item = plugins; item; item = item->next) {
    auto* plugin = GST_PLUGIN(item->data);
    const char* package = gst_plugin_get_package(plugin);
    const char* file = gst_plugin_get_filename(plugin);
    if (package && g_ascii_strcasecmp(package, "vitrine") == 0)
      ours[gst_plugin_get_name(plugin)] = std::string(gst_plugin_get_version(plugin)) + (file ? std::string("  ") + file : "");
  }
  gst_plugin_list_free(plugins);
  for (const auto& [name, about] : ours)
    out += "  " + name + " " + about + "\n";
  if (ours.empty())
    out += std::string("  ") + _("no plugin of Vitrine is found; is its folder in GST_PLUGIN_PATH?") + "\n";
  return out;
}

std::string make_one_time_password() {
  // Letters and digits that are not mistaken for one another: 31 of them, 16 times, is 79 bits.
  static constexpr char kAlphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";
  static constexpr unsigned kLetters = sizeof kAlphabet - 1, kFair = 256 / kLetters * kLetters;
  std::string password;
  while (password.size() < 19) {
    unsigned char byte = 0;
    // What is beyond a multiple would make some letters more likely than others.
    if (getrandom(&byte, 1, 0) != 1 || byte >= kFair)
      continue;
    password += kAlphabet[byte % kLetters];
    if (password.size() % 5 == 4 && password.size() < 19)
      password += '-';
  }
  return password;
}

void print_where(const Settings& settings, const std::string& one_time_password) {
  const char* scheme = settings.has("tls-cert") ? "https" : "http";
  const std::string listen = settings.text("listen");
  const auto print = [](const char* label, const std::string& value) { std::printf("%-10s %s\n", label, value.c_str()); };
  const auto url = [&](const std::string& host) {
    const bool bare = host.find(':') == std::string::npos;
    return std::string(scheme) + "://" + (bare ? host : "[" + host + "]") + ":" + settings.text("port") + "/";
  };
  const bool open = settings.flag("no-auth");
  const bool all = listen.empty() || listen == "0.0.0.0" || listen == "::";
  if (log_format() == LogFormat::json) {
    std::printf("{\"url\":%s,\"user\":%s%s}\n", json_string(url(all ? "localhost" : listen)).c_str(),
                open ? "null" : json_string(settings.text("user")).c_str(),
                one_time_password.empty() ? "" : (",\"one_time_password\":" + json_string(one_time_password)).c_str());
    std::fflush(stdout);
    return;
  }
  print(_("Open"), url(all ? "localhost" : listen));
  if (const std::string address = all ? first_address() : ""; !address.empty())
    print(_("or"), url(address));
  if (open) {
    std::printf("%s\n", _("Everybody who reaches this port may see and control the desktop."));
  } else if (settings.has("password") || settings.has("password-file") || !one_time_password.empty()) {
    print(_("User"), settings.text("user"));
    if (!one_time_password.empty())
      print(_("Password"), one_time_password + "  " + _("(for this session)"));
  }
  std::fflush(stdout);
}

}  // namespace vitrine
