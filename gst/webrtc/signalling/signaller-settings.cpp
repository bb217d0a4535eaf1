// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of the settings of an external signalling server.
#include "webrtc/signalling/signaller-settings.h"

#include <glib.h>

#include <algorithm>
#include <memory>

#include "webrtc/signalling/demo-line.h"
#include "webrtc/turn/ice-url.h"

namespace vitrine {
namespace {

constexpr size_t kPlacesMax = 64;

std::string list_problem(const char* property, const std::vector<std::string>& ids) {
  if (ids.size() > kPlacesMax)
    return std::string(property) + ": more than " + std::to_string(kPlacesMax) + " names";
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!is_peer_id(ids[i]))
      return std::string(property) + ": name " + std::to_string(i + 1) + " has spaces or more than " + std::to_string(kPeerIdMax) + " characters";
    if (std::find(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(i), ids[i]) != ids.begin() + static_cast<std::ptrdiff_t>(i))
      return std::string(property) + ": '" + ids[i] + "' is there twice";
  }
  return "";
}

}  // namespace

std::string signaller_settings_problem(const SignallerSettings& settings) {
  if (settings.url.empty()) {
    const char* lone = !settings.peers.empty()      ? "signalling-peer"
                       : !settings.user.empty()     ? "signalling-user"
                       : !settings.password.empty() ? "signalling-password"
                       : !settings.ca_file.empty()  ? "signalling-ca-file"
                       : settings.control           ? "signalling-role"
                                                    : nullptr;
    return lone ? std::string(lone) + ": needs signalling-server too" : "";
  }
  const std::unique_ptr<GUri, decltype(&g_uri_unref)> uri(g_uri_parse(settings.url.c_str(), G_URI_FLAGS_HAS_PASSWORD, nullptr), g_uri_unref);
  const std::string scheme = uri ? g_uri_get_scheme(uri.get()) : "";
  if ((scheme != "ws" && scheme != "wss") || !g_uri_get_host(uri.get()) || !*g_uri_get_host(uri.get()))
    return "signalling-server: is no ws: or wss: address";
  if (g_uri_get_user(uri.get()))
    return "signalling-server: user and password belong in signalling-user and signalling-password";
  if (settings.user.empty() != settings.password.empty())
    return settings.user.empty() ? "signalling-password: needs signalling-user too" : "signalling-user: needs signalling-password too";
  if (settings.user.find(':') != std::string::npos)
    return "signalling-user: cannot hold a colon";
  const auto ids = split_list(settings.ids), peers = split_list(settings.peers);
  if (ids.empty())
    return "signalling-id: needs a name";
  for (const auto& problem : {list_problem("signalling-id", ids), list_problem("signalling-peer", peers)})
    if (!problem.empty())
      return problem;
  if (!peers.empty() && peers.size() != ids.size())
    return "signalling-peer: needs as many names as signalling-id";
  if (!settings.ca_file.empty() && !g_file_test(settings.ca_file.c_str(), G_FILE_TEST_IS_REGULAR))
    return "signalling-ca-file: '" + settings.ca_file + "' is no file";
  return "";
}

std::vector<SignallerPlace> signaller_places(const SignallerSettings& settings) {
  std::vector<SignallerPlace> places;
  if (settings.url.empty())
    return places;
  const auto ids = split_list(settings.ids), peers = split_list(settings.peers);
  for (size_t i = 0; i < ids.size(); ++i)
    places.push_back({ids[i], i < peers.size() ? peers[i] : ""});
  return places;
}

}  // namespace vitrine
