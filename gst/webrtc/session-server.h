// SPDX-License-Identifier: LGPL-2.1-or-later
// The session thread: port, HTTP, all viewers, and who of them holds control.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/ref.h"
#include "webrtc/accounts.h"
#include "webrtc/control-holder.h"
#include "webrtc/control-input.h"
#include "webrtc/http-server.h"
#include "webrtc/ice-io.h"
#include "webrtc/network-settings.h"
#include "webrtc/port-mux.h"
#include "webrtc/rate-director.h"
#include "webrtc/reaper.h"
#include "webrtc/reach-memory.h"
#include "webrtc/talk-output.h"
#include "webrtc/turn-forwarder.h"
#include "webrtc/turn/ice-server-store.h"
#include "webrtc/viewer.h"
#include "webrtc/signalling/external-signaller.h"
#include "webrtc/ws-lobby.h"

namespace vitrine {

struct ServerSettings {
  std::string listen_address;
  int port = 8080;
  bool require_auth = true;
  Accounts accounts;
  std::string web_root, public_address, tls_certificate, tls_key, title;
  bool udp = true, tcp = true;
  size_t max_viewers = 16;
  NetworkSettings network;
  FileSettings files;
  RateLimits rate{150e3, 8e6, 50e6};  // of one viewer, video
};

/// What the server needs from the bin. Called on the session's thread.
struct ServerHost {
  std::function<std::vector<std::shared_ptr<Fanout>>()> media;
  /// The pipeline's clock and base time; false while it is not playing.
  std::function<bool(Ref<GstClock>&, GstClockTime&)> clock;
  std::function<void(Ref<GstBuffer>)> control;
  /// What a viewer says, one Opus packet; and whether anybody listens to that at all. Called on any thread.
  std::function<void(Ref<GstBuffer>)> talk;
  std::function<bool()> takes_talk;
  std::function<void(const std::string& id)> viewer_connected;
  std::function<void(const std::string& id, const std::string& reason)> viewer_removed;
  /// A viewer can decode none of the streams. Whether one of these codecs is being added.
  std::function<bool(const std::vector<std::string>& codecs)> codec_request;
  /// So many viewers now use the stream on this pad.
  std::function<void(const std::string& pad, unsigned users)> stream_users;
  /// What the encoder behind this pad should make of its pictures now.
  std::function<void(const std::string& pad, const EncoderTarget& target)> encoder_target;
};

struct ServerStatistics {
  size_t viewers = 0, connected = 0;
  uint64_t input_records = 0, frames_sent = 0, frames_dropped = 0, bytes_sent = 0;
};

/// start(), stop() and the methods marked so may be called on any thread; the rest is bound to the session's thread.
class SessionServer {
 public:
  enum class StartError { none, in_use, address, certificate, network };

  SessionServer(ServerSettings settings, ServerHost host);
  ~SessionServer();
  SessionServer(const SessionServer&) = delete;
  SessionServer& operator=(const SessionServer&) = delete;

  /// Any thread. Opens the port and starts the threads.
  StartError start(std::string& error);
  /// Any thread but the session's. Tells all viewers and waits until everything has ended.
  void stop();
  /// Any thread. `to` empty: all viewers.
  void send_to_viewers(const std::string& json, const std::string& to);
  /// Any thread. A desktop element has just started.
  void desktop_ready();
  /// Any thread. Shows all viewers, also later ones, a text until another one on the same topic comes; an empty one ends it.
  void set_notice(const std::string& topic, const std::string& level, const std::string& text);
  /// Any thread. The pipeline starts anew: every viewer gets a new media connection.
  void restart_media();
  /// Any thread.
  void kick(const std::string& id, const std::string& reason);
  ServerStatistics statistics();  // any thread
  /// Any thread. What of `wanted` can change while the port is open, on top of `now`.
  static ServerSettings with_changes(ServerSettings now, const ServerSettings& wanted);
  /// Any thread but the session's. Goes over to settings that with_changes() made of the present ones; the certificate is read again even if its file has the
  /// same name. Viewers stay. False, with `error` naming a property and nothing changed, if they cannot be used.
  bool change(ServerSettings settings, std::string& error);

  // For Viewer, on the session's thread:
  const ServerSettings& settings() const { return settings_; }
  const ServerHost& host() const { return host_; }
  GMainContext* context() const { return context_.get(); }
  IceIo& ice() { return ice_; }
  Reaper& reaper() { return *reaper_; }
  const IceServerStore& ice_servers() const { return *ice_servers_; }
  TurnForwarders& turn_forwarders() { return turn_forwarders_; }
  ReachMemory& reach_memory() { return reach_memory_; }
  const std::shared_ptr<std::atomic<uint64_t>>& without_relay() const { return without_relay_; }
  void viewer_joined(Viewer& viewer);
  void viewer_ended(Viewer& viewer, const std::string& reason);
  void control_requested(Viewer& viewer);
  void control_released(Viewer& viewer);
  void control_answered(Viewer& viewer, const ControlAnswerMessage& answer);
  bool desktop_message(Viewer& viewer, const std::string& text);
  void microphone_asked(Viewer& viewer, bool on);
  const std::shared_ptr<TalkOutput>& talk_output() const { return talk_output_; }
  /// Somebody else watches the video stream that this viewer uses.
  bool shares_picture(const Viewer& viewer) const;

 private:
  void run();
  HttpSettings http_settings() const;
  static void load_plugins();
  void on_ice_servers_changed();
  void add_viewer(std::unique_ptr<ViewerChannel> channel, const ViewerRequest& request);
  void on_websocket(SoupWebsocketConnection* connection, const ViewerRequest& request);
  bool attach(Ref<SoupWebsocketConnection> connection, const Identity& identity, const std::string& token);
  void tick();
  /// 0: never.
  void set_tick(guint interval_ms);
  /// Tells the encoders what the viewers' paths carry.
  void direct_rates(int64_t now_us);
  /// Offers anew to viewers whose stream is gone or another now, and tells how many use each.
  void follow_streams();
  /// Tells all viewers when control has moved, and the new holder who still asks for it.
  void announce_holder();
  /// Tells the desktop elements who is there and who holds control, if that changed or they ask `again`.
  void announce_session(bool again = false);
  std::string holder_message(const Viewer& to);
  /// From now on this viewer is heard on the desktop; nobody if it is empty.
  void set_talker(const std::string& id);
  void ask_holder(const Viewer& asking);
  void broadcast(const std::string& json);
  Viewer* find(const std::string& id);
  /// The session that this viewer says was its own, and shows the token of.
  Viewer* find_resumed(const Viewer& viewer);
  std::string metrics();
  std::string latency_lines() const;
  std::string statistics_json() const;
  /// Runs `task` on the session's thread; with `wait`, until it has run.
  void post(std::function<void()> task, bool wait = false);

  ServerSettings settings_;
  const ServerHost host_;
  Ref<GMainContext> context_;
  Ref<GMainLoop> loop_;
  std::thread thread_;
  IceIo ice_;
  std::unique_ptr<IceServerStore> ice_servers_;
  std::unique_ptr<IceServerStore> next_ice_servers_;  // takes over once it knows what it has
  TurnForwarders turn_forwarders_;
  ReachMemory reach_memory_;
  const std::shared_ptr<std::atomic<uint64_t>> without_relay_ = std::make_shared<std::atomic<uint64_t>>(0);
  RateDirector rates_{[this](const std::string& pad, const EncoderTarget& target) { host_.encoder_target(pad, target); }};
  std::unique_ptr<Reaper> reaper_;
  std::unique_ptr<PortMux> port_;
  std::unique_ptr<HttpServer> http_;
  std::shared_ptr<ControlOutput> control_output_;
  std::shared_ptr<TalkOutput> talk_output_;
  std::string talker_;  // holds control, or is empty
  ControlHolder control_;
  std::unique_ptr<WsLobby> lobby_;
  std::vector<std::unique_ptr<ExternalSignaller>> signallers_;
  std::string announced_holder_;
  std::string announced_session_;
  std::vector<std::unique_ptr<Viewer>> viewers_;
  std::vector<std::unique_ptr<Viewer>> ended_;  // until no callback of theirs can be on the stack
  Ref<GSource> tick_source_;
  guint tick_ms_ = 0;
  Ref<GTlsCertificate> certificate_;
  uint64_t viewers_total_ = 0;
  std::map<std::string, std::string> notices_;  // JSON by topic
  std::map<std::string, unsigned> users_;       // of streams by pad, as told
};

}  // namespace vitrine
