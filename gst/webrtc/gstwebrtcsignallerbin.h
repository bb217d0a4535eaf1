// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define GST_TYPE_WEBRTC_SIGNALLER_BIN (gst_webrtc_signaller_bin_get_type())
G_DECLARE_FINAL_TYPE(GstWebRTCSignallerBin, gst_webrtc_signaller_bin, GST, WEBRTC_SIGNALLER_BIN, GstBin)
G_END_DECLS
