// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define GST_TYPE_X11_DESKTOP (gst_x11_desktop_get_type())
G_DECLARE_FINAL_TYPE(GstX11Desktop, gst_x11_desktop, GST, X11_DESKTOP, GstElement)
G_END_DECLS
