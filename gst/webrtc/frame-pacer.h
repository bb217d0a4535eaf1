// SPDX-License-Identifier: LGPL-2.1-or-later
// Lets a frame's packets leave little faster than the path carries them, so that they wait here and not at the narrowest link, where sound and input wait
// behind them.
#pragma once

#include <gst/gst.h>

#include <memory>

#include "webrtc/rate/viewer-rate.h"

namespace vitrine {

/// Paces what a video payloader pushes through `pad`. Only that thread waits: audio and retransmissions pass by.
void pace_frames(GstPad* pad, std::shared_ptr<ViewerRate> rate);

}  // namespace vitrine
