// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS
#define GST_TYPE_X11_INPUT_SINK (gst_x11_input_sink_get_type())
G_DECLARE_FINAL_TYPE(GstX11InputSink, gst_x11_input_sink, GST, X11_INPUT_SINK, GstBaseSink)
G_END_DECLS
