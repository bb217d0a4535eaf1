// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer's second transport: media by WebSocket beside or instead of its peer connection.
#include <algorithm>
#include <iterator>

#include "webrtc/debug.h"
#include "webrtc/latency/latency-text.h"
#include "webrtc/session-server.h"
#include "webrtc/viewer.h"

namespace vitrine {

void Viewer::attach(Ref<SoupWebsocketConnection> connection) {
  WsMediaCallbacks callbacks;
  callbacks.ended = [this](const std::string& reason) {
    GST_INFO("viewer %s: media by WebSocket ends: %s", id_.c_str(), reason.c_str());
  };
  callbacks.talk = [talk = server_.talk_output(), id = id_](std::span<const uint8_t> packet) { talk->push(id, packet); };
  callbacks.picture_lost = [this](const auto& video) { picture_lost(video); };
  // A socket that is replaced has gone with the network that it ran on.
  if (ws_)
    ended_ws_.push_back(std::move(ws_));
  ws_ = std::make_unique<WsMedia>(server_.context(), std::move(connection), frames_, rate_limits(), std::move(callbacks));
  GST_INFO("viewer %s: media by WebSocket", id_.c_str());
  wants_ws_ = true;
  try_ws(g_get_monotonic_time());
}

void Viewer::try_ws(int64_t) {
  if (closed_ || !wants_ws_ || !ws_ || ws_->ended())
    return;
  Ref<GstClock> clock;
  GstClockTime base_time;
  const Choice choice = choose_media(hello_.decodes);
  if (!choice.playable || choice.media.empty() || !server_.host().clock(clock, base_time))
    return;  // tick() tries again
  wants_ws_ = false;
  ws_->start(choice.media, visible_);
  server_.host().viewer_connected(id_);
}

void Viewer::follow(const std::vector<std::shared_ptr<Fanout>>& media) {
  if (peer_ && !peer_->fits(media))
    offer_again("its stream is another now");
  if (ws_ && ws_->started() && !ws_->fits(media))
    wants_ws_ = true;
}

RateLimits Viewer::rate_limits() const {
  RateLimits limits = server_.settings().rate;
  limits.max_bps = EncoderPolicy::needed_bps(limits.max_bps);
  return limits;
}

void Viewer::set_limits() {
  const RateLimits limits = rate_limits();
  for (Peer* peer : {peer_.get(), leaving_.get()})
    if (peer)
      peer->rate()->set_limits(limits);
  if (ws_)
    ws_->rate()->set_limits(limits);
}

std::shared_ptr<ViewerRate> Viewer::rate() const {
  if (!visible_)
    return nullptr;
  if (ws_ && ws_->started() && (told_stalled_ || !peer_ || !peer_->connected()))
    return ws_->rate();
  return peer_ && peer_->connected() && peer_->tells_arrivals() ? peer_->rate() : nullptr;
}

bool Viewer::uses(const Fanout& fanout) const { return (peer_ && peer_->uses(fanout)) || (ws_ && ws_->uses(fanout)); }

bool Viewer::watches(const Fanout& fanout) const { return visible_ && (uses(fanout) || (leaving_ && leaving_->uses(fanout))); }

KeyframeFacts Viewer::keyframe_facts(const Fanout& stream) const {
  const bool by_rtp = peer_ && peer_->connected() && !(ws_ && ws_->started() && told_stalled_);
  const auto path = by_rtp ? peer_->rate() : ws_ ? ws_->rate() : nullptr;
  return {stream.keyframe_us(), (path ? path->facts().rtt_us : 0) + (by_rtp ? KeyframeBudget::kRtpUs : 0), !server_.shares_picture(*this), !by_rtp};
}

void Viewer::picture_lost(const std::shared_ptr<Fanout>& stream) {
  if (closed_ || !visible_ || !stream)
    return;
  lost_ = stream;
  if (keyframes_.request(g_get_monotonic_time(), keyframe_facts(*stream)))
    stream->request_keyframe();
}

void Viewer::tick_keyframes(int64_t now_us) {
  follow_visible(now_us);
  if (lost_ && !uses(*lost_))
    lost_.reset();
  if (lost_ && keyframes_.poll(now_us, keyframe_facts(*lost_)))
    lost_->request_keyframe();
}

void Viewer::follow_visible(int64_t now_us) {
  if (wants_visible_ == visible_)
    return;
  if (wants_visible_ && !keyframes_.spend(now_us, !server_.shares_picture(*this)))
    return;
  visible_ = wants_visible_;
  if (peer_)
    peer_->set_visible(visible_);
  if (ws_)
    ws_->set_visible(visible_);
}

std::vector<Traffic> Viewer::traffic() const {
  std::vector<Traffic> ways;
  if (peer_) {
    const auto ice = peer_->ice_statistics();
    ways.push_back({to_string(ice.path), peer_->connected(), ice.bytes_sent, ice.packets_sent, ice.packets_dropped,
                    peer_->video_statistics(), 0});
  }
  if (ws_) {
    const auto facts = ws_->facts();
    ways.push_back({"websocket", ws_->started(), facts.bytes_sent, facts.frames_sent, 0, ws_->video_statistics(),
                    facts.unacknowledged_bytes});
  }
  return ways;
}

void Viewer::tell_frames(int64_t now_us) {
  if (now_us - told_frames_us_ < kFramesUs || !frames_->due(now_us))
    return;
  told_frames_us_ = now_us;
  for (const Peer* peer : {leaving_.get(), peer_.get()})
    if (peer)
      peer->log_sent();
  const auto due = frames_->take_due(now_us, LatencyMeter::kReportFramesMax);
  for (const MediaWay way : {MediaWay::webrtc, MediaWay::websocket}) {
    std::vector<LoggedFrame> frames;
    std::copy_if(due.begin(), due.end(), std::back_inserter(frames), [&](const LoggedFrame& frame) { return frame.way == way; });
    if (frames.empty())
      continue;
    const int64_t base_us = frames.front().times.capture_us;
    send(MessageWriter("frames")
             .text("way", way == MediaWay::webrtc ? "webrtc" : "websocket")
             .number("base", static_cast<double>(base_us))
             .raw("frames", frames_json(frames, base_us))
             .finish());
  }
}

void Viewer::tick_transports(int64_t now_us) {
  ended_ws_.clear();
  if (std::exchange(peer_failed_, false))
    peer_.reset();
  if (ws_) {
    ws_->tick(now_us);
    if (ws_->ended())
      ws_.reset();
  }
  if (wants_ws_)
    try_ws(now_us);
  if (leaving_ && peer_ && peer_->connected() && now_us - connected_us_ > kLeavingUs)
    leaving_.reset();
  if (leaving_ && !leaving_->connected())
    leaving_.reset();
  if (!peer_ || !peer_->connected() || !offers_websocket())
    return;
  const uint64_t sent = peer_->video_statistics().frames;
  if (std::exchange(sent_seen_, sent) != sent)
    sent_changed_us_ = now_us;
  const int64_t silent_us = now_us - std::max(peer_->last_received_us(), connected_us_);
  const bool stalled = now_us - sent_changed_us_ < kStalledUs && silent_us > kStalledUs;
  if (stalled != told_stalled_) {
    told_stalled_ = stalled;
    send(MessageWriter("path").boolean("alive", !stalled).finish());
  }
  if (ws_ && silent_us > kDeadUs && stalled) {
    GST_INFO("viewer %s: its peer connection is dead", id_.c_str());
    peer_.reset();
  }
}

}  // namespace vitrine
