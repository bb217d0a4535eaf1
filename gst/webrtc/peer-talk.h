// SPDX-License-Identifier: LGPL-2.1-or-later
// What comes from the browser on a peer connection: its microphone.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <span>

namespace vitrine {

/// Gets one Opus packet, on a streaming thread; must not block.
using TalkSink = std::function<void(std::span<const uint8_t> packet)>;

/// Lets `webrtc`, before its offer, take sound that the browser may send, in a media section of its own: whether it does needs no new offer.
void receive_talk(GstElement* webrtc, TalkSink sink);

}  // namespace vitrine
