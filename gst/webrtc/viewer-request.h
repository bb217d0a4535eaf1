// SPDX-License-Identifier: LGPL-2.1-or-later
// Who comes to watch, as far as the request says.
#pragma once

#include <string>

#include "webrtc/accounts.h"

namespace vitrine {

/// What is known about a viewer from its WebSocket request.
struct ViewerRequest {
  Identity identity;
  std::string host;           // by which the page was reached: Host header, or what a trusted proxy says of it
  std::string user_agent;
  std::string remote_address; // IP; behind a trusted proxy the one that it names
  std::string local_address;  // IP on which the request arrived
  bool secure = false;        // https, here or at a trusted proxy
  bool external = false;      // by an external signalling server: host and address are not known
};

}  // namespace vitrine
