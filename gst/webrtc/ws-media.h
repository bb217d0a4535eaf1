// SPDX-License-Identifier: LGPL-2.1-or-later
// A viewer's media by WebSocket: the same frames as by WebRTC, each with a header, acknowledged one by one (docs/protocol.md, section 6).
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/ref.h"
#include "webrtc/fanout.h"
#include "webrtc/token-bucket.h"
#include "webrtc/ws-gate.h"

namespace vitrine {

struct WsMediaCallbacks {
  /// The socket is gone, or was closed because of what the viewer did. The object may be deleted, but not from within.
  std::function<void(const std::string& reason)> ended;
  /// An Opus packet of the viewer's microphone.
  std::function<void(std::span<const uint8_t> packet)> talk;
  /// The viewer's decoder has lost its way.
  std::function<void(const std::shared_ptr<Fanout>& video)> picture_lost;
};

/// Bound to the session's thread.
class WsMedia {
 public:
  using Media = std::vector<std::pair<std::shared_ptr<Fanout>, MediaInfo>>;
  static constexpr size_t kIncomingMax = 4096;
  static constexpr double kMessagesPerSecond = 1000, kMessagesBurst = 2000;
  static constexpr int64_t kStalledUs = 10'000'000;  // frames without acknowledgement: nobody reads any more

  /// `log` is told of video frames.
  WsMedia(GMainContext* context, Ref<SoupWebsocketConnection> connection, std::shared_ptr<FrameLog> log, const RateLimits& limits,
          WsMediaCallbacks callbacks);
  ~WsMedia();
  WsMedia(const WsMedia&) = delete;
  WsMedia& operator=(const WsMedia&) = delete;

  /// Says what will come, and lets it flow from the next keyframe on. Once more when the streams are others.
  void start(const Media& media, bool visible);
  bool started() const { return !streams_.empty(); }
  bool ended() const { return ended_; }
  void set_visible(bool visible);
  bool uses(const Fanout& fanout) const;
  /// The streams that it was started with still carry what they did, and are among `media`.
  bool fits(const std::vector<std::shared_ptr<Fanout>>& media) const;
  OutletStatistics video_statistics() const;
  WsFacts facts() const { return gate_->facts(); }
  /// What the socket's path carries.
  const std::shared_ptr<ViewerRate>& rate() const { return rate_; }
  void tick(int64_t now_us);

 private:
  struct Link;
  struct Stream {
    std::shared_ptr<Fanout> fanout;
    std::shared_ptr<WsOutlet> outlet;
    MediaInfo info;
  };
  void send_waiting();
  void on_message(bool text, std::span<const uint8_t> bytes);
  void on_keyframe_message();
  void stop_streams();
  void end(const std::string& reason);

  const Ref<SoupWebsocketConnection> connection_;
  const std::shared_ptr<FrameLog> log_;
  const WsMediaCallbacks callbacks_;
  const std::shared_ptr<ViewerRate> rate_;
  std::shared_ptr<Link> link_;
  std::shared_ptr<WsGate> gate_;
  std::vector<Stream> streams_;
  TokenBucket messages_{kMessagesPerSecond, kMessagesBurst};
  bool ended_ = false;
  gulong message_handler_ = 0, closed_handler_ = 0;
};

}  // namespace vitrine
