// SPDX-License-Identifier: LGPL-2.1-or-later
// Spreads a large frame's packets over a few milliseconds, so that they do not overflow the first small queue on the way.
#pragma once

#include <gst/gst.h>

#include <memory>

#include "webrtc/rate/viewer-rate.h"

namespace vitrine {

/// Paces what a video payloader pushes through `pad`. Only that thread waits: audio and retransmissions pass by.
void pace_frames(GstPad* pad, std::shared_ptr<ViewerRate> rate);

}  // namespace vitrine
