// SPDX-License-Identifier: LGPL-2.1-or-later
// An external signalling server: where it is and who we are there. Pure.
#pragma once

#include <string>
#include <vector>

namespace vitrine {

struct SignallerSettings {
  std::string url;             // ws: or wss:; empty: none
  std::string ids = "vitrine"; // list: each id serves one viewer at a time
  std::string peers;           // list: whom each id calls; empty: it waits to be called
  std::string user, password;  // HTTP Basic
  std::string ca_file;         // PEM: who may vouch for wss: servers, in place of the system's
  bool control = false;        // whether those who come that way may control; else they look
};

/// One registration.
struct SignallerPlace {
  std::string id, peer;  // peer empty: waits to be called
};

/// What is wrong, naming the property and never a credential; empty if nothing.
std::string signaller_settings_problem(const SignallerSettings& settings);
/// The registrations of settings without a problem.
std::vector<SignallerPlace> signaller_places(const SignallerSettings& settings);

}  // namespace vitrine
