// SPDX-License-Identifier: LGPL-2.1-or-later
// How viewers reach the server: ICE, STUN and TURN, proxies. Pure.
#pragma once

#include <string>

#include "webrtc/forwarded.h"
#include "webrtc/signalling/signaller-settings.h"
#include "webrtc/turn/turn-settings.h"

namespace vitrine {

enum class IceMode {
  automatic,  // the shared port first, libnice when that does not connect and servers are known
  lite,       // the shared port only
  nice,       // libnice only
};

enum class TransportChoice {
  automatic,  // what works: WebRTC if it does, else WebSocket
  webrtc,     // WebRTC only
  websocket,  // WebSocket only
};

struct NetworkSettings {
  TransportChoice transport = TransportChoice::automatic;
  IceMode ice_mode = IceMode::automatic;
  TurnSettings turn;
  std::string base_path;        // "" or "/a/b"
  std::string trusted_proxies;  // list of addresses and networks
  std::string allowed_origins;  // list of other sites whose pages may watch by WHEP
  SignallerSettings signaller;
};

/// Brings base_path into its one form. What is wrong, naming the property; empty if nothing.
std::string network_settings_problem(NetworkSettings& settings);

}  // namespace vitrine
