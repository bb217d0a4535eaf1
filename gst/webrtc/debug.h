// SPDX-License-Identifier: LGPL-2.1-or-later
// The debug category of webrtcsignallerbin, for all files of the plugin.
#pragma once

#include <gst/gst.h>

extern GstDebugCategory* vitrine_webrtc_debug;
#define GST_CAT_DEFAULT vitrine_webrtc_debug
