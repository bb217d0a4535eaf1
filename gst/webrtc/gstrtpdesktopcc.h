// SPDX-License-Identifier: LGPL-2.1-or-later
// rtpdesktopcc: congestion control for desktop traffic in webrtcbin's aux-sender slot.
#pragma once

#include <gst/gst.h>

#include <memory>

G_BEGIN_DECLS
#define GST_TYPE_RTP_DESKTOP_CC (gst_rtp_desktop_cc_get_type())
G_DECLARE_FINAL_TYPE(GstRtpDesktopCc, gst_rtp_desktop_cc, GST, RTP_DESKTOP_CC, GstElement)
G_END_DECLS

namespace vitrine {

class ViewerRate;

/// A new element, floating, which shows and limits `rate`. Packets and feedback reach `rate` by other ways, closer to the socket, so that the
/// element takes none from rtpsession.
GstElement* new_rtp_desktop_cc(std::shared_ptr<ViewerRate> rate);
/// What padding is made of: packets of `ssrc` are sent again as `rtx_payload_type` and `rtx_ssrc`.
struct RtxStream {
  guint rtx_payload_type = 0;
  guint32 ssrc = 0, rtx_ssrc = 0;
};
void rtp_desktop_cc_set_rtx(GstElement* element, const RtxStream& stream);
/// Asks for a burst of padding behind the next frame. Any thread.
void rtp_desktop_cc_probe(GstElement* element, guint bytes);
/// Notifies `estimated-bitrate` if it has changed. Any thread.
void rtp_desktop_cc_poll(GstElement* element);

}  // namespace vitrine
