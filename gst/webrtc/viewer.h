// SPDX-License-Identifier: LGPL-2.1-or-later
// One viewer's session: its messages, its peer connection (docs/protocol.md, section 2).
#pragma once

#include <libsoup/soup.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ref.h"
#include "webrtc/control-input.h"
#include "webrtc/http-server.h"
#include "webrtc/keyframe-budget.h"
#include "webrtc/latency/latency-meter.h"
#include "webrtc/message.h"
#include "webrtc/peer.h"
#include "webrtc/viewer-channel.h"
#include "webrtc/ws-media.h"

namespace vitrine {

class SessionServer;

/// What one transport of a viewer has carried.
struct Traffic {
  std::string name;  // "udp", "tcp", "relay", "websocket", …
  bool connected = false;
  uint64_t bytes = 0, packets = 0, packets_dropped = 0;
  OutletStatistics video;
  size_t unacknowledged_bytes = 0;
};

/// Bound to the session's thread. Owned by SessionServer, which removes it after close().
class Viewer {
 public:
  static constexpr double kMessagesPerSecond = 200, kMessagesBurst = 400;
  static constexpr int64_t kHelloUs = 10'000'000;      // to say hello in
  static constexpr int64_t kMediaUs = 20'000'000;      // for the pipeline to have something to show
  static constexpr int64_t kConnectUs = 30'000'000;    // from the offer to the connection
  static constexpr int64_t kSilenceUs = 30'000'000;    // nothing on ICE: the browser has gone elsewhere
  static constexpr int64_t kRenegotiateUs = 1'000'000;
  static constexpr int64_t kLiteUs = 600'000;          // from the answer until something must have come to the shared port
  static constexpr int64_t kStalledUs = 1'000'000;    // frames go out by WebRTC and nothing comes back
  static constexpr int64_t kDeadUs = 3'000'000;       // the same, and media goes by WebSocket
  static constexpr int64_t kLeavingUs = 5'000'000;    // that the old connection stays, if the new one shows no picture
  static constexpr int64_t kFramesUs = 200'000;      // between messages about frames
  static constexpr int64_t kCodecUs = 1'000'000;      // between requests for a stream that it can decode

  Viewer(SessionServer& server, std::unique_ptr<ViewerChannel> channel, const ViewerRequest& request,
         std::shared_ptr<ControlOutput> control);
  ~Viewer();
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  const ViewerRequest& request() const { return request_; }
  /// Who shows this is the same viewer, come back by another connection.
  const std::string& resume_token() const { return resume_token_; }
  const std::string& resumes() const { return hello_.resume; }
  bool said_hello() const { return said_hello_; }
  const Peer* peer() const { return peer_.get(); }
  /// Of the way that its video goes now; null while none does.
  std::shared_ptr<ViewerRate> rate() const;
  /// Of every way that it has, also one that nothing goes by now.
  void set_limits();
  /// Null unless media goes by WebSocket.
  const WsMedia* ws() const { return ws_.get(); }
  /// What its media socket has to name.
  const std::string& token() const { return token_; }
  bool may_attach() const { return welcomed_ && !closed_ && offers_websocket(); }
  /// Of the transports that it has now.
  std::vector<Traffic> traffic() const;
  /// Media goes by this socket from now on.
  void attach(Ref<SoupWebsocketConnection> connection);
  /// Offers anew if its streams are gone or others now.
  void follow(const std::vector<std::shared_ptr<Fanout>>& media);
  bool uses(const Fanout& fanout) const;
  /// Its page is visible and shows it, or is about to.
  bool watches(const Fanout& fanout) const;
  /// Whether it may be heard on the desktop, once it holds control.
  bool may_talk() const;
  uint64_t input_records() const { return input_->records(); }
  const LatencyMeter& latency() const { return latency_; }

  void send(const std::string& json);
  /// Says why, and ends the session. `retry` false: coming back is useless.
  void refuse(const char* code, const std::string& message, bool retry);
  /// Ends the session without an error (the server stops, or the viewer said bye).
  void close(gushort websocket_code, const std::string& reason);
  /// Tears the media connection down and offers a new one. Not to be called from a peer's callback.
  /// With `gently` the newest connection that is up goes on until the new one is.
  void offer_again(const char* why, bool gently = false);
  /// Other STUN and TURN servers or credentials hold from now on.
  void tell_ice_servers();
  /// Deadlines. To be called now and then.
  void tick(int64_t now_us);

 private:
  void on_text(std::string_view text);
  void on_binary(std::span<const uint8_t> bytes);
  void handle(const HelloMessage& hello);
  void handle(const AnswerMessage& answer);
  void handle(const PingMessage& ping);
  void handle(const RenegotiateMessage& renegotiate);
  void handle_message(const ViewerMessage& message);
  void resolve_host();
  void try_offer(int64_t now_us);
  using Media = std::vector<std::pair<std::shared_ptr<Fanout>, MediaInfo>>;
  /// What a viewer that plays these can play: audio, and the first video stream of one of them.
  struct Choice {
    Media media;
    bool playable = false;  // there is something for it, or nothing but sound
    bool unknown = false;   // a stream has not said yet what it is
    std::string others;     // codecs that it does not play
  };
  Choice choose_media(const std::vector<std::string>& codecs) const;
  bool offers_webrtc() const;
  bool offers_websocket() const;
  void welcome(const Media& media);
  /// Starts or restarts media by WebSocket, once the pipeline can.
  void try_ws(int64_t now_us);
  void tick_transports(int64_t now_us);
  /// Tells the viewer of the frames that went out, for it to measure latency.
  void tell_frames(int64_t now_us);
  void start_peer(Media media);
  /// It needs a keyframe of this stream; it gets one as often as its budget allows.
  void picture_lost(const std::shared_ptr<Fanout>& stream);
  void tick_keyframes(int64_t now_us);
  /// A page that is shown again costs a keyframe too.
  void follow_visible(int64_t now_us);
  KeyframeFacts keyframe_facts(const Fanout& stream) const;
  RateLimits rate_limits() const;
  void add_ice_servers(MessageWriter& message) const;
  /// Offers anew if the connection was made with servers that do not hold any more, and runs through one of them.
  void renew_relayed();
  /// By libnice, or by the shared port?
  bool wants_nice() const;
  std::unique_ptr<PeerNetwork> make_network();
  void on_peer_failed(const std::string& reason);
  void input_refused(const char* reason);

  SessionServer& server_;
  const std::unique_ptr<ViewerChannel> channel_;
  const ViewerRequest request_;
  const std::string id_, resume_token_;
  std::string name_;
  HelloMessage hello_;
  const std::shared_ptr<FrameLog> frames_ = std::make_shared<FrameLog>();
  LatencyMeter latency_;
  std::optional<RemoteOffer> remote_offer_;  // what it offered itself
  std::shared_ptr<ViewerInput> input_;
  std::shared_ptr<Viewer*> self_;  // what asynchronous callbacks hold; set to null by the destructor
  std::unique_ptr<Peer> peer_, leaving_;  // leaving_ goes when peer_ shows a picture
  std::unique_ptr<WsMedia> ws_;
  std::vector<std::unique_ptr<WsMedia>> ended_ws_;  // until no callback of theirs can be on the stack
  const std::string token_;
  bool wants_ws_ = false, told_stalled_ = false, peer_failed_ = false;
  int64_t connected_us_ = 0, sent_changed_us_ = 0;
  uint64_t sent_seen_ = 0;
  Ref<GCancellable> resolving_;
  std::vector<std::string> resolved_;
  TokenBucket messages_{kMessagesPerSecond, kMessagesBurst};
  KeyframeBudget keyframes_;
  std::shared_ptr<Fanout> lost_;  // the stream that keyframes_ is asked about
  bool said_hello_ = false, welcomed_ = false, wants_offer_ = false, wants_visible_ = true, visible_ = true, closed_ = false;
  int64_t opened_us_ = 0, hello_us_ = 0, told_frames_us_ = 0, offered_us_ = 0, renegotiated_us_ = 0, codec_asked_us_ = 0;
  int64_t offer_id_ = 0, answered_us_ = 0;
  bool lite_failed_ = false, servers_changed_ = false;  // since peer_ was made
};

}  // namespace vitrine
