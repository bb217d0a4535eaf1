// SPDX-License-Identifier: LGPL-2.1-or-later
// What looks at packets on their way through a peer's pipeline, and what of it is changed.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "webrtc/hold-meter.h"
#include "webrtc/rate/viewer-rate.h"

namespace vitrine {

using HoldMethod = void (HoldMeter::*)(std::span<const uint8_t>, int64_t);
/// Feeds a hold meter with the packets that pass a pad.
void meter_pad(GstPad* pad, const std::shared_ptr<HoldMeter>& meter, HoldMethod method);

/// Sends sound with copies of what went before while packets of the viewer's path are lost. The browser has to know RED.
void add_red(GstPad* pad, const std::shared_ptr<std::atomic<bool>>& known, const std::shared_ptr<ViewerRate>& rate);

/// Closes the traps of the elements that `webrtc` is made of, as they come: clocksync, rtprtxsend's size, RTCP that is malformed. `rate` is told
/// of feedback.
void tame_parts(GstElement* webrtc, const std::shared_ptr<ViewerRate>& rate);

}  // namespace vitrine
