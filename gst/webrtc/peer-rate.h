// SPDX-License-Identifier: LGPL-2.1-or-later
// Ties one peer connection's packets and feedback to its ViewerRate: header extension, aux sender, RTCP, socket.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "common/ref.h"
#include "webrtc/echo-asker.h"
#include "webrtc/rate/transport-wide.h"
#include "webrtc/rate/viewer-rate.h"

namespace vitrine {

/// Bound to the session's thread, as its Peer.
class PeerRate {
 public:
  explicit PeerRate(const RateLimits& limits) : rate_(std::make_shared<ViewerRate>(limits)) {}

  /// Before webrtcbin is negotiated: puts rtpdesktopcc into its aux-sender slot.
  void attach(GstElement* webrtc);
  /// Numbers, by the extension with this id, and paces the packets of the video payloader with this SSRC. False if this GStreamer lacks the header extension.
  bool add_video(GstElement* payloader, guint ssrc, guint extension_id);
  /// The pad where packets leave for the socket, and the offer, which names the retransmission stream.
  void watch_output(GstPad* pad, const std::string& offer);
  /// What the rate learns from answers of the path.
  EchoWatch echoes() const;
  /// Every 50 ms or so.
  void tick(int64_t now_us);
  const std::shared_ptr<ViewerRate>& rate() const { return rate_; }

 private:
  const std::shared_ptr<ViewerRate> rate_;
  Ref<GstElement> element_;
  guint ssrc_ = 0;
};

/// Takes feedback from the pad where RTCP comes out of the SRTP decoder.
void watch_rtcp(GstPad* pad, const std::shared_ptr<ViewerRate>& rate);

}  // namespace vitrine
