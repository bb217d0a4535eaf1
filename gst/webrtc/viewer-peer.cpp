// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer's peer connection: candidates, network, STUN and TURN servers, and what becomes of it.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "webrtc/candidates.h"
#include "webrtc/debug.h"
#include "webrtc/session-server.h"
#include "webrtc/viewer.h"

namespace vitrine {
namespace {

/// Chromium shows frames at once with playout-delay 0/0; Firefox has been seen to freeze with it.
bool takes_playout_delay(const std::string& user_agent) {
  return user_agent.find("Chrome/") != std::string::npos || user_agent.find("Chromium/") != std::string::npos;
}

bool is_loopback(const std::string& ip) { return ip.starts_with("127.") || ip == "::1"; }

/// IPs of this machine's interfaces that are up, but loopback.
std::vector<std::string> interface_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0)
    return addresses;
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    char text[INET6_ADDRSTRLEN] = "";
    if (!item->ifa_addr || !(item->ifa_flags & IFF_UP) || (item->ifa_flags & IFF_LOOPBACK))
      continue;
    if (item->ifa_addr->sa_family == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(item->ifa_addr)->sin_addr, text, sizeof text);
    else if (item->ifa_addr->sa_family == AF_INET6)
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(item->ifa_addr)->sin6_addr, text, sizeof text);
    if (*text)
      addresses.emplace_back(text);
  }
  freeifaddrs(list);
  return addresses;
}

}  // namespace

void Viewer::resolve_host() {
  const auto host = parse_host_port(request_.host);
  if (!host || !server_.settings().public_address.empty() || is_ip_literal(host->host) || host->host == "localhost")
    return;
  resolving_ = Ref<GCancellable>::adopt(g_cancellable_new());
  auto resolver = Ref<GResolver>::adopt(g_resolver_get_default());
  g_resolver_lookup_by_name_async(
      resolver.get(), host->host.c_str(), resolving_.get(),
      [](GObject* source, GAsyncResult* result, gpointer data) {
        std::unique_ptr<std::shared_ptr<Viewer*>> held(static_cast<std::shared_ptr<Viewer*>*>(data));
        GList* addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(source), result, nullptr);
        if (Viewer* self = **held) {
          for (GList* item = addresses; item; item = item->next) {
            GCharPtr ip(g_inet_address_to_string(G_INET_ADDRESS(item->data)));
            self->resolved_.push_back(ip.get());
          }
          self->resolving_.reset();
          self->try_offer(g_get_monotonic_time());
        }
        g_resolver_free_addresses(addresses);
      },
      new std::shared_ptr<Viewer*>(self_));
}

void Viewer::start_peer(Media media) {
  const auto& settings = server_.settings();
  CandidateInputs inputs;
  inputs.public_address = settings.public_address;
  inputs.host_header = request_.host;
  inputs.local_address = request_.local_address;
  // How whoever comes by an external signalling server could reach us is not known: by any of our addresses.
  if (request_.external)
    inputs.local_address = settings.listen_address.empty() ? "127.0.0.1" : settings.listen_address;
  // With a listen-address of its own the server answers on no other.
  if (is_loopback(inputs.local_address) && settings.listen_address.empty())
    inputs.other_addresses = interface_addresses();
  inputs.resolved = resolved_;
  inputs.port = settings.port;
  inputs.default_http_port = request_.secure ? 443 : 80;
  inputs.udp = settings.udp;
  inputs.tcp = settings.tcp;

  PeerSettings peer;
  peer.name = id_;
  peer.media = std::move(media);
  server_.host().clock(peer.clock, peer.base_time);
  peer.playout_delay = takes_playout_delay(request_.user_agent);
  peer.candidates = make_candidates(inputs);
  peer.network = make_network();
  peer.microphone = may_talk();
  peer.frames = frames_;
  peer.offer = remote_offer_;
  peer.one_stream = remote_offer_ && !request_.external;
  peer.rate = rate_limits();

  PeerCallbacks callbacks;
  callbacks.described = [this](const std::string& sdp) {
    MessageWriter message(remote_offer_ ? "answer" : "offer");
    message.number("id", static_cast<double>(offer_id_)).text("sdp", sdp);
    add_ice_servers(message);
    send(message.finish());
  };
  callbacks.connected = [this] {
    const int64_t now_us = g_get_monotonic_time();
    GST_INFO("viewer %s: media connected by %s after %" G_GINT64_FORMAT " ms", id_.c_str(),
             to_string(peer_->ice_statistics().path), (now_us - offered_us_) / 1000);
    offered_us_ = 0;
    connected_us_ = now_us;
    told_stalled_ = false;
    if (peer_->network().lite())
      server_.reach_memory().reached(request_.remote_address);
    server_.host().viewer_connected(id_);
  };
  callbacks.failed = [this, id = offer_id_](const std::string& reason) {
    if (id == offer_id_)  // else it was the one that is leaving
      on_peer_failed(reason);
  };
  callbacks.picture_lost = [this](const auto& video) { picture_lost(video); };
  callbacks.input = [input = input_, self = self_, context = server_.context()](GBytes* message) {
    gsize size = 0;
    const auto* data = static_cast<const uint8_t*>(g_bytes_get_data(message, &size));
    const char* reason = input->message({data, size});
    if (!reason)
      return;
    using Refusal = std::pair<std::shared_ptr<Viewer*>, const char*>;
    g_main_context_invoke_full(
        context, G_PRIORITY_DEFAULT,
        [](gpointer refusal) -> gboolean {
          auto* call = static_cast<Refusal*>(refusal);
          if (Viewer* viewer = *call->first)
            viewer->input_refused(call->second);
          return G_SOURCE_REMOVE;
        },
        new Refusal(self, reason), [](gpointer refusal) { delete static_cast<Refusal*>(refusal); });
  };
  callbacks.talk = [talk = server_.talk_output(), id = id_](std::span<const uint8_t> packet) { talk->push(id, packet); };
  offered_us_ = g_get_monotonic_time();
  answered_us_ = 0;
  servers_changed_ = false;
  peer_ = std::make_unique<Peer>(server_.reaper(), server_.context(), std::move(peer), std::move(callbacks));
  peer_->set_visible(visible_);
  std::string error;
  if (!peer_->start(error))
    refuse("internal", error, false);
}

bool Viewer::wants_nice() const {
  const auto& network = server_.settings().network;
  if (network.ice_mode != IceMode::automatic)
    return network.ice_mode == IceMode::nice;
  // Behind an external server we need not be reachable, and plain players take no second offer.
  return network.turn.any() && (request_.external || !hello_.renegotiates || lite_failed_ || server_.reach_memory().unreachable(request_.remote_address, g_get_monotonic_time()));
}

std::unique_ptr<PeerNetwork> Viewer::make_network() {
  const int64_t id = ++offer_id_;
  if (!wants_nice())
    return new_lite_network(server_.ice(), server_.context());
  NiceSettings nice;
  nice.configuration = server_.ice_servers().for_name("vitrine");
  nice.forwarders = &server_.turn_forwarders();
  nice.without_relay = server_.without_relay();
  nice.candidate = [self = self_, id, context = server_.context()](guint media_index, const std::string& candidate) {
    struct Found {
      std::shared_ptr<Viewer*> viewer;
      int64_t id;
      guint media_index;
      std::string candidate;
    };
    g_main_context_invoke_full(
        context, G_PRIORITY_DEFAULT,
        [](gpointer data) -> gboolean {
          const auto* found = static_cast<Found*>(data);
          if (Viewer* viewer = *found->viewer; viewer && viewer->peer_ && viewer->offer_id_ == found->id)
            viewer->send(MessageWriter("candidate")
                             .text("candidate", found->candidate)
                             .text("mid", viewer->peer_->mid_of(found->media_index))
                             .finish());
          return G_SOURCE_REMOVE;
        },
        new Found{self, id, media_index, candidate}, [](gpointer data) { delete static_cast<Found*>(data); });
  };
  return new_nice_network(std::move(nice));
}

void Viewer::add_ice_servers(MessageWriter& message) const {
  const auto configuration = server_.ice_servers().for_name(request_.identity.account);
  message.raw("iceServers", ice_servers_json(configuration)).text("iceTransportPolicy", configuration.relay_only ? "relay" : "all");
}

void Viewer::tell_ice_servers() {
  MessageWriter message("ice-servers");
  add_ice_servers(message);
  send(message.finish());
  servers_changed_ = true;  // see tick()
}

void Viewer::renew_relayed() {
  if (!servers_changed_ || !peer_ || !hello_.renegotiates)
    return;
  const IcePath path = peer_->connected() ? peer_->ice_statistics().path : IcePath::none;
  // How it will run is not known yet. One that takes another's place need not be waited for.
  if (path == IcePath::none && (peer_->connected() || !leaving_))
    return;
  servers_changed_ = false;
  // An allocation lives on the credentials that it was made with; a new connection is made with the new ones.
  if (path == IcePath::none || path == IcePath::relay)
    offer_again("the TURN credentials change", true);
}

void Viewer::on_peer_failed(const std::string& reason) {
  GST_WARNING("viewer %s: media connection failed: %s", id_.c_str(), reason.c_str());
  if (!peer_ || !peer_->network().lite())
    server_.reach_memory().reached(request_.remote_address);  // nothing was gained by not trying it
  if (!offers_websocket()) {
    refuse("internal", reason, true);
    return;
  }
  // The session goes on without it; the viewer asks for another one when it wants to. Deleted in tick(): we are in its callback.
  offered_us_ = 0;
  peer_failed_ = true;
}

}  // namespace vitrine
