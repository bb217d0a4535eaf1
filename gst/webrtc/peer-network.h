// SPDX-License-Identifier: LGPL-2.1-or-later
// How a peer connection reaches the network: by the one shared port (lite), or by libnice with STUN and TURN (nice).
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/ref.h"
#include "webrtc/ice-endpoint.h"
#include "webrtc/turn/rtc-configuration.h"

namespace vitrine {

class IceIo;
class TurnForwarders;

/// Bound to the session's thread but where said otherwise.
class PeerNetwork {
 public:
  virtual ~PeerNetwork() = default;

  /// A new webrtcbin that uses this network; floating. Null if there is no such element.
  virtual GstElement* make_webrtcbin() = 0;
  /// Whether the other side does all the checks, and the candidates are those of the offer.
  virtual bool lite() const = 0;
  /// A candidate of the browser.
  virtual void add_candidate(guint media_index, const std::string& candidate) = 0;
  /// The connection is up.
  virtual void connected() {}
  virtual IceStatistics statistics() const = 0;
  virtual int64_t last_received_us() const = 0;
  /// Whether the browser has been heard at all yet.
  virtual bool heard() const = 0;
  /// Tells how many bytes wait in this process; may be called on any thread, and after the network is gone.
  virtual std::function<size_t()> backlog() const = 0;
  /// The pad where packets leave webrtcbin; null until webrtcbin has made its transport.
  virtual Ref<GstPad> output() const = 0;
  /// Where the path can be asked: from now on it is, and `watch` hears of it.
  virtual void watch_echoes(EchoWatch) {}
  /// Cuts webrtcbin off from the network.
  virtual void close() = 0;
};

/// `io` and `context`, the session's, must outlive it.
std::unique_ptr<PeerNetwork> new_lite_network(IceIo& io, GMainContext* context);

struct NiceSettings {
  RtcConfiguration configuration;
  TurnForwarders* forwarders = nullptr;  // outlives the network
  std::shared_ptr<std::atomic<uint64_t>> without_relay;  // counts connections that no TURN server gave a relay
  /// A candidate of ours, on webrtcbin's thread; an empty one when there are no more.
  std::function<void(guint media_index, const std::string& candidate)> candidate;
};
std::unique_ptr<PeerNetwork> new_nice_network(NiceSettings settings);

}  // namespace vitrine
