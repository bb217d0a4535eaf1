// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VIRTUAL_GAMEPADS (gst_virtual_gamepads_get_type())
G_DECLARE_FINAL_TYPE(GstVirtualGamepads, gst_virtual_gamepads, GST, VIRTUAL_GAMEPADS, GstElement)

G_END_DECLS
