// SPDX-License-Identifier: LGPL-2.1-or-later
// RTP header extension "playout-delay": asks the browser to show frames at once.
#pragma once

#include <gst/rtp/rtp.h>

#define VITRINE_PLAYOUT_DELAY_URI "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

G_BEGIN_DECLS
#define GST_TYPE_PLAYOUT_DELAY (gst_playout_delay_get_type())
G_DECLARE_FINAL_TYPE(GstPlayoutDelay, gst_playout_delay, GST, PLAYOUT_DELAY, GstRTPHeaderExtension)
G_END_DECLS
