// SPDX-License-Identifier: LGPL-2.1-or-later
// When a picture was captured: from the metas of our own sources, else from its timestamp.
#pragma once

#include <gst/gst.h>

#include "webrtc/latency/picture-log.h"

namespace vitrine {

/// Monotonic µs at which the clock of `element` showed `running_time`, whichever clock that is; 0 if it has none.
int64_t capture_time(GstElement* element, GstClockTime running_time, int64_t now_us);

/// Notes a picture that passes `pad` on its way into an encoder, or is `left_out` there.
void tell_picture(GstPad* pad, GstBuffer* picture, bool left_out, int64_t now_us, PictureLog& log);

}  // namespace vitrine
