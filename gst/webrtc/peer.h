// SPDX-License-Identifier: LGPL-2.1-or-later
// One peer connection: a pipeline of its own (same clock and base time as the bin's) with payloaders and a webrtcbin.
#pragma once

#include <gst/gst.h>
#include <gst/webrtc/webrtc.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ref.h"
#include "webrtc/fanout.h"
#include "webrtc/hold-meter.h"
#include "webrtc/message.h"
#include "webrtc/outlet.h"
#include "webrtc/peer-network.h"
#include "webrtc/peer-rate.h"
#include "webrtc/peer-talk.h"
#include "webrtc/reaper.h"
#include "webrtc/sdp-offer.h"
#include "webrtc/sdp.h"

namespace vitrine {

struct PeerSettings {
  std::string name;  // for logs and element names
  std::vector<std::pair<std::shared_ptr<Fanout>, MediaInfo>> media;
  Ref<GstClock> clock;
  GstClockTime base_time = 0;
  bool playout_delay = false;            // the browser is known to take playout-delay 0/0
  std::vector<std::string> candidates;   // attributes for the offer, of a lite network
  std::unique_ptr<PeerNetwork> network;
  std::optional<RemoteOffer> offer;      // of the browser's: is answered, in place of an offer of ours
  bool one_stream = false;               // picture and sound belong together, as WHEP has it, though the browser then waits with one for the other
  bool microphone = false;               // the browser may send sound
  RateLimits rate;
  std::shared_ptr<FrameLog> frames;  // is told of video
};

struct PeerCallbacks {
  // On the session's thread:
  std::function<void(const std::string& sdp)> described;  // our offer, or our answer to PeerSettings::offer
  std::function<void()> connected;  // DTLS is up and the browser's certificate is the one its answer named
  std::function<void(const std::string& reason)> failed;
  std::function<void(const std::shared_ptr<Fanout>& video)> picture_lost;  // the browser needs a keyframe
  // On any thread, after `connected`:
  std::function<void(GBytes* message)> input;
  TalkSink talk;
};

/// Bound to the session's thread.
class Peer {
 public:
  /// Candidates of the browser's that are looked at.
  static constexpr size_t kCandidatesMax = 100;

  /// `context` is the session's; `reaper` and `context` must outlive the peer.
  Peer(Reaper& reaper, GMainContext* context, PeerSettings settings, PeerCallbacks callbacks);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// There is a payloader for it. Thread-safe.
  static bool can_send(const std::string& codec);
  /// Builds the pipeline and asks for an offer or an answer. False, with `error` set, when an element is missing or nothing fits the offer.
  bool start(std::string& error);
  enum class Answer { taken, malformed, codec };
  /// The browser's answer. If it is not taken, `error` says why.
  Answer set_answer(const std::string& sdp, std::string& error);
  /// A candidate of the browser's.
  void add_candidate(const CandidateMessage& candidate);
  /// The mid of a media section of the offer.
  std::string mid_of(guint media_index) const;
  const PeerNetwork& network() const { return *settings_.network; }
  bool answered() const { return answered_; }
  /// Hidden pages get no video.
  void set_visible(bool visible);
  bool connected() const { return connected_; }
  bool uses(const Fanout& fanout) const;
  /// The streams that it was made for still carry what they did, and are among `media`.
  bool fits(const std::vector<std::shared_ptr<Fanout>>& media) const;
  /// The codec of its video, empty if it has none.
  std::string video_codec() const;
  /// The stream of its video, null if it has none.
  std::shared_ptr<Fanout> video() const;
  IceStatistics ice_statistics() const;
  OutletStatistics video_statistics() const;
  HoldMeter::Quantiles hold() const { return hold_->quantiles(); }
  int64_t last_received_us() const;
  const std::shared_ptr<ViewerRate>& rate() const { return rate_.rate(); }
  /// The browser tells when packets arrive, which rate control needs.
  bool tells_arrivals() const { return tells_arrivals_; }
  /// Every 50 ms or so.
  void tick(int64_t now_us) { rate_.tick(now_us); }
  /// Tells the frame log when the frames of late had left.
  void log_sent() const;

 private:
  struct Stream {
    std::shared_ptr<Fanout> fanout;
    std::shared_ptr<Outlet> outlet;
    MediaInfo info;
  };
  struct Link;  // what callbacks of other threads hold; it forgets the peer when that goes

  bool add_streams(std::string& error);
  bool add_stream(const std::shared_ptr<Fanout>& fanout, const MediaInfo& info, const StreamPlace* place, std::string& error);
  void open_input_channel();
  void create_description();
  void on_description_created();
  void on_description_set();
  /// Shows webrtcbin the browser's offer.
  bool take_offer();
  void set_remote_description(GstWebRTCSDPType type, GstSDPMessage* message);
  void on_remote_description_refused();
  void on_connection_state();
  void on_closed();
  void on_picture_lost();
  static void on_dtls_added(GstBin* bin, GstBin* sub_bin, GstElement* element, gpointer link);
  bool fingerprint_fits(std::string& error) const;
  void open_outlets();
  void watch_bus();
  void on_bus_message(GstMessage* message);

  Reaper& reaper_;
  const Ref<GMainContext> context_;
  const PeerSettings settings_;
  const PeerCallbacks callbacks_;
  std::shared_ptr<Link> link_;
  PeerRate rate_;
  Ref<GstElement> pipeline_;
  Ref<GSource> bus_source_;
  GstElement* webrtc_ = nullptr;  // owned by pipeline_
  Ref<GstPromise> promise_;
  std::string offer_;  // the browser's, cut down to what is used
  Ref<GstWebRTCDataChannel> input_channel_;
  gulong input_handler_ = 0;
  std::vector<Stream> streams_;
  std::shared_ptr<HoldMeter> hold_ = std::make_shared<HoldMeter>();
  std::vector<Fingerprint> fingerprints_;  // that the answer named
  std::vector<std::string> mids_;          // of the offer's media sections
  size_t candidates_ = 0;
  bool answered_ = false, connected_ = false, visible_ = true, tells_arrivals_ = true;
  const std::shared_ptr<std::atomic<bool>> red_ = std::make_shared<std::atomic<bool>>(false);  // the browser plays it; read by streaming threads
};

}  // namespace vitrine
